"""The follower on a real broker: everything that was there, then what comes, and how old that is."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Message, Producer

from connectors.gateway.views.follower import Follower, Source
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from schemas.errors import UndecodableRecord
from schemas.topic import all_topics
from tests.whole.topics import until

pytestmark = pytest.mark.kafka

CATALOG, ORDERS = "station-catalog", "charge-orders"


class View:
    """Takes values in the order of their coming; a value of `bad` can't be read."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []

    def put(self, message: Message) -> None:
        if message.value() == b"bad":
            raise UndecodableRecord("no record")
        self.values.append(message.value())


@contextmanager
def following(follower: Follower) -> Iterator[Follower]:
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        yield follower
    finally:
        follower.stop()
        thread.join()


def put(kafka: KafkaCluster, topic: str, *values: bytes | None, timestamp: int | None = None) -> None:
    producer = Producer(kafka.producer_config())
    for value in values:
        producer.produce(kafka.topic(topic), value, b"key", timestamp=timestamp or int(time.time() * 1000))
    producer.flush()


def test_reads_all_that_is_there_before_it_is_ready_and_then_what_comes(kafka: KafkaCluster) -> None:
    put(kafka, CATALOG, b"1", b"2", None)
    view = View()
    follower = Follower(kafka, [Source(CATALOG, view.put)])
    assert (follower.ready, follower.age_s()) == (False, None)
    with following(follower):
        until(lambda: follower.ready, "ready")
        assert view.values == [b"1", b"2", None]
        put(kafka, CATALOG, b"3")
        until(lambda: view.values[-1] == b"3", "what came")
        until(lambda: (follower.age_s() or 9) < 2, "fresh")


def test_says_once_that_all_is_read_before_anybody_else_knows(kafka: KafkaCluster) -> None:
    put(kafka, CATALOG, b"1", b"2")
    view, told = View(), []
    follower = Follower(
        kafka, [Source(CATALOG, view.put)], on_read=lambda: told.append((follower.ready, list(view.values)))
    )
    with following(follower):
        until(lambda: follower.ready, "ready")
        put(kafka, CATALOG, b"3")
        until(lambda: view.values[-1] == b"3", "what came")
    assert told == [(False, [b"1", b"2"])]


def test_passes_over_what_can_not_be_read_and_counts_it(kafka: KafkaCluster) -> None:
    put(kafka, CATALOG, b"1", b"bad", b"2")
    view = View()
    with following(Follower(kafka, [Source(CATALOG, view.put)])) as follower:
        until(lambda: follower.ready, "ready")
        assert view.values == [b"1", b"2"]
        assert follower.passed_over == {CATALOG: 1}


def test_reads_only_what_is_not_too_old(kafka: KafkaCluster) -> None:
    now = int(time.time() * 1000)
    put(kafka, ORDERS, b"old", timestamp=now - 60_000)
    put(kafka, ORDERS, b"new", timestamp=now - 1_000)
    view, latest = View(), View()
    sources = [Source(ORDERS, view.put, since_ms=30_000), Source("charger-telemetry", latest.put, since_ms=0)]
    put(kafka, "charger-telemetry", b"before", timestamp=now - 1_000)
    with following(Follower(kafka, sources)) as follower:
        until(lambda: follower.ready, "ready")
        assert view.values == [b"new"]
        assert latest.values == []
        put(kafka, "charger-telemetry", b"after")
        until(lambda: latest.values == [b"after"], "what came")


def test_waits_for_topics_that_are_not_there_yet(kafka: KafkaCluster) -> None:
    later = KafkaCluster(bootstrap=kafka.bootstrap, topic_prefix=f"{kafka.topic_prefix}later-")
    view = View()
    with following(Follower(later, [Source(CATALOG, view.put)])) as follower:
        time.sleep(1)
        assert not follower.ready
        create_topics(later, topics=[all_topics()[CATALOG]])
        put(later, CATALOG, b"1")
        until(lambda: follower.ready and view.values, "ready")
