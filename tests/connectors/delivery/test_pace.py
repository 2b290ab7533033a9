"""How fast a platform is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.pace import Pace


def test_without_a_limit_nobody_waits() -> None:
    pace = Pace(0)
    assert [pace.wait_s(now) for now in (0, 0, 0, 5)] == [0] * 4


def test_calls_are_spaced_evenly() -> None:
    pace = Pace(4)
    assert [pace.wait_s(0) for _ in range(5)] == pytest.approx([0, 0.15, 0.4, 0.65, 0.9])


def test_who_comes_later_waits_less() -> None:
    pace = Pace(1)
    assert pace.wait_s(100) == 0
    assert pace.wait_s(100.5) == pytest.approx(0.4)
    assert pace.wait_s(110) == 0


def test_after_a_pause_a_tenth_of_a_seconds_calls_may_go_at_once() -> None:
    pace = Pace(100)
    pace.wait_s(0)
    waits = [pace.wait_s(60) for _ in range(20)]
    assert [wait for wait in waits if wait == 0] == [0] * 11
    assert waits[11:14] == pytest.approx([0.01, 0.02, 0.03])


@pytest.mark.parametrize("start", [0.0, 1e9])
def test_any_clock_will_do(start: float) -> None:
    pace = Pace(2)
    assert [pace.wait_s(start) for _ in range(3)] == pytest.approx([0, 0.4, 0.9], abs=1e-6)


@given(
    st.sampled_from([0.1, 1.0, 5.0, 50.0, 1000.0]), st.lists(st.floats(0, 3), min_size=1, max_size=200), st.floats(0, 5)
)
def test_in_no_stretch_of_time_are_there_more_calls(per_second: float, gaps: list[float], stretch_s: float) -> None:
    pace, now, calls = Pace(per_second), 0.0, []
    for gap_s in gaps:
        now += gap_s
        calls.append(now + pace.wait_s(now))
    assert calls == sorted(calls)
    for first in calls:
        within = [call for call in calls if first <= call <= first + stretch_s]
        assert len(within) <= per_second * (stretch_s + 0.1) + 1.001
