"""What a worker tells of itself: whether it is ready, and its figures in Prometheus' form. Who serves that is no
matter of this package. Everything here is read on another thread than the worker's, which it costs nothing."""

from collections.abc import Iterable, Mapping
from typing import Protocol, cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.services import Services

_TOPIC = ("topic",)


class Fetching(Protocol):
    """The worker's consumer, as far as it is looked at; topics have their names on the cluster."""

    @property
    def hears_brokers(self) -> bool:
        """Whether brokers answer."""
        ...

    @property
    def taken(self) -> Mapping[str, int]:
        """Records that were read, by topic."""
        ...

    @property
    def lags(self) -> Mapping[str, int]:
        """Records that are still to be read, by topic."""
        ...


class WorkerHealth(Collector):
    """One worker's; before it `watches` one, nothing is ready and there are no figures."""

    def __init__(self) -> None:
        self._services: Services | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def watch(self, services: Services) -> None:
        """This is the worker's."""
        self._services = services

    @property
    def ready(self) -> bool:
        """Whether records are taken: the group has given its partitions out, this worker's are recovered, if it has
        any, brokers answer, and it is neither failing nor ending."""
        services = self._services
        if services is None or services.partitions is None or services.failure is not None:
            return False
        app, fetching = services.app, _fetching(services)
        return not app.rebalancing and not app.should_stop and fetching is not None and fetching.hears_brokers

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """The worker's figures, and its topology's."""
        services = self._services
        if services is None:
            return
        yield GaugeMetricFamily(
            "evcs_streams_partitions", "Partitions whose records are taken", len(services.partitions or ())
        )
        fetching = _fetching(services)
        if fetching is not None:
            read = CounterMetricFamily("evcs_streams_records_read", "Records that were read", labels=_TOPIC)
            yield _by_topic(read, fetching.taken, services)
            lag = GaugeMetricFamily(
                "evcs_streams_lag_records",
                "Records of a topic, in this worker's partitions, that are still to be read",
                labels=_TOPIC,
            )
            yield _by_topic(lag, fetching.lags, services)
        written = CounterMetricFamily(
            "evcs_streams_records_written", "Records that were put out, confirmed or not yet", labels=_TOPIC
        )
        yield _by_topic(written, services.output.produced, services)
        yield GaugeMetricFamily(
            "evcs_streams_unconfirmed_records", "Records that wait for the broker", services.output.unconfirmed
        )
        yield from services.figures()


def _fetching(services: Services) -> Fetching | None:
    """The consumer, if there is one yet: to ask Faust for it by its public name makes one."""
    return cast("Fetching | None", services.app._consumer)


def _by_topic(
    family: CounterMetricFamily | GaugeMetricFamily, counts: Mapping[str, int], services: Services
) -> CounterMetricFamily | GaugeMetricFamily:
    """The family with a sample a topic, by its declared name."""
    prefix = services.settings.cluster.topic_prefix
    for topic, count in sorted(dict(counts).items()):
        family.add_metric((topic.removeprefix(prefix),), count)
    return family
