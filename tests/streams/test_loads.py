"""When minutes go out and chunks are acked: behind all that they add to, and before memory is full."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import pytest

from schemas.records.station_load import StationLoad
from schemas.records.telemetry import Telemetry
from streams import loads
from streams.domain.outputs import Output, StateWrite
from streams.loads import HELD_MS, Loads
from streams.output import OutputQueue
from streams.settings import StreamsSettings
from streams.transport.chunk import Chunk
from tests.streams.domain.records import CODEC, NOON, SECOND, FakeRecord, charging


class Worker:
    """Loads with a clock of its own; `order` tells what went out (first_at) and which chunks were acked, by number."""

    def __init__(self) -> None:
        self.now = NOON
        self.order: list[str] = []
        self.chunks = 0
        self.loads = Loads(StreamsSettings(), cast(OutputQueue, self), lambda: self.now)

    def submit(
        self, partition: int, outputs: Sequence[Output], states: Sequence[StateWrite], on_safe: Callable[[], object]
    ) -> None:
        """As the output queue has it, with a broker that confirms at once."""
        assert not states
        for output in outputs:
            first_at = CODEC.decode_as(StationLoad, output.value).first_at
            self.order.append(f"out {(first_at - NOON) // SECOND}")
        on_safe()

    def take(self, *samples: Telemetry) -> None:
        records = [FakeRecord(s.connector_id.encode(), CODEC.encode(s), 0, s.sampled_at) for s in samples]
        self.chunks += 1
        chunk = Chunk("charger-telemetry", 0, cast(Any, records), 0, 0, 0, True)
        self.loads.apply(chunk, partial(self.order.append, f"ack {self.chunks}"))


def test_chunks_are_acked_behind_all_that_they_add_to() -> None:
    worker = Worker()
    worker.take(charging(NOON))
    worker.now += 30 * SECOND
    worker.take(charging(NOON + 30 * SECOND), charging(NOON + 60 * SECOND))
    worker.now = NOON + HELD_MS - 1
    worker.loads.tick()
    assert worker.order == []
    worker.now += 1
    worker.loads.tick()
    assert worker.order == ["out 0", "ack 1"]
    worker.now += 30 * SECOND
    worker.loads.tick()
    assert worker.order == ["out 0", "ack 1", "out 60", "ack 2"]


def test_a_chunk_that_adds_nothing_is_acked_in_its_turn() -> None:
    worker = Worker()
    worker.take(charging(NOON))
    worker.take(charging(NOON, meter_wh=-1))
    worker.now += HELD_MS
    worker.loads.tick()
    assert worker.order == ["out 0", "ack 1", "ack 2"]


def test_before_partitions_go_everything_goes_out() -> None:
    worker = Worker()
    worker.take(charging(NOON))
    worker.now -= SECOND  # a clock that was set back holds nothing back
    worker.take(charging(NOON + 60 * SECOND))
    worker.loads.save()
    assert worker.order == ["out 0", "out 60", "ack 1", "ack 2"]
    worker.loads.save()
    assert len(worker.order) == 4


def test_in_a_backlog_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "OPEN_MAX", 3)
    worker = Worker()
    worker.take(charging(NOON - 120 * SECOND), charging(NOON - 60 * SECOND))
    assert worker.order == []
    worker.take(charging(NOON))
    assert worker.order == ["out -120", "out -60", "out 0", "ack 1", "ack 2"]


def test_its_figures() -> None:
    worker = Worker()
    worker.take(charging(NOON), charging(NOON, meter_wh=-1))
    told = {sample.name: sample.value for one in worker.loads.figures() for sample in one.samples}
    assert told == {"evcs_station_load_open_minutes": 1, "evcs_station_load_passed_over_total": 1}
