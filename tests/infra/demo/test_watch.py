"""What the watch counts as rows that the warehouse is to hold."""

from dataclasses import replace
from typing import Any, cast

from confluent_kafka import Message

from connectors.platform import load_platforms
from infra.demo.run import PLATFORM
from infra.demo.scoreboard import Scoreboard
from infra.demo.watch import Watch
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.faults import DeadLetter
from tests.connectors.interfaces import records
from tests.connectors.warehouse.sink.records import sample

CODEC = codec_for("")


class FakeMessage:
    """A record as the watch looks at it."""

    def __init__(self, topic: str, key: bytes, record: Any) -> None:
        self._topic, self._key, self._value = topic, key, CODEC.encode(record)

    def topic(self) -> str:
        return f"demo-{self._topic}"

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._value

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000


def test_rows_are_records_that_do_not_come_again() -> None:
    board = Scoreboard(load_platforms().platforms[PLATFORM])
    watch = Watch(KafkaCluster(topic_prefix="demo-"), board)
    letter = DeadLetter("undecodable", "", "charge-orders", 0, 0, 0, 0, b"key", b"")
    for topic, key, record in [
        ("charger-telemetry", b"A", sample(0)),
        ("charger-telemetry", b"B", sample(0)),
        ("charger-telemetry", b"A", sample(0, status=0)),
        ("charger-telemetry", b"A", sample(1)),
        ("charge-orders", b"A", records.ORDER),
        ("charge-orders", b"A", records.ORDER),
        ("charge-orders", b"A", replace(records.ORDER, start_charge_seq="another")),
        ("charge-start-results", b"A", records.STARTED_WELL),
        ("charge-orders-dlq", b"A", letter),
    ]:
        watch._take(cast(Message, FakeMessage(topic, key, record)))
    assert {table: count for table, count in watch.rows.items() if count} == {"telemetry": 3, "orders": 2}
    assert board.repeated_orders == 1
    assert board.troubles == {"dead letter: undecodable": 1}
