"""The gateway's metrics, all of them, in Prometheus' form. No label is of a caller's making."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

#: Around what is promised: 50 ms, and the document's 1 s and 3 s.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)

#: Stands for a platform that is not known.
NOBODY = "-"


class Metrics:
    """One instance's. `age_s` is None before the views are ready."""

    def __init__(self, age_s: Callable[[], float | None], sizes: dict[str, Callable[[], int]]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "evcs_gateway_requests_total",
            "Calls by platform, interface and the Ret of their answer",
            ("platform", "interface", "ret"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "evcs_gateway_request_seconds",
            "From a call's last byte to its answer",
            ("interface",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._late = Counter(
            "evcs_gateway_late_total",
            "Answers that took longer than the interface's deadline",
            ("platform", "interface"),
            registry=self.registry,
        )
        age = Gauge(
            "evcs_gateway_view_age_seconds",
            "For how long the views may have missed something; NaN before they are ready",
            registry=self.registry,
        )
        age.set_function(lambda: float("nan") if (known := age_s()) is None else known)
        entries = Gauge("evcs_gateway_view_entries", "What the views hold", ("view",), registry=self.registry)
        for view, size in sizes.items():
            entries.labels(view).set_function(size)
        self.unanswered = Counter(
            "evcs_gateway_unanswered_starts_total",
            "Starts that no charger answered within their time",
            registry=self.registry,
        )
        self._seen: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}

    def answered(self, platform: str, interface: str, ret: int, seconds: float, deadline_s: float | None) -> None:
        """One call and how it went."""
        key = (platform, interface, ret)
        counter = self._seen.get(key)
        if counter is None:
            counter = self._seen[key] = self._requests.labels(platform, interface, str(ret))
        counter.inc()
        timed = self._timed.get(interface)
        if timed is None:
            timed = self._timed[interface] = self._seconds.labels(interface)
        timed.observe(seconds)
        if deadline_s is not None and seconds > deadline_s:
            self._late.labels(platform, interface).inc()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)
