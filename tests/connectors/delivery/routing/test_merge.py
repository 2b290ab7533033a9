"""The merge by time: however records arrive, they leave in their order, and nobody waits for ever."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.delivery.buffers import Held
from connectors.delivery.routing.merge import Merge
from connectors.ends import Partition

A, B, C = ("a", 0), ("b", 0), ("c", 0)
WINDOW_S, SILENCE_S, NEVER_S = 0.05, 2.0, 1e9


def held(partition: Partition, offset: int, at: int, arrived_at: float = 0.0, rank: int = 0) -> Held[str]:
    return Held(partition, offset, (at, rank), arrived_at, f"{partition[0]}{offset}")


def merge(*partitions: Partition, pause_at: int = 4, resume_at: int = 2) -> Merge[str]:
    made: Merge[str] = Merge(WINDOW_S, SILENCE_S, pause_at, resume_at)
    made.assign(partitions, 0.0)
    return made


def at_end(m: Merge[str], *partitions: Partition, asked_at: float) -> None:
    """They held nothing more at this time than what has been read."""
    m.ends_are(dict.fromkeys(partitions, -1), asked_at)


def names(taken: list[Held[str]]) -> list[str]:
    return [one.item for one in taken]


def test_records_leave_by_their_time_once_everybody_has_been_read_so_far() -> None:
    m = merge(A, B)
    for offset, at in enumerate((10, 30, 50)):
        m.put(held(A, offset, at))
    assert m.take(1.0, 10) == []
    m.put(held(B, 0, 40))
    assert names(m.take(1.0, 10)) == ["a0", "a1", "b0"]
    assert m.take(1.0, 10) == []  # B may have more before 50
    at_end(m, B, asked_at=0.04)
    assert m.take(1.0, 10) == []  # that was before the record had been here for the window
    at_end(m, B, asked_at=0.05)
    assert names(m.take(1.0, 10)) == ["a2"]


def test_among_equal_times_the_rank_decides() -> None:
    m = merge(A, B, C)
    m.put(held(A, 0, 10, rank=4))
    m.put(held(B, 0, 10, rank=3))
    m.put(held(C, 0, 10, rank=1))
    assert names(m.take(1.0, 10)) == ["c0"]  # there may be more of rank 1
    at_end(m, C, asked_at=0.5)
    assert names(m.take(1.0, 10)) == ["b0"]
    at_end(m, B, asked_at=0.5)
    assert names(m.take(1.0, 10)) == ["a0"]


def test_at_the_ends_a_record_waits_for_the_window() -> None:
    m = merge(A, B)
    at_end(m, A, B, asked_at=0.9)
    m.put(held(A, 0, 20, arrived_at=1.0))
    assert m.take(1.02, 10) == []
    m.put(held(B, 0, 10, arrived_at=1.03))
    assert m.take(1.06, 10) == []  # the earlier one has its own window
    at_end(m, A, B, asked_at=1.08)
    assert names(m.take(1.09, 10)) == ["b0", "a0"]


def test_what_lay_on_a_topic_when_a_record_came_leaves_before_it_however_late_it_is_read() -> None:
    """So it is around a broker's restart, when one partition is fetched long before another."""
    m = merge(A, B)
    m.put(held(A, 0, 20, arrived_at=0.1))
    m.ends_are({B: 1}, asked_at=0.2)
    assert m.take(1.9, 10) == []
    m.put(held(B, 0, 10, arrived_at=1.9))
    assert names(m.take(2.0, 10)) == ["b0", "a0"]


def test_an_end_is_reached_behind_what_is_no_record() -> None:
    """Marks of transactions have offsets, too."""
    m = merge(A, B)
    m.put(held(A, 0, 10))
    m.ends_are({B: 2}, asked_at=0.2)
    assert m.take(1.0, 10) == []
    m.reached(B, 2)
    assert names(m.take(1.0, 10)) == ["a0"]


def test_a_partition_without_a_leader_holds_the_others_for_a_while_only() -> None:
    m = merge(A, B)
    m.put(held(A, 0, 10))
    assert m.take(SILENCE_S, 10) == []
    assert names(m.take(SILENCE_S + 0.1, 10)) == ["a0"]
    # Once it speaks it is waited for again, from when it holds nothing.
    m.put(held(B, 0, 11, arrived_at=5.0))
    m.put(held(A, 1, 20, arrived_at=5.0))
    assert names(m.take(6.0, 10)) == ["b0"]
    assert m.take(7.9, 10) == []
    assert names(m.take(8.1, 10)) == ["a1"]


def test_a_partition_that_was_at_its_end_is_silent_from_when_it_owed_nothing() -> None:
    m = merge(A, B)
    at_end(m, B, asked_at=100.0)
    m.put(held(A, 0, 10, arrived_at=101.0))
    assert m.take(101.9, 10) == []
    m.ends_are({B: 1}, asked_at=101.9)  # there is more, which nobody gives us
    assert m.take(102.0, 10) == []
    m.ends_are({B: 1}, asked_at=102.0)
    assert names(m.take(102.1, 10)) == ["a0"]


def test_a_partition_whose_times_go_back_keeps_its_order() -> None:
    m = merge(A, B)
    for offset, at in enumerate((50, 10, 60)):
        m.put(held(A, offset, at))
    m.put(held(B, 0, 40))
    at_end(m, A, B, asked_at=0.5)
    assert names(m.take(1.0, 10)) == ["b0", "a0", "a1", "a2"]


def test_no_more_leave_than_are_asked_for() -> None:
    m = merge(A)
    for offset in range(5):
        m.put(held(A, offset, offset))
    assert names(m.take(1.0, 2)) == ["a0", "a1"]
    assert names(m.take(1.0, 0)) == []
    assert names(m.take(1.0, 9)) == ["a2", "a3", "a4"]


def test_a_full_partition_is_paused_and_one_that_holds_nothing_never_is() -> None:
    m = merge(A, B)
    for offset in range(3):
        m.put(held(A, offset, offset))
    assert (m.to_pause(), m.to_resume()) == ([], [])
    m.put(held(A, 3, 3))
    assert (m.to_pause(), m.to_pause()) == ([A], [])
    m.put(held(B, 0, 1))
    assert names(m.take(1.0, 9)) == ["a0", "a1", "b0"]
    assert (m.to_resume(), m.to_resume()) == ([A], [])
    assert len(m) == 2


def test_what_was_written_in_vain_leaves_again_in_the_same_order() -> None:
    m = merge(A, B)
    m.put(held(A, 0, 10))
    m.put(held(B, 0, 20))
    m.put(held(A, 1, 30))
    at_end(m, A, B, asked_at=0.5)
    taken = m.take(1.0, 2)
    m.put_back(taken)
    assert names(m.take(1.0, 9)) == ["a0", "b0", "a1"]


def test_what_is_revoked_is_forgotten() -> None:
    m = merge(A, B)
    m.put(held(A, 0, 10))
    taken = m.take(SILENCE_S + 1, 1)
    m.put(held(A, 1, 10))
    m.revoke([A])
    m.put(held(A, 2, 10))
    m.put_back(taken)
    at_end(m, A, B, asked_at=8.0)
    assert (len(m), m.take(9.0, 9)) == (0, [])
    m.assign([A], 9.0)
    m.put(held(A, 0, 10, arrived_at=9.0))
    at_end(m, B, asked_at=9.5)
    assert names(m.take(10.0, 9)) == ["a0"]


def test_a_revoked_partition_holds_nobody() -> None:
    m = merge(A, B)
    m.put(held(A, 0, 10))
    assert m.take(1.0, 9) == []
    m.revoke([B])
    assert names(m.take(1.0, 9)) == ["a0"]


def test_ends_are_asked_of_those_that_hold_nothing_while_others_wait() -> None:
    m = merge(A, B, C)
    assert m.asks_ends_of() == []
    m.put(held(A, 0, 10))
    assert m.asks_ends_of() == [B, C]
    m.over(C)
    at_end(m, B, asked_at=0.5)
    assert names(m.take(1.0, 9)) == ["a0"]
    assert m.asks_ends_of() == []


@dataclass
class Reader:
    """Reads logs into a merge in whichever steps it is told, and pauses as it is told."""

    logs: dict[Partition, list[tuple[int, int]]]
    merge: Merge[str]

    def __post_init__(self) -> None:
        self.read = dict.fromkeys(self.logs, 0)
        self.paused: set[Partition] = set()
        self.merge.assign(self.logs, 0.0)

    def step(self, partition: Partition, count: int, now: float) -> None:
        log = self.logs[partition]
        for _ in range(0 if partition in self.paused else count):
            offset = self.read[partition]
            if offset == len(log):
                self.merge.reached(partition, offset)
                self.merge.ends_are({partition: offset}, now)
                break
            self.merge.put(Held(partition, offset, log[offset], now, f"{partition}"))
            self.read[partition] += 1
        self.paused.update(self.merge.to_pause())
        self.paused.difference_update(self.merge.to_resume())


PLACES = st.tuples(st.integers(0, 30), st.integers(0, 4))
LOGS = st.lists(st.lists(PLACES, max_size=25).map(sorted), min_size=1, max_size=5)


@settings(max_examples=300)
@given(LOGS, st.data())
def test_in_whichever_way_a_backlog_arrives_it_leaves_in_its_order(
    logs: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    partitions = {(f"t{number}", 0): log for number, log in enumerate(logs)}
    reader = Reader(partitions, Merge(WINDOW_S, NEVER_S, pause_at=5, resume_at=2))
    steps = data.draw(
        st.lists(st.tuples(st.sampled_from(sorted(partitions)), st.integers(1, 7), st.booleans()), max_size=60)
    )
    taken: list[Held[str]] = []
    now = 0.0
    for partition, count, fails in steps:
        now += 0.01
        reader.step(partition, count, now)
        new = reader.merge.take(now, 10)
        if fails:
            reader.merge.put_back(new)
        else:
            taken += new
        assert len(reader.merge) <= len(partitions) * (5 + 7)
    # Then it is read evenly; it must come to an end, although nobody is ever taken for silent.
    total = sum(map(len, logs))
    for _ in range(3 * total + 20):
        now += 0.02
        for partition in partitions:
            reader.step(partition, 1, now)
        taken += reader.merge.take(now, 10)
    now += WINDOW_S
    for partition in partitions:
        reader.step(partition, 1, now)
    taken += reader.merge.take(now, total)
    assert len(taken) == total
    assert [one.place for one in taken] == sorted(one.place for one in taken)
    for partition, log in partitions.items():
        assert [one.offset for one in taken if one.partition == partition] == list(range(len(log)))


@pytest.mark.parametrize("late_s", [0.0, 0.02, 0.049])
def test_records_that_appear_within_the_window_leave_in_their_order(late_s: float) -> None:
    m = merge(A, B)
    at_end(m, A, B, asked_at=0.9)
    m.put(held(A, 0, 20, arrived_at=1.0, rank=4))
    assert m.take(1.0 + late_s, 9) == []
    m.put(held(B, 0, 20, arrived_at=1.0 + late_s, rank=3))
    at_end(m, A, B, asked_at=1.1)
    assert names(m.take(1.2, 9)) == ["b0", "a0"]
