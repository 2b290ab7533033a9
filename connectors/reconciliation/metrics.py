"""The nightly check's metrics, all of them, in Prometheus' form."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

_PLATFORM = ("platform",)


class Metrics:
    """One process's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.planned = Counter(
            "evcs_nightly_orders_total", "Orders that were fixed in a request", _PLATFORM, registry=self.registry
        )
        self.late = Counter(
            "evcs_nightly_late_orders_total",
            "Of those, orders that turned up after the requests of their day had been fixed",
            _PLATFORM,
            registry=self.registry,
        )
        self.left_out = Gauge(
            "evcs_nightly_left_out_orders",
            "Orders that the last look at a day could not place, or that do not fit the standard's fields",
            (*_PLATFORM, "reason"),
            registry=self.registry,
        )
        self.calls = Counter(
            "evcs_nightly_calls_total",
            "Calls by what followed from them",
            (*_PLATFORM, "outcome"),
            registry=self.registry,
        )
        self.ended = Counter(
            "evcs_nightly_requests_total", "Requests that are over", (*_PLATFORM, "outcome"), registry=self.registry
        )
        self.disputes = Counter(
            "evcs_nightly_disputes_total", "Orders that answers contest", _PLATFORM, registry=self.registry
        )
        self.missed = Counter(
            "evcs_nightly_missed_windows_total",
            "Nights that closed before their day had been checked",
            _PLATFORM,
            registry=self.registry,
        )
        self.open = Gauge(
            "evcs_nightly_open_requests", "Requests that were fixed and are not over", _PLATFORM, registry=self.registry
        )
        self.waits = Gauge(
            "evcs_nightly_waiting",
            "1 while this is waited for: kafka, sink, warehouse or platform",
            (*_PLATFORM, "on"),
            registry=self.registry,
        )
        self.checked = Gauge(
            "evcs_nightly_checked_day_seconds",
            "Midnight, as a Unix time, at which the newest day that is checked began",
            _PLATFORM,
            registry=self.registry,
        )

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)
