"""Delivery's metrics, all of them, in Prometheus' form. Nothing is counted here: what the parts of the process know is
read when it is asked for, so it costs a push nothing. Labels are names of platforms, interfaces and our own words."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connectors.delivery.breaker import BreakerState
from connectors.delivery.parts import Delivering, Parts, PlatformLanes
from connectors.delivery.tally import BOUNDS_S, Delays

_PLATFORM = ("platform",)
_BOUNDS = (*map(str, BOUNDS_S), "+Inf")


class Metrics(Collector):
    """One process's."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        platforms = dict(self._parts.platforms)
        yield from _forwarding(self._parts)
        yield from _done(platforms)
        yield from _standing({name: one.delivery for name, one in platforms.items() if one.delivery is not None})


def _forwarding(parts: Parts) -> Iterator[Metric]:
    """Of the router and the retry scheduler."""
    forwarded = CounterMetricFamily(
        "evcs_delivery_forwarded", "Records that have left the router, or the retry scheduler", labels=("part",)
    )
    waiting = GaugeMetricFamily(
        "evcs_delivery_waiting_records", "Records that it has read and that wait for their turn", labels=("part",)
    )
    partitions = GaugeMetricFamily("evcs_delivery_partitions", "Partitions that it has", labels=("part",))
    for name, part in dict(parts.forwarders).items():
        forwarded.add_metric((name,), part.forwarded)
        waiting.add_metric((name,), part.waiting)
        partitions.add_metric((name,), part.partitions)
    yield from (forwarded, waiting, partitions)


def _done(platforms: dict[str, PlatformLanes]) -> Iterator[Metric]:
    """What the platforms' lanes have done since the process began."""
    confirmed = CounterMetricFamily(
        "evcs_delivery_confirmed", "Pushes that the platform has confirmed", labels=("platform", "interface")
    )
    failures = CounterMetricFamily(
        "evcs_delivery_failures", "Pushes that were not taken, by how they ended", labels=("platform", "sign")
    )
    given_up = CounterMetricFamily(
        "evcs_delivery_given_up", "Records that were dead-lettered, by why", labels=("platform", "reason")
    )
    restarts = CounterMetricFamily(
        "evcs_delivery_restarts", "How often the platform's lanes have failed and begun again", labels=_PLATFORM
    )
    delays = HistogramMetricFamily(
        "evcs_delivery_delay_seconds",
        "From when a record was due to the answer that confirmed it",
        labels=("platform", "interface"),
    )
    for name, platform in platforms.items():
        tally = platform.tally
        for interface, count in dict(tally.confirmed).items():
            confirmed.add_metric((name, interface), count)
        for sign, count in dict(tally.failures).items():
            failures.add_metric((name, sign), count)
        for reason, count in dict(tally.given_up).items():
            given_up.add_metric((name, reason), count)
        restarts.add_metric((name,), platform.restarts)
        for interface, delay in dict(tally.delays).items():
            delays.add_metric((name, interface), *_cumulated(delay))
    yield from (confirmed, failures, given_up, restarts, delays)


def _cumulated(delays: Delays) -> tuple[list[tuple[str, float]], float]:
    """As Prometheus has it: how many took no longer than each bound, and the sum."""
    return list(zip(_BOUNDS, accumulate(delays.counts), strict=True)), delays.sum_s


def _standing(deliveries: dict[str, Delivering]) -> Iterator[Metric]:
    """How the lanes are that are at work."""
    partitions = GaugeMetricFamily("evcs_delivery_lane_partitions", "Partitions of the lanes", labels=_PLATFORM)
    in_flight = GaugeMetricFamily("evcs_delivery_in_flight", "Calls under way", labels=_PLATFORM)
    held = GaugeMetricFamily("evcs_delivery_held_records", "Records in memory", labels=("platform", "lane"))
    lag = GaugeMetricFamily(
        "evcs_delivery_lag_records",
        "Records of a lane, in this process's partitions, that are not committed",
        labels=("platform", "lane"),
    )
    breaker = GaugeMetricFamily(
        "evcs_delivery_breaker", "1 for the state that the platform's breaker has", labels=("platform", "state")
    )
    for name, delivery in deliveries.items():
        partitions.add_metric((name,), delivery.partitions)
        in_flight.add_metric((name,), delivery.in_flight)
        for lane, count in delivery.held.items():
            held.add_metric((name, lane), count)
        for lane, count in delivery.lags.items():
            lag.add_metric((name, lane), count)
        state = delivery.breaker_state
        for one in BreakerState:
            breaker.add_metric((name, one.value), one is state)
    yield from (partitions, in_flight, held, lag, breaker)
