"""Dead letters on a real broker."""

import threading
from typing import cast

import pytest
from confluent_kafka import Message

from connectors.delivery.outbox import outbox_producer
from connectors.warehouse.sink.letters import Letters
from schemas.cluster import KafkaCluster
from schemas.records.faults import DeadLetter
from tests.connectors.warehouse.sink.on_engine import letters
from tests.connectors.warehouse.sink.records import CODEC, FakeMessage

pytestmark = pytest.mark.kafka

TOPIC = "order-disputes"


def refused(value: bytes, offset: int) -> tuple[Message, str, str]:
    return cast(Message, FakeMessage(value, offset, TOPIC, 2)), "undecodable", "what is this?"


def test_letters_hold_the_record_and_its_place(kafka: KafkaCluster) -> None:
    writer = Letters(kafka, CODEC, outbox_producer(kafka), lambda: 7_000)
    assert writer.write(TOPIC, [refused(b"junk", 5)], threading.Event())
    assert letters(kafka, TOPIC) == [
        DeadLetter("undecodable", "what is this?", TOPIC, 2, 5, 1_000, 7_000, b"key", b"junk")
    ]


def test_a_record_that_leaves_no_room_is_named_by_its_place(kafka: KafkaCluster) -> None:
    writer = Letters(kafka, CODEC, outbox_producer(kafka), lambda: 7_000)
    assert writer.write(TOPIC, [refused(b"x" * 950_000, 6), refused(b"junk", 7)], threading.Event())
    large, small = sorted(letters(kafka, TOPIC), key=lambda letter: letter.offset)
    assert (large.offset, large.value, small.offset) == (6, None, 7)
    assert "950000 bytes" in large.detail


def test_nobody_waits_for_a_cluster_that_is_away_once_the_batch_is_abandoned() -> None:
    away = KafkaCluster(bootstrap="127.0.0.1:9")
    abandoned = threading.Event()
    threading.Timer(0.3, abandoned.set).start()
    assert not Letters(away, CODEC, outbox_producer(away), lambda: 0).write(TOPIC, [refused(b"junk", 5)], abandoned)
