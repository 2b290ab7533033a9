"""Fills Kafka with telemetry as fast as it takes it: `stream.py` makes the bytes, this sends them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from infra.simulator.fleet.population import populate
from infra.simulator.fleet.sender import Sender
from infra.simulator.fleet.stream import SampleStream
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.charge_events import ChargeStarted, ChargeStopped

#: The broker's answers are taken, and progress is told, after so many records.
_RECORDS_PER_POLL = 20_000


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
    to `charge-events` too. `on_progress(records, of_records)`. Raises BrokerRefused.
    """
    began = time.monotonic()
    if start_ms is None:
        start_ms = (int(time.time()) - samples_each * interval_ms // 1000) * 1000
    population = populate(connectors)
    codec = codec_for(cluster.schema_registry_url)
    stream = SampleStream(codec, population, charging_share, change_share, seed, start_ms, interval_ms)
    sender = Sender(cluster)
    send = sender.send
    telemetry, charge_events = cluster.topic("charger-telemetry"), cluster.topic("charge-events")
    total = connectors * samples_each
    records = size = events = unserved = 0
    sampled_at = start_ms
    for instant in stream.instants(samples_each):
        sampled_at = instant.sampled_at
        if with_events:
            for event in instant.events:
                send(charge_events, event.connector_id.encode(), codec.encode(event), _time_of(event))
            events += len(instant.events)
        for key, value in instant.samples:
            send(telemetry, key, value, sampled_at)
            size += len(key) + len(value)
        records += len(instant.samples)
        unserved += len(instant.samples) + len(instant.events)
        if unserved >= _RECORDS_PER_POLL:
            unserved = 0
            sender.serve()
            if on_progress is not None:
                on_progress(records, total)
    sender.flush()
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


def _time_of(event: ChargeStarted | ChargeStopped) -> int:
    return event.started_at if isinstance(event, ChargeStarted) else event.stopped_at


def catalog(cluster: KafkaCluster, connectors: int = 20_000) -> int:
    """Publishes the stations of `generate`'s connectors on `station-catalog`. Returns how many.

    Raises BrokerRefused.
    """
    codec = codec_for(cluster.schema_registry_url)
    sender = Sender(cluster)
    topic = cluster.topic("station-catalog")
    stations = populate(connectors).stations
    for station in stations:
        sender.send(topic, station.station_id.encode(), codec.encode(station), station.changed_at)
        sender.serve()
    sender.flush()
    return len(stations)
