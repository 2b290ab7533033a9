"""Writes a replay's catalog and timeline to Kafka, each record under its own time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.replay.timeline import Timeline
from infra.simulator.fleet.outgoing import CATALOG_TOPIC, EVENTS_TOPIC, TELEMETRY_TOPIC
from infra.simulator.fleet.sender import Sender
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.station import Station

#: The broker's answers are taken, and progress is told, after so many records.
_RECORDS_PER_POLL = 20_000


@dataclass(frozen=True, slots=True)
class Written:
    """What went to Kafka, and how long that took."""

    samples: int
    events: int
    seconds: float


def write_catalog(cluster: KafkaCluster, stations: Iterable[Station]) -> None:
    """Publishes the stations. Raises BrokerRefused."""
    codec = codec_for(cluster.schema_registry_url)
    sender = Sender(cluster)
    for station in stations:
        topic = cluster.topic(CATALOG_TOPIC)
        sender.send(topic, station.station_id.encode(), codec.encode(station), station.changed_at)
    sender.flush()


def write_timeline(cluster: KafkaCluster, timeline: Timeline, on_progress: Callable[[int, int, int], None]) -> Written:
    """Sends everything in order and returns when the broker has it. Raises BrokerRefused.

    `on_progress(samples, events, at)` is told how far it is, `at` in event time (UTC ms).
    """
    began = time.monotonic()
    sender = Sender(cluster)
    send = sender.send
    telemetry, charge_events = cluster.topic(TELEMETRY_TOPIC), cluster.topic(EVENTS_TOPIC)
    samples = events = unserved = 0
    for at, is_event, records in timeline.moments():
        topic = charge_events if is_event else telemetry
        for key, value in records:
            send(topic, key, value, at)
        if is_event:
            events += len(records)
        else:
            samples += len(records)
        unserved += len(records)
        if unserved >= _RECORDS_PER_POLL:
            unserved = 0
            sender.serve()
            on_progress(samples, events, at)
    sender.flush()
    on_progress(samples, events, timeline.ends_at)
    return Written(samples, events, time.monotonic() - began)
