"""The sink's metrics, all of them, in Prometheus' form."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """One process's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._rows = Counter("evcs_sink_rows_total", "Rows that a table has taken", ("table",), registry=self.registry)
        self._seconds = Histogram(
            "evcs_sink_insert_seconds",
            "Inserts, from the first attempt to the confirmation",
            ("table",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.retries = Counter(
            "evcs_sink_retries_total",
            "Attempts that ClickHouse was away for, or too slow",
            ("table",),
            registry=self.registry,
        )
        self.refused = Counter(
            "evcs_sink_refused_total", "Records that were dead-lettered", ("topic", "reason"), registry=self.registry
        )
        self.lag = Gauge(
            "evcs_sink_lag_records",
            "Records of a topic, in this process's partitions, that are not in their table",
            ("topic",),
            registry=self.registry,
        )
        self.waits = Gauge(
            "evcs_sink_wait_seconds",
            "For how long the oldest record that was read has waited to be in its table",
            registry=self.registry,
        )
        self.held = Gauge("evcs_sink_held_bytes", "Bytes of the records that wait", registry=self.registry)
        self.partitions = Gauge("evcs_sink_partitions", "Partitions that this process has", registry=self.registry)

    def inserted(self, table: str, rows: int, seconds: float) -> None:
        """A table has taken a block."""
        self._rows.labels(table).inc(rows)
        self._seconds.labels(table).observe(seconds)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)
