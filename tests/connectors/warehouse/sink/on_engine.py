"""What the tests on a real broker and a real ClickHouse share: records onto topics, sinks, what is committed."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.insertion import Inserts
from connectors.warehouse.sink.lane import Cuts
from connectors.warehouse.sink.service import Sink
from connectors.warehouse.sink.settings import SinkSettings
from connectors.warehouse.sink.sources import SOURCES
from schemas.cluster import KafkaCluster
from schemas.compacted import read_to_end
from schemas.records.faults import DeadLetter
from schemas.topic import all_topics
from schemas.watermarks import watermarks
from tests.at_work import at_work
from tests.connectors.warehouse.sink.records import CODEC

PATIENCE_S = 120.0


def put(cluster: KafkaCluster, topic: str, *values: bytes | None, key: bytes = b"key", partition: int = 0) -> None:
    """Values onto one partition of a topic, in order."""
    producer = Producer(cluster.producer_config(linger_ms=1))
    for value in values:
        producer.produce(cluster.topic(topic), value, key, partition)
    assert producer.flush(PATIENCE_S) == 0


def settings(cluster: KafkaCluster, warehouse: Warehouse, group: str = "", **cuts: Any) -> SinkSettings:
    """A sink that does not let records wait."""
    cut = Cuts(**{"wait_s": 0.2, **cuts})
    name = f"{cluster.topic_prefix}{group}" if group else ""
    return SinkSettings(cluster=cluster, warehouse=warehouse, group=name, cuts=cut, admin_port=0)


@contextmanager
def running(chosen: SinkSettings, warehouse: Inserts | None = None) -> Iterator[Sink]:
    """A sink at work, stopped cleanly at the end."""
    with (
        closing(WarehouseClient(chosen.warehouse)) as client,
        at_work(Sink(chosen, warehouse or client)) as working,
    ):
        yield working.service


def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def ends(cluster: KafkaCluster) -> Mapping[tuple[str, int], int]:
    """Where the sink's topics end, by topic (its declared name) and partition; of those that hold records."""
    found: dict[tuple[str, int], int] = {}
    consumer = Consumer(cluster.consumer_config(group_id="ends"))
    try:
        for source in SOURCES:
            for partition in range(all_topics()[source.topic].partitions):
                _, end = watermarks(consumer, cluster.topic(source.topic), partition)
                if end:
                    found[source.topic, partition] = end
    finally:
        consumer.close()
    return found


def committed(chosen: SinkSettings) -> Mapping[tuple[str, int], int]:
    """What the sink's group has committed, in the same terms."""
    cluster = chosen.cluster
    consumer = Consumer(cluster.consumer_config(group_id=chosen.group))
    places = [
        TopicPartition(cluster.topic(source.topic), partition)
        for source in SOURCES
        for partition in range(all_topics()[source.topic].partitions)
    ]
    try:
        found = consumer.committed(places, timeout=PATIENCE_S)
    except KafkaException as error:
        if error.args[0].code() not in (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE):
            raise
        return {}  # the group has no coordinator at this moment
    finally:
        consumer.close()
    return {
        (place.topic.removeprefix(cluster.topic_prefix), place.partition): place.offset
        for place in found
        if place.offset > 0
    }


def fill(chosen: SinkSettings, warehouse: Inserts | None = None) -> None:
    """Runs a sink until all that lies on its topics now is committed, whatever comes meanwhile."""
    with running(chosen, warehouse):
        wanted = ends(chosen.cluster)

        def is_in() -> bool:
            there = committed(chosen)
            return all(there.get(place, 0) >= end for place, end in wanted.items())

        until(is_in)


def letters(cluster: KafkaCluster, topic: str) -> list[DeadLetter]:
    """The dead letters about a topic."""
    found = [message for batch in read_to_end(cluster, cluster.topic(f"{topic}-dlq")) for message in batch]
    return [CODEC.decode_as(DeadLetter, message.value()) for message in found]
