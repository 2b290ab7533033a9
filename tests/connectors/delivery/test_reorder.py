"""Reordering: each connector's records leave in their own order as far as the window reaches, none is lost, none
is held longer."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.reorder import WINDOW_S, Reorder, Waiting
from schemas.records.derived import Derived
from tests.connectors.delivery import records as r

MAKERS: list[Callable[[str], Derived]] = [
    r.status,
    lambda connector: r.start(1, connector),
    lambda connector: r.progress(1, connector),
    lambda connector: r.stop(1, connector),
    lambda connector: r.order(1, connector),
]


@dataclass(frozen=True)
class Step:
    """After `pause_s`, either a record arrives, or what is due is taken."""

    pause_s: float
    connector: str = ""
    kind: int = 0
    recorded_at: int = 0

    @property
    def takes(self) -> bool:
        return not self.connector


PAUSES = st.sampled_from([0.0, 0.01, WINDOW_S / 2, WINDOW_S, 0.2])
ARRIVALS = st.builds(
    Step, PAUSES, st.sampled_from("AB"), st.integers(0, len(MAKERS) - 1), st.sampled_from([0, 20, 40, 60])
)
STEPS = st.lists(ARRIVALS | st.builds(Step, PAUSES), max_size=40)


@given(STEPS)
def test_order_completeness_and_patience(steps: list[Step]) -> None:
    reorder: Reorder[int] = Reorder()
    now = 1000.0
    arrived: list[Waiting[int]] = []
    held: set[int] = set()
    out: list[Waiting[int]] = []
    taken_at: dict[int, float] = {}
    for step in [*steps, Step(10.0)]:
        now += step.pause_s
        if not step.takes:
            record = MAKERS[step.kind](step.connector)
            arrived.append(Waiting(record, step.recorded_at, now, len(arrived)))
            held.add(arrived[-1].item)
            reorder.put(arrived[-1])
        else:
            before = reorder.count
            given_out = list(reorder.take(now))
            assert before - reorder.count == len(given_out)
            for waiting in given_out:
                taken_at[waiting.item] = now
                held.remove(waiting.item)
            out += given_out
            # Nothing is held longer than the window.
            assert all(arrived[item].arrived_at > now - WINDOW_S for item in held)
        assert reorder.count == len(held)

    # Nothing is lost and nothing comes twice.
    assert sorted(w.item for w in out) == list(range(len(arrived)))
    for index, later in enumerate(out):
        for earlier in out[:index]:
            if earlier.record.connector_id != later.record.connector_id:
                continue
            # Out of order only where the later one had not arrived when the other was given out.
            assert earlier.place <= later.place or later.arrived_at >= taken_at[earlier.item]
            # Records of one place keep the order in which they arrived, if they were held together.
            if earlier.place == later.place:
                assert earlier.item < later.item


@given(st.permutations(range(5)), st.integers(0, 10**13))
def test_a_charge_that_happens_in_one_moment(order: list[int], moment: int) -> None:
    reorder: Reorder[int] = Reorder()
    for kind in order:
        reorder.put(Waiting(MAKERS[kind]("A"), moment, 1.0, kind))
    assert [waiting.item for waiting in reorder.take(1.0 + WINDOW_S)] == [0, 1, 2, 3, 4]


def test_a_record_waits_the_window_out() -> None:
    reorder: Reorder[str] = Reorder(window_s=2.0)
    reorder.put(Waiting(r.status("A"), 5, 10.0, "x"))
    assert list(reorder.take(11.9)) == []
    assert reorder.count == 1
    assert [waiting.item for waiting in reorder.take(12.0)] == ["x"]
    assert reorder.count == 0
    assert list(reorder.take(99.0)) == []


def test_one_that_is_due_takes_those_before_it_along_and_no_others() -> None:
    reorder: Reorder[str] = Reorder(window_s=2.0)
    reorder.put(Waiting(r.status("A"), 50, 10.0, "due"))
    reorder.put(Waiting(r.status("A"), 40, 11.5, "before"))
    reorder.put(Waiting(r.status("A"), 60, 11.5, "behind"))
    reorder.put(Waiting(r.status("B"), 40, 11.5, "another's"))
    assert [waiting.item for waiting in reorder.take(12.0)] == ["before", "due"]
    assert sorted(waiting.item for waiting in reorder.take(13.5)) == ["another's", "behind"]


@pytest.mark.parametrize("kind", range(len(MAKERS)))
def test_time_goes_before_kind(kind: int) -> None:
    reorder: Reorder[str] = Reorder()
    reorder.put(Waiting(MAKERS[kind]("A"), 2, 0.0, "second"))
    reorder.put(Waiting(r.order(1, "A"), 1, 0.0, "first"))
    assert [waiting.item for waiting in reorder.take(1.0)] == ["first", "second"]
