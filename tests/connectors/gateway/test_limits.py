"""How often a platform may call, and what counts as an envelope that has been here before."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.limits import RateLimit, Replays

#: Seconds since the epoch, as the gateway counts them.
NOW = 1_740_974_400.25


def taken(limit: RateLimit, calls: int, now: float) -> int:
    return sum(limit.takes(now) for _ in range(calls))


class TestRateLimit:
    def test_a_burst_at_once_and_then_by_the_second(self) -> None:
        limit = RateLimit(10, 20)
        assert taken(limit, 100, NOW) == 20
        assert taken(limit, 100, NOW + 0.05) == 0
        assert taken(limit, 100, NOW + 0.5) == 5
        assert taken(limit, 100, NOW + 1.5) == 10

    def test_rest_makes_room_for_one_burst_and_no_more(self) -> None:
        limit = RateLimit(10, 20)
        assert taken(limit, 100, NOW) == 20
        assert taken(limit, 100, NOW + 3600) == 20

    def test_what_was_refused_does_not_count(self) -> None:
        limit = RateLimit(1, 1)
        assert limit.takes(NOW)
        assert taken(limit, 1000, NOW + 0.5) == 0
        assert limit.takes(NOW + 1)

    def test_zero_is_no_limit(self) -> None:
        assert taken(RateLimit(0, 1), 10_000, NOW) == 10_000

    def test_less_than_one_a_second(self) -> None:
        limit = RateLimit(0.1, 1)
        assert [limit.takes(NOW + second) for second in range(0, 25, 5)] == [True, False, True, False, True]

    def test_a_burst_of_one_is_one(self) -> None:
        for rate in (3, 7, 200, 1000):
            limit = RateLimit(rate, 1)
            assert [limit.takes(NOW), limit.takes(NOW)] == [True, False], rate
            assert limit.takes(NOW + 1)

    def test_a_clock_that_is_set_back_keeps_nobody_out(self) -> None:
        limit = RateLimit(10, 20)
        assert taken(limit, 100, NOW) == 20
        assert taken(limit, 100, NOW - 3600) == 0
        assert taken(limit, 100, NOW - 3599) == 10

    @given(
        st.floats(0.01, 1000),
        st.integers(1, 50),
        st.lists(st.floats(0, 10), min_size=1, max_size=60),
    )
    def test_never_more_than_a_burst_and_what_time_has_made_room_for(
        self, per_second: float, burst: int, waits: list[float]
    ) -> None:
        limit, now, count = RateLimit(per_second, burst), NOW, 0
        for wait in waits:
            now += wait
            count += taken(limit, burst + 3, now)
            assert count <= burst + (now - NOW) * per_second + 0.01
        assert count >= burst

    @given(st.floats(0.01, 1000), st.integers(1, 50), st.integers(1, 200))
    def test_who_keeps_to_the_rate_is_never_refused(self, per_second: float, burst: int, calls: int) -> None:
        limit = RateLimit(per_second, burst)
        assert all(limit.takes(NOW + call * 1.001 / per_second + call * 1e-6) for call in range(calls))


class TestReplays:
    def test_the_same_envelope_is_refused_within_the_window(self) -> None:
        replays = Replays(600)
        assert replays.is_new("A" * 32, NOW)
        assert not replays.is_new("A" * 32, NOW)
        assert not replays.is_new("A" * 32, NOW + 599.9)
        assert replays.is_new("A" * 32, NOW + 600)

    def test_the_case_of_its_signature_makes_no_difference(self) -> None:
        replays = Replays(600)
        assert replays.is_new("ab12", NOW)
        assert not replays.is_new("AB12", NOW)
        assert not replays.is_new("Ab12", NOW)

    def test_a_repetition_does_not_make_the_window_longer(self) -> None:
        replays = Replays(600)
        assert replays.is_new("A", NOW)
        assert not replays.is_new("A", NOW + 400)
        assert replays.is_new("A", NOW + 601)

    def test_others_are_taken(self) -> None:
        replays = Replays(600)
        assert all(replays.is_new(f"{number:032X}", NOW) for number in range(1000))

    def test_zero_remembers_none(self) -> None:
        replays = Replays(0)
        assert all(replays.is_new("A", NOW) for _ in range(3))
        assert not replays._until

    def test_memory_has_an_end_and_the_oldest_go_first(self) -> None:
        replays = Replays(600, most=3)
        assert all(replays.is_new(signature, NOW) for signature in "ABCD")
        assert len(replays._until) == 3
        assert not any(replays.is_new(signature, NOW) for signature in "BCD")
        assert replays.is_new("A", NOW)

    def test_a_repetition_pushes_none_out(self) -> None:
        replays = Replays(600, most=3)
        assert all(replays.is_new(signature, NOW) for signature in "ABC")
        assert not any(replays.is_new(signature, NOW) for signature in "ABCABC")

    def test_what_is_over_is_forgotten(self) -> None:
        replays = Replays(600)
        for second in range(0, 6000, 10):
            assert replays.is_new(str(second), NOW + second)
        assert len(replays._until) <= 61

    def test_a_clock_that_is_set_back_lets_no_repetition_in(self) -> None:
        replays = Replays(600)
        assert replays.is_new("A", NOW)
        assert replays.is_new("B", NOW - 3600)
        assert not replays.is_new("A", NOW - 3600)
        assert not replays.is_new("B", NOW - 3001)
        assert replays.is_new("B", NOW - 3000)
