"""Charges as the streams put them out: records of four topics."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from confluent_kafka import Producer

from connectors.delivery.topics import SOURCES
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import RECORD_TYPES, codec_for
from schemas.records.derived import Derived, ProgressKind
from schemas.topic import all_topics
from tests.connectors.delivery import records as r

CODEC = codec_for("")

#: Where the streams put records of a type.
TOPIC_OF: dict[type, str] = {RECORD_TYPES[all_topics()[name].records[0]]: name for name in SOURCES}

CHARGE_MS = 100_000

#: Three days ago: a broker deletes what is older than a topic's retention within minutes, also from under a test.
PAST = wall_ms() - 3 * 86_400_000

#: A record and its time.
Due = tuple[int, Derived]


def charge(number: int, connector_id: str, station_id: str, started_at: int) -> list[Due]:
    """One charge's records in their order, each unlike any other's; its stop and its order share a millisecond."""
    started = started_at, started_at, started_at + CHARGE_MS // 2, started_at + CHARGE_MS
    records: list[Derived] = [
        r.start(number, connector_id),
        r.progress(number, connector_id),
        replace(r.progress(number, connector_id), kind=ProgressKind.PERIODIC, due_at=started[2]),
        replace(r.progress(number, connector_id), kind=ProgressKind.STOPPED, due_at=started[3]),
        r.stop(number, connector_id),
        r.order(number, connector_id),
    ]
    times = (*started, started[3], started[3])
    return [(at, replace(record, station_id=station_id)) for at, record in zip(times, records, strict=True)]


def many(count: int, connectors: int, stations: Sequence[str]) -> list[Due]:
    """So many charges, on each connector one after the other, in the order of time; a status before each."""
    due: list[tuple[int, int, Derived]] = []
    for number in range(count):
        connector = number % connectors
        connector_id, station_id = f"C{connector:03}", stations[connector % len(stations)]
        started_at = PAST + (number // connectors) * (CHARGE_MS + 1_000) + connector * 37
        status = replace(r.status(connector_id, 3, observed_at=started_at), station_id=station_id)
        due.append((started_at, number, status))
        due += [(at, number, record) for at, record in charge(number, connector_id, station_id, started_at)]
    due.sort(key=lambda one: one[:2])
    return [(at, record) for at, _, record in due]


def write(cluster: KafkaCluster, due: Iterable[Due]) -> None:
    """Puts records where the streams would, and waits until they are there."""
    producer = Producer(cluster.producer_config(linger_ms=5))
    for at, record in due:
        producer.produce(cluster.topic(TOPIC_OF[type(record)]), CODEC.encode(record), record.connector_id, timestamp=at)
    assert producer.flush(60) == 0


def of_stations(due: Iterable[Due], stations: Sequence[str]) -> Iterator[Derived]:
    """The records of these stations."""
    return (record for _, record in due if record.station_id in stations)
