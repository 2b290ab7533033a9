"""How a day's orders are laid out in requests."""

import itertools
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reconciliation.days import DAY_MS, midnight_ms
from connectors.reconciliation.plan import DayOrder, Planning, check_order_seq, requests
from schemas.codec import codec_for
from schemas.records.order_checks import OrderCheckPlanned

DAY = date(2026, 11, 25)
BEGIN, END = midnight_ms(DAY), midnight_ms(DAY) + DAY_MS - 1000
PLANNING = Planning("beijing", "123456789", DAY, 1, False, BEGIN + DAY_MS + 600_000, 3)


def an_order(number: int, at: int) -> DayOrder:
    energy = Decimal(number).scaleb(-2)
    return DayOrder(f"{number:027d}", "C", "S", energy, energy * 3, at)


def laid_out(*offsets_ms: int, **changed: object) -> list[OrderCheckPlanned]:
    orders = [an_order(n, BEGIN + at) for n, at in enumerate(sorted(offsets_ms))]
    return list(requests(orders, replace(PLANNING, **changed)))  # type: ignore[arg-type]


def spans(checks: list[OrderCheckPlanned]) -> list[tuple[int, int]]:
    return [((check.started_at - BEGIN) // 1000, (check.ended_at - BEGIN) // 1000) for check in checks]


def test_no_orders() -> None:
    (check,) = laid_out()
    assert (check.started_at, check.ended_at, check.orders) == (BEGIN, END, ())
    assert laid_out(late=True) == []


def test_requests_divide_the_day() -> None:
    checks = laid_out(*(n * 10_000 for n in range(8)))
    assert [len(check.orders) for check in checks] == [3, 3, 2]
    assert spans(checks) == [(0, 20), (21, 50), (51, 86_399)]
    assert [check.number for check in checks] == [1, 2, 3]


def test_a_second_is_not_divided() -> None:
    """The third order ends in the same second as the fourth: it goes with that."""
    checks = laid_out(0, 10_000, 20_001, 20_999, 30_000)
    assert [len(check.orders) for check in checks] == [2, 3]
    assert spans(checks) == [(0, 10), (11, 86_399)]


def test_a_second_with_more_orders_than_a_request_may_have() -> None:
    checks = laid_out(*(5_000 + n for n in range(7)))
    assert [len(check.orders) for check in checks] == [3, 3, 1]
    assert spans(checks) == [(0, 5), (5, 5), (5, 86_399)]


def test_late_ones_cover_what_they_need() -> None:
    checks = laid_out(*(n * 10_000 for n in range(1, 6)), late=True, first_number=7)
    assert spans(checks) == [(10, 30), (40, 50)]
    assert [check.number for check in checks] == [7, 8]
    assert all(check.late for check in checks)


@given(st.lists(st.integers(0, DAY_MS - 1), max_size=60), st.integers(1, 8))
def test_every_order_once_and_within_its_span(offsets: list[int], most: int) -> None:
    checks = laid_out(*offsets, orders_per_request=most)
    at = {f"{n:027d}": BEGIN + offset for n, offset in enumerate(sorted(offsets))}
    listed = [order.start_charge_seq for check in checks for order in check.orders]
    assert listed == sorted(at)
    assert all(len(check.orders) <= most for check in checks)
    assert all(check.orders for check in checks) or not offsets
    for check in checks:
        for order in check.orders:
            assert check.started_at <= at[order.start_charge_seq] // 1000 * 1000 <= check.ended_at
    assert (checks[0].started_at, checks[-1].ended_at) == (BEGIN, END)
    for before, behind in itertools.pairwise(checks):
        assert behind.started_at - before.ended_at in (0, 1000)


def test_the_same_orders_give_the_same_requests() -> None:
    codec = codec_for("")
    first, second = ([codec.encode(check) for check in laid_out(*range(0, 90_000, 7_000))] for _ in range(2))
    assert first == second


def test_check_order_seq() -> None:
    """OperatorID and 18 characters."""
    seq = check_order_seq("123456789", "beijing", DAY, 12)
    assert seq == "12345678920261125CC49000012"
    assert len(seq) == 27
    others = {
        check_order_seq("123456789", "chengdu", DAY, 12),
        check_order_seq("123456789", "beijing", date(2026, 11, 26), 12),
        check_order_seq("123456789", "beijing", DAY, 13),
    }
    assert len(others | {seq}) == 4
    for number in (0, 1_000_000):
        with pytest.raises(ValueError, match="no number"):
            check_order_seq("123456789", "beijing", DAY, number)
