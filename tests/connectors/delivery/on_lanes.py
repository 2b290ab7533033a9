"""What the tests of router, scheduler and tools share on a real broker: lanes as their readers see them, stations
on the catalog."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from connectors.delivery.topics import Lane, delivery_topics, lane_topic
from connectors.platform import Platform
from connectors.policies import Scope
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import partitions_of
from schemas.records.derived import Derived
from schemas.records.faults import DeadLetter
from schemas.records.station import Station
from tests.connectors.delivery import city as c

CODEC = codec_for("")
PATIENCE_S = 120.0


def platform(name: str, scope: Scope | None = None) -> Platform:
    """Beijing's profile under another name and for other stations."""
    return replace(c.BEIJING, name=name, scope=scope or Scope())


def make_lanes(cluster: KafkaCluster, *platforms: Platform) -> None:
    """The topics of these platforms."""
    create_topics(cluster, topics=delivery_topics(platforms))


def station(station_id: str, area_code: str, operator_id: str = "123456789") -> Station:
    """A station of which only its place counts."""
    return Station(
        station_id=station_id,
        operator_id=operator_id,
        equipment_owner_id=operator_id,
        station_name="",
        area_code=area_code,
        address="",
        service_tel="",
        station_type=1,
        station_status=50,
        park_count=0,
        longitude=Decimal(0),
        latitude=Decimal(0),
        construction=3,
        changed_at=0,
        tariff=(),
        equipment=(),
    )


def publish(cluster: KafkaCluster, *stations: Station) -> None:
    """Puts stations on the catalog."""
    producer = Producer(cluster.producer_config())
    for one in stations:
        producer.produce(cluster.topic("station-catalog"), CODEC.encode(one), one.station_id)
    assert producer.flush(PATIENCE_S) == 0


@dataclass(frozen=True, slots=True)
class Found:
    """A record as a reader of committed transactions sees it."""

    partition: int
    offset: int
    key: bytes
    timestamp: int
    headers: dict[str, str]
    value: bytes
    record: Derived


def read(cluster: KafkaCluster, topic: str) -> list[Found]:
    """All that is committed on a topic (its declared name), partition by partition."""
    return [
        Found(
            message.partition() or 0,
            message.offset() or 0,
            message.key() or b"",
            message.timestamp()[1],
            _headers(message),
            message.value() or b"",
            CODEC.decode(message.value()),
        )
        for message in _messages(cluster, topic)
    ]


def _headers(message: Message) -> dict[str, str]:
    pairs = cast("list[tuple[str, bytes]]", message.headers() or [])
    return {name: value.decode() for name, value in pairs}


def lane(cluster: KafkaCluster, name: str, which: Lane = "orders") -> list[Found]:
    """All that is committed on a platform's lane."""
    return read(cluster, lane_topic(name, which))


def letters(cluster: KafkaCluster, topic: str) -> list[DeadLetter]:
    """The committed dead letters of a topic."""
    return [CODEC.decode_as(DeadLetter, m.value()) for m in _messages(cluster, f"{topic}-dlq")]


def _messages(cluster: KafkaCluster, topic: str) -> Iterator[Message]:
    consumer = Consumer(
        cluster.consumer_config(
            group_id=f"{cluster.topic_prefix}reader",
            enable_partition_eof=True,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
    )
    try:
        name = cluster.topic(topic)
        numbers = partitions_of(consumer, name)
        consumer.assign([TopicPartition(name, number, 0) for number in numbers])
        left = set(numbers)
        while left:
            message = consumer.poll(PATIENCE_S)
            assert message is not None
            error = message.error()
            if error is None:
                yield message
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                left.discard(message.partition() or 0)
    finally:
        consumer.close()


def await_records(read_now: Callable[[], list[Found]], count: int, timeout_s: float = PATIENCE_S) -> list[Found]:
    """What is there once there are so many records, or more: a transaction's end is told a moment before its readers
    see it."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = read_now()
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {count}"
        time.sleep(0.05)


def await_true(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def by_connector(found: list[Found]) -> dict[str, list[Derived]]:
    """Each connector's records in the order in which a reader meets them."""
    return grouped(one.record for one in found)


def grouped(records: Iterable[Derived]) -> dict[str, list[Derived]]:
    """Records by connector, in their order."""
    made: dict[str, list[Derived]] = {}
    for record in records:
        made.setdefault(record.connector_id, []).append(record)
    return made


def repeated(found: list[Found]) -> list[bytes]:
    """Values that are there more than once."""
    return [value for value, count in Counter(one.value for one in found).items() if count > 1]
