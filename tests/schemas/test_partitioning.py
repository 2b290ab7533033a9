"""Keys lie where Java's default partitioner puts them."""

import pytest
from confluent_kafka import Message, Producer

from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.schemas.murmur2 import partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [  # org.apache.kafka.common.utils.UtilsTest
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_as_in_kafkas_own_tests(key: bytes, hashed: int) -> None:
    for partitions in (1, 4, 8, 1_000_003):
        assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


@pytest.mark.kafka
def test_as_our_producers_do(kafka: KafkaCluster) -> None:
    producer = Producer(kafka.producer_config())
    seen: dict[bytes, int] = {}

    def delivered(_error: object, message: Message) -> None:
        seen[message.key() or b""] = message.partition() or 0

    keys = [f"MA7L4KFB0{number:018d}"[: 5 + number % 20].encode() for number in range(200)]
    for key in keys:
        producer.produce(kafka.topic("charge-orders"), b"", key, on_delivery=delivered)
    assert producer.flush(60) == 0
    partitions = all_topics()["charge-orders"].partitions
    assert seen == {key: partition_of(key, partitions) for key in keys}
