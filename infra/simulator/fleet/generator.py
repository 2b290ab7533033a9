"""Fills Kafka with telemetry as fast as it takes it: `stream.py` makes the bytes, this sends them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.simulator.fleet.population import populate
from infra.simulator.fleet.stream import SampleStream
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for

#: Records that wait in the producer at most: some 150 MB.
_QUEUED_RECORDS = 500_000

#: Callbacks are served, and progress is told, after so many records.
_RECORDS_PER_POLL = 20_000

_FLUSH_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class GeneratorReport:
    """What was written: records and bytes (keys and values) of telemetry, and what went on in it.

    `charges_started` counts the `charges_running` of the first sample too. `status_changes` counts the samples
    whose status differs from the same connector's last. `first_sampled_at` and `last_sampled_at` in UTC ms.
    """

    records: int
    bytes: int
    charges_started: int
    charges_stopped: int
    status_changes: int
    events: int
    first_sampled_at: int
    last_sampled_at: int
    duration_s: float


class _Sender:
    """A producer that waits instead of failing when it is full, and fails when the broker refuses a record."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._refused: KafkaError | None = None
        config = cluster.producer_config(
            linger_ms=20,
            batch_size=1_000_000,
            queue_buffering_max_messages=_QUEUED_RECORDS,
            queue_buffering_max_kbytes=400_000,
            delivery_report_only_error=True,
        )
        self._producer = Producer({**config, "on_delivery": self._delivered})
        self.produce = self._producer.produce

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        self._refused = error or self._refused

    def serve(self) -> None:
        """Runs the callbacks; waits while the queue is more than half full. Raises KafkaException if refused."""
        self._producer.poll(0)
        while len(self._producer) > _QUEUED_RECORDS // 2:
            self._producer.poll(0.01)
        if self._refused is not None:
            raise KafkaException(self._refused)

    def finish(self) -> None:
        """Returns when the broker has everything. Raises KafkaException if it refuses, or takes too long."""
        left = self._producer.flush(_FLUSH_TIMEOUT_S)
        self.serve()
        if left:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{left} records were not confirmed"))


def generate(
    cluster: KafkaCluster,
    connectors: int = 20_000,
    samples_each: int = 100,
    charging_share: float = 0.3,
    change_share: float = 0.01,
    seed: int = 1,
    start_ms: int | None = None,
    interval_ms: int = 10_000,
    on_progress: Callable[[int, int], None] | None = None,
    with_events: bool = False,
) -> GeneratorReport:
    """Writes `connectors * samples_each` samples to `charger-telemetry`, each with its own time as Kafka's.

    Without `start_ms` (UTC) the last sample is about now. `with_events` writes the charges' starts and stops
    to `charge-events` too. `on_progress(records, of_records)`. Raises KafkaException.
    """
    began = time.monotonic()
    if start_ms is None:
        start_ms = (int(time.time()) - samples_each * interval_ms // 1000) * 1000
    population = populate(connectors)
    codec = codec_for(cluster.schema_registry_url)
    stream = SampleStream(codec, population, charging_share, change_share, seed, start_ms, interval_ms)
    sender = _Sender(cluster)
    produce, telemetry, charge_events = (
        sender.produce,
        cluster.topic("charger-telemetry"),
        cluster.topic("charge-events"),
    )
    total = connectors * samples_each
    records = size = events = unserved = 0
    sampled_at = start_ms
    for instant in stream.instants(samples_each):
        sampled_at = instant.sampled_at
        if with_events:
            for event in instant.events:
                produce(charge_events, codec.encode(event), event.connector_id.encode(), timestamp=sampled_at)
            events += len(instant.events)
        for key, value in instant.samples:
            produce(telemetry, value, key, timestamp=sampled_at)
            size += len(key) + len(value)
        records += len(instant.samples)
        unserved += len(instant.samples) + len(instant.events)
        if unserved >= _RECORDS_PER_POLL:
            unserved = 0
            sender.serve()
            if on_progress is not None:
                on_progress(records, total)
    sender.finish()
    if on_progress is not None:
        on_progress(records, total)
    return GeneratorReport(
        records=records,
        bytes=size,
        charges_started=stream.charges_started,
        charges_stopped=stream.charges_stopped,
        status_changes=stream.status_changes,
        events=events,
        first_sampled_at=start_ms,
        last_sampled_at=sampled_at,
        duration_s=time.monotonic() - began,
    )


def catalog(cluster: KafkaCluster, connectors: int = 20_000) -> int:
    """Publishes the stations of `generate`'s connectors on `station-catalog`. Returns how many.

    Raises KafkaException.
    """
    codec = codec_for(cluster.schema_registry_url)
    sender = _Sender(cluster)
    topic = cluster.topic("station-catalog")
    stations = populate(connectors).stations
    for station in stations:
        sender.produce(topic, codec.encode(station), station.station_id.encode(), timestamp=station.changed_at)
        sender.serve()
    sender.finish()
    return len(stations)
