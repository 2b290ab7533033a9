"""When states are written and chunks acked: at once, or in a backlog together with those of the chunks behind."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from schemas.records.charge_events import ChargeEvent
from schemas.records.connector_state import ConnectorState
from schemas.records.telemetry import Telemetry
from streams import tracking
from streams.domain.outputs import Output, StateWrite
from streams.domain.tracker import Tracker
from streams.output import OutputQueue
from streams.settings import StreamsSettings
from streams.tracking import EVENTS, TELEMETRY, Tracking
from streams.transport.chunk import Chunk
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    NOON,
    SECOND,
    SEQ,
    FakeRecord,
    bill,
    charging,
    plugged,
    sample,
    started,
    station,
    stopped,
)


@dataclass
class Submitted:
    """An output queue on which everything is safe at once."""

    outputs: list[Output] = field(default_factory=list)
    states: list[StateWrite] = field(default_factory=list)

    def submit(
        self,
        partition: int,
        outputs: Sequence[Output],
        states: Sequence[StateWrite],
        on_safe: Callable[[], object] | None = None,
    ) -> None:
        self.outputs += outputs
        self.states += states
        if on_safe is not None:
            on_safe()

    def forget(self, partitions: set[int]) -> None:
        """Nothing is on its way."""

    def empty(self) -> bool:
        return True


class Worker:
    """One partition's tracking with a clock of its own, and the chunks that it has acked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr("streams.tracking.time.monotonic", lambda: self.now_s)
        self.queue = Submitted()
        self.tracking = Tracking(StreamsSettings(), cast(OutputQueue, self.queue), wall=lambda: NOON + 3600 * SECOND)
        self.tracking.put_station(station())
        tracker = Tracker(0, self.tracking.codec, self.tracking.sites, self.tracking.settings.policy)
        self.tracking._partitions[0] = tracking._Partition(tracker)
        self.acked: list[int] = []
        self.offset = -1

    def take(self, one: Telemetry, caught_up: bool) -> None:
        """A chunk of one sample; it is acked by its offset."""
        self.offset = offset = self.offset + 1
        records: Any = [FakeRecord(CONNECTOR.encode(), CODEC.encode(one), offset, one.sampled_at)]
        chunk = Chunk(TELEMETRY, 0, records, offset, offset, one.sampled_at, caught_up)
        self.tracking.apply(chunk, lambda: self.acked.append(offset))

    def take_events(self, at: int, *events: ChargeEvent) -> None:
        """A chunk of events that were written at `at`, with more behind it."""
        records: Any = [FakeRecord(CONNECTOR.encode(), CODEC.encode(e), n, at) for n, e in enumerate(events)]
        chunk = Chunk(EVENTS, 0, records, 0, len(events) - 1, at, caught_up=False)
        self.tracking.apply(chunk, lambda: self.acked.append(-1))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker(monkeypatch)
    made.tracking.tick(lambda *_: True)
    made.take(sample(NOON), caught_up=True)
    assert (made.acked, len(made.queue.states)) == ([0], 1)
    return made


def test_without_a_backlog_states_and_acks_follow_at_once(worker: Worker) -> None:
    worker.take(plugged(NOON + 5 * SECOND), caught_up=True)
    assert worker.acked == [0, 1]
    assert len(worker.queue.states) == 2


def test_what_is_young_is_no_backlog(worker: Worker) -> None:
    worker.take(sample(NOON + 3599 * SECOND), caught_up=False)
    assert worker.acked == [0, 1]


def test_in_a_backlog_outputs_go_out_at_once_and_one_state_for_all(worker: Worker) -> None:
    worker.take(plugged(NOON + 5 * SECOND), caught_up=False)
    worker.take(charging(NOON + 10 * SECOND), caught_up=False)
    worker.take(charging(NOON + 12 * SECOND), caught_up=False)
    assert [output.topic for output in worker.queue.outputs].count("connector-status-changes") == 3
    assert (worker.acked, len(worker.queue.states)) == ([0], 1)
    assert not worker.tracking.safe()
    worker.now_s += tracking._SAVE_S
    worker.take(charging(NOON + 14 * SECOND, 1_000_100), caught_up=False)
    assert worker.acked == [0, 1, 2, 3, 4]
    assert worker.tracking.safe()
    (state,) = worker.queue.states[1:]
    kept = CODEC.decode_as(ConnectorState, state.value)
    assert (kept.status, kept.telemetry_offset) == (3, 2)
    assert kept.sample is not None and kept.sample.sampled_at == NOON + 10 * SECOND


def test_in_a_backlog_the_state_behind_an_order_does_not_wait(worker: Worker) -> None:
    ended = NOON + 20 * SECOND
    worker.take(sample(ended + 10 * SECOND), caught_up=False)
    worker.take_events(ended, started(NOON), stopped(ended, 1_000_000), bill(ended))
    assert [output.topic for output in worker.queue.outputs].count("charge-orders") == 1
    (state,) = worker.queue.states[1:]
    assert CODEC.decode_as(ConnectorState, state.value).closed_seqs == (SEQ,)
    assert worker.acked == [0], "chunks wait for the other states"
    worker.now_s += tracking._SAVE_S
    worker.tracking.tick(lambda *_: False)
    assert worker.acked == [0, 1, -1]
    assert len(worker.queue.states) == 2


def test_the_clock_and_the_end_of_an_assignment_write_what_waits(worker: Worker) -> None:
    worker.take(plugged(NOON + 5 * SECOND), caught_up=False)
    worker.tracking.tick(lambda *_: False)
    assert worker.acked == [0]
    worker.now_s += tracking._SAVE_S
    worker.tracking.tick(lambda *_: False)
    assert worker.acked == [0, 1]
    worker.take(sample(NOON + 15 * SECOND), caught_up=False)
    worker.tracking.save()
    assert worker.acked == [0, 1, 2]
    assert len(worker.queue.states) == 3


def test_chunks_of_a_partition_that_has_gone_are_not_acked(worker: Worker) -> None:
    worker.take(plugged(NOON + 5 * SECOND), caught_up=False)
    worker.tracking.drop({0})
    worker.tracking.save()
    assert worker.acked == [0]
    assert len(worker.queue.states) == 1


def test_what_was_flagged_stays_told_when_its_partition_goes_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.tracking.read_to_end", lambda *_: [])
    worker = Worker(monkeypatch)

    def told() -> dict[str, float]:
        return {
            sample.name + str(sample.labels): sample.value
            for one in worker.tracking.figures()
            for sample in one.samples
        }

    flagged = "evcs_streams_flagged_records_total{'reason': 'meter_negative'}"
    worker.tracking.recover({0})
    assert flagged not in told()
    for _ in range(2):
        worker.tracking.recover({0})
        worker.take(sample(NOON, meter_wh=-1), caught_up=True)
        worker.tracking.drop({0})
    assert told()[flagged] == 2
    assert told()["evcs_streams_connectors{}"] == 0


def test_how_far_the_slowest_partition_is_behind(worker: Worker) -> None:
    def told() -> dict[str, float]:
        return {sample.name: sample.value for one in worker.tracking.figures() for sample in one.samples}

    assert told()["evcs_streams_connectors"] == 1
    assert told()["evcs_streams_clock_behind_seconds"] == 0
    worker.take(plugged(NOON + 5 * SECOND), caught_up=False)
    assert told()["evcs_streams_clock_behind_seconds"] == 3595
    worker.tracking.drop({0})
    assert math.isnan(told()["evcs_streams_clock_behind_seconds"])
