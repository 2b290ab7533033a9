"""What lies on `order-checks` is read for one platform, and from a time on."""

import time

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.errors import UnreadableBook
from connectors.reconciliation.book import Book
from connectors.reconciliation.topic import read_book
from schemas.cluster import KafkaCluster
from tests.connectors.reconciliation.test_book import CODEC, DAY, over, planned

pytestmark = pytest.mark.kafka

#: UTC ms. Young: what is older than the topic keeps it, the broker may delete at any moment.
NOW = int(time.time()) * 1_000


def put(cluster: KafkaCluster, *values: bytes, key: bytes = b"beijing", timestamp: int = NOW) -> None:
    producer = Producer(cluster.producer_config())
    for value in values:
        producer.produce(cluster.topic("order-checks"), value, key, timestamp=timestamp)
    assert producer.flush(60) == 0


def read(cluster: KafkaCluster, platform: str, since_ms: int = 0) -> Book:
    """Once the topic, which was made just now, has its leaders."""
    while True:
        try:
            return read_book(cluster, CODEC, platform, since_ms)
        except KafkaException as error:
            assert error.args[0].code() == KafkaError.NOT_LEADER_FOR_PARTITION
            time.sleep(0.1)


def test_of_one_platform_and_from_a_time_on(kafka: KafkaCluster) -> None:
    put(kafka, CODEC.encode(planned(1, "1.00")), timestamp=NOW)
    put(kafka, CODEC.encode(planned(2, "1.00")), CODEC.encode(over(2)), timestamp=NOW + 1_000)
    put(kafka, CODEC.encode(planned(3, "1.00")), key=b"chengdu", timestamp=NOW + 1_000)
    assert list(read(kafka, "beijing").day(DAY).requests) == ["seq 1", "seq 2"]
    later = read(kafka, "beijing", NOW + 500).day(DAY)
    assert list(later.requests) == ["seq 2"]
    assert later.open == []
    assert list(read(kafka, "chengdu").day(DAY).requests) == ["seq 3"]
    assert read(kafka, "beijing", NOW + 2_000).days == []


def test_what_can_not_be_read_is_no_reason_to_fix_anything_anew(kafka: KafkaCluster) -> None:
    put(kafka, b"junk", key=b"chengdu")
    assert read(kafka, "beijing").days == []
    with pytest.raises(UnreadableBook, match=r"order-checks/\d@0 can't be read"):
        read(kafka, "chengdu")
