"""How often a platform may call."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.limits import RateLimit

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
