"""The breaker: when it opens, whom it lets through while it is open, and when it closes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.breaker import Breaker, BreakerState
from connectors.policies import BreakerPolicy

POLICY = BreakerPolicy(
    consecutive=3, failure_share=0.5, least=10, window_s=30, probe_first_s=5, probe_max_s=60, paused_probe_s=90
)


def opened(policy: BreakerPolicy = POLICY) -> Breaker:
    """One that has opened at 100 s."""
    breaker = Breaker(policy)
    for _ in range(policy.consecutive):
        breaker.failed(100, "HTTP 500")
    assert breaker.state is BreakerState.OPEN
    return breaker


class TestClosed:
    def test_admits_all(self) -> None:
        breaker = Breaker(POLICY)
        assert all(breaker.admits(now) for now in (0, 0, 1))
        assert (breaker.state, breaker.reason) == (BreakerState.CLOSED, "")

    def test_opens_after_failures_in_a_row(self) -> None:
        breaker = Breaker(POLICY)
        assert [breaker.failed(now, f"HTTP 50{now}") for now in (1, 2, 3)] == [False, False, True]
        assert (breaker.state, breaker.since) == (BreakerState.OPEN, 3)
        assert breaker.reason == "3 failures in a row, the last: HTTP 503"

    def test_a_success_between_begins_the_count_anew(self) -> None:
        breaker = Breaker(POLICY)
        for _ in range(2):
            assert not breaker.failed(1, "x")
            assert not breaker.failed(1, "x")
            assert not breaker.succeeded(1)
        assert breaker.state is BreakerState.CLOSED

    def test_opens_when_too_large_a_share_fails(self) -> None:
        breaker = Breaker(POLICY)
        for _ in range(4):
            breaker.failed(1, "x")
            breaker.succeeded(1)
        assert not breaker.failed(2, "x")  # five of nine, but nine are too few
        assert breaker.failed(2, "slow")
        assert breaker.reason == "6 of 10 calls failed within 30 s, the last: slow"

    @pytest.mark.parametrize(("now", "opens"), [(30, True), (30.1, False)])
    def test_what_lies_before_the_window_is_forgotten(self, now: float, opens: bool) -> None:
        breaker = Breaker(POLICY)
        for _ in range(4):
            breaker.failed(0, "x")
            breaker.succeeded(0)
        breaker.succeeded(0)
        assert breaker.failed(now, "x") == opens

    def test_at_thousands_of_calls_the_last_thousand_decide(self) -> None:
        breaker = Breaker(POLICY)
        for _ in range(5_000):
            breaker.succeeded(1)
        opened_after = next(
            n for n in range(1, 10_000) if (breaker.succeeded(1), breaker.failed(1, "x")) == (False, True)
        )
        assert opened_after == 500

    def test_a_profile_may_ask_for_more_than_a_thousand(self) -> None:
        breaker = Breaker(BreakerPolicy(consecutive=1_000_000, failure_share=0.5, least=2_000, window_s=30))
        assert [breaker.failed(1, "x") for _ in range(2_000)] == [False] * 1_999 + [True]


class TestOpen:
    def test_admits_one_probe_when_it_is_due(self) -> None:
        breaker = opened()
        assert [breaker.admits(now) for now in (100, 104.9, 105, 105, 1000)] == [False, False, True, False, False]

    def test_says_how_long_to_wait(self) -> None:
        breaker = opened()
        assert [breaker.wait_s(now) for now in (100, 104, 106)] == [5, 1, 0]
        breaker.admits(106)
        assert breaker.wait_s(106) is None

    def test_each_probe_that_fails_doubles_the_pause_up_to_a_limit(self) -> None:
        breaker = opened()
        now, pauses = 100.0, []
        for _ in range(7):
            wait_s = breaker.wait_s(now)
            assert wait_s is not None
            pauses.append(wait_s)
            now += wait_s
            assert breaker.admits(now)
            assert not breaker.failed(now, "still")
        assert pauses == [5, 10, 20, 40, 60, 60, 60]
        assert breaker.reason == "3 failures in a row, the last: HTTP 500"

    def test_a_probe_that_succeeds_closes_it(self) -> None:
        breaker = opened()
        assert breaker.admits(105)
        assert breaker.succeeded(106)
        assert (breaker.state, breaker.since, breaker.reason) == (BreakerState.CLOSED, 106, "")
        assert all(breaker.admits(106) for _ in range(10))

    def test_and_what_was_before_is_forgotten(self) -> None:
        breaker = opened()
        breaker.admits(105)
        breaker.succeeded(106)
        assert [breaker.failed(107, "x") for _ in range(3)] == [False, False, True]
        # The pauses begin with the shortest, too.
        assert breaker.wait_s(107) == 5

    def test_failures_of_others_change_nothing(self) -> None:
        breaker = opened()
        for _ in range(10):
            assert not breaker.failed(101, "late")
        assert breaker.admits(105)

    def test_a_probe_that_did_not_take_place_is_anothers(self) -> None:
        breaker = opened()
        assert breaker.admits(105)
        breaker.abandoned()
        assert breaker.admits(105)


class TestPaused:
    def test_is_told_once(self) -> None:
        breaker = Breaker(POLICY)
        assert breaker.pause(10, "Ret 4001")
        assert not breaker.pause(11, "Ret 4003")
        assert (breaker.state, breaker.since, breaker.reason) == (BreakerState.PAUSED, 10, "Ret 4001")

    def test_admits_a_probe_after_the_profiles_pause(self) -> None:
        breaker = Breaker(POLICY)
        breaker.pause(10, "Ret 4001")
        assert [breaker.admits(now) for now in (10, 99, 100, 100)] == [False, False, True, False]
        breaker.pause(101, "Ret 4001")
        assert [breaker.admits(now) for now in (190, 191)] == [False, True]

    def test_a_success_closes_it(self) -> None:
        breaker = Breaker(POLICY)
        breaker.pause(10, "Ret 4001")
        breaker.admits(100)
        assert breaker.succeeded(101)
        assert breaker.state is BreakerState.CLOSED

    def test_a_platform_that_was_away_may_turn_out_not_to_admit_us(self) -> None:
        breaker = opened()
        assert breaker.admits(105)
        assert breaker.pause(106, "Ret 4001")
        assert not breaker.admits(195)
        assert breaker.admits(196)

    def test_a_probe_that_fails_leaves_it_paused(self) -> None:
        breaker = Breaker(POLICY)
        breaker.pause(10, "Ret 4001")
        breaker.admits(100)
        assert not breaker.failed(101, "HTTP 500")
        assert breaker.state is BreakerState.PAUSED
        assert breaker.wait_s(101) == 60


@given(st.lists(st.tuples(st.sampled_from(["ask", "good", "bad", "pause", "none"]), st.floats(0, 100)), max_size=60))
def test_while_it_is_not_closed_there_is_one_probe_at_most(steps: list[tuple[str, float]]) -> None:
    breaker, now, probing = Breaker(POLICY), 0.0, False
    for what, pause_s in steps:
        now += pause_s
        closed = breaker.state is BreakerState.CLOSED
        if what == "ask":
            wait_s = breaker.wait_s(now)
            admitted = breaker.admits(now)
            # Whoever is turned away is told how long, unless somebody else is asking.
            assert admitted == (closed or (not probing and wait_s == 0))
            assert closed or (wait_s is None) == probing
            probing = probing or (admitted and not closed)
        elif closed or probing:
            match what:
                case "good":
                    assert breaker.succeeded(now) == (not closed)
                case "bad":
                    breaker.failed(now, "x")
                case "pause":
                    breaker.pause(now, "x")
                case "none":
                    breaker.abandoned()
            probing = False


def test_a_share_of_nothing_is_not_asked_for() -> None:
    with pytest.raises(ValueError):
        BreakerPolicy(failure_share=0)
