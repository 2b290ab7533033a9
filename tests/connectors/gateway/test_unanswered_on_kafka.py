"""Starts that no charger answers, on a real broker: each ends as one failed start, whichever instance watches."""

import threading
import time
from dataclasses import replace
from typing import Self

import pytest
from confluent_kafka import Producer

from connectors.gateway.unanswered import COMMANDS, EVENTS, GRACE_MS, NO_ANSWER, RESULTS, UnansweredStarts
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import read_to_end
from schemas.records.charge_events import ChargeStartFailed
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.derived import StartResult
from tests.whole.topics import until

pytestmark = pytest.mark.kafka

CODEC = codec_for("")
ISSUED_AT = 1_795_000_000_000
START = StartCharge("MA0PLATF1000000000000000001", "11010500000100101", 1, "", ISSUED_AT, ISSUED_AT + 30_000)
RESULT = StartResult(START.start_charge_seq, START.connector_id, "110105000001", 1, True, 0, ISSUED_AT + 2_000, "", "")
OVER = START.expires_at + GRACE_MS


class Clock:
    """Milliseconds that stand until they are moved."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class Watching:
    """An instance at work within the block, and what it counts of failed starts."""

    def __init__(self, kafka: KafkaCluster, clock: Clock) -> None:
        self.failed = 0
        self.watch = UnansweredStarts(kafka, CODEC, self._place, self._failed, clock, time.monotonic)
        self._thread = threading.Thread(target=self.watch.run)

    def _place(self, _: str) -> tuple[str, str]:
        return "110105000001001", "110105000001"

    def _failed(self) -> None:
        self.failed += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.stop()
        self._thread.join()


def put(kafka: KafkaCluster, topic: str, *records: StartCharge | StopCharge | StartResult) -> None:
    producer = Producer(kafka.producer_config())
    for record in records:
        producer.produce(kafka.topic(topic), CODEC.encode(record), record.connector_id.encode())
    producer.flush()


def events(kafka: KafkaCluster) -> list[object]:
    return [CODEC.decode(m.value()) for batch in read_to_end(kafka, kafka.topic(EVENTS)) for m in batch]


def numbered(number: int) -> StartCharge:
    return replace(START, start_charge_seq=f"MA0PLATF1{number:018d}", connector_id=f"11010500000100{number:03d}")


def test_ends_as_a_failed_start_once_its_time_and_a_grace_are_over(kafka: KafkaCluster) -> None:
    clock = Clock(OVER - 1)
    put(kafka, COMMANDS, START)
    with Watching(kafka, clock) as instance:
        until(lambda: instance.watch.pending, "the command is read")
        assert events(kafka) == []
        clock.now_ms = OVER
        until(lambda: instance.failed, "its failure")
    assert events(kafka) == [
        ChargeStartFailed(
            START.start_charge_seq, START.connector_id, "110105000001001", "110105000001", 1, OVER, NO_ANSWER
        )
    ]


def test_is_left_alone_once_its_result_has_come(kafka: KafkaCluster) -> None:
    answered, unanswered = START, numbered(2)
    put(kafka, COMMANDS, answered, StopCharge(answered.start_charge_seq, answered.connector_id, ISSUED_AT), unanswered)
    put(kafka, RESULTS, RESULT)
    with Watching(kafka, Clock(OVER)) as instance:
        until(lambda: instance.failed, "the failure of the other one")
    assert [event.start_charge_seq for event in events(kafka)] == [unanswered.start_charge_seq]  # type: ignore[attr-defined]


def test_is_not_told_of_again_by_the_instance_that_comes_next(kafka: KafkaCluster) -> None:
    put(kafka, COMMANDS, START)
    with Watching(kafka, Clock(OVER)) as instance:
        until(lambda: instance.failed, "its failure")
    later = numbered(3)
    put(kafka, COMMANDS, later)
    with Watching(kafka, Clock(OVER)) as instance:
        until(lambda: instance.failed, "the failure of a later one")
    told = [event.start_charge_seq for event in events(kafka)]  # type: ignore[attr-defined]
    assert sorted(told) == sorted([START.start_charge_seq, later.start_charge_seq])


def test_an_instance_that_comes_next_knows_the_results_that_came_before(kafka: KafkaCluster) -> None:
    """The command is not done when the first instance goes; its result has been read by it."""
    put(kafka, COMMANDS, START)
    with Watching(kafka, Clock(ISSUED_AT)) as instance:
        until(lambda: instance.watch.pending, "the command is read")
    put(kafka, RESULTS, RESULT)
    other = numbered(4)
    put(kafka, COMMANDS, other)
    with Watching(kafka, Clock(OVER)) as instance:
        until(lambda: instance.failed, "the failure of the other one")
    assert [event.start_charge_seq for event in events(kafka)] == [other.start_charge_seq]  # type: ignore[attr-defined]


def test_two_instances_share_the_watch(kafka: KafkaCluster) -> None:
    starts = [numbered(number) for number in range(1, 41)]
    put(kafka, COMMANDS, *starts)
    clock = Clock(ISSUED_AT)
    with Watching(kafka, clock) as first, Watching(kafka, clock) as second:
        until(lambda: first.watch.pending and second.watch.pending, "both have a part")
        until(lambda: first.watch.pending + second.watch.pending == len(starts), "all are watched")
        clock.now_ms = OVER
        until(lambda: first.failed + second.failed == len(starts), "all failures")
    assert first.failed and second.failed
    told = [event.start_charge_seq for event in events(kafka)]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(start.start_charge_seq for start in starts)
