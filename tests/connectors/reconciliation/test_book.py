"""What is known of a platform's checks, from what lies on the topic."""

from datetime import date
from decimal import Decimal

from connectors.reconciliation.book import Book
from schemas.codec import codec_for
from schemas.records.order_checks import OrderCheckEnded, OrderCheckPlanned, PlannedOrder

CODEC = codec_for("")
DAY = date(2026, 11, 25)


def planned(number: int, *amounts: str, late: bool = False, day: date = DAY) -> OrderCheckPlanned:
    orders = tuple(PlannedOrder(f"{number}-{n}", "C", Decimal(one), Decimal(one)) for n, one in enumerate(amounts))
    return OrderCheckPlanned("beijing", f"{day}", number, f"seq {number}", 0, 1, late, 2, orders)


def over(number: int, outcome: str = "DONE", disputes: int = 0) -> OrderCheckEnded:
    return OrderCheckEnded("beijing", f"{DAY}", f"seq {number}", outcome, disputes, "", 3)


def book(*records: OrderCheckPlanned | OrderCheckEnded) -> Book:
    made = Book("beijing", CODEC)
    for offset, record in enumerate(records):
        if isinstance(record, OrderCheckPlanned):
            made.planned(record, CODEC.encode(record), (0, offset), 0)
        else:
            made.ended(record)
    return made


def test_nothing() -> None:
    empty = book()
    assert (empty.days, empty.day(DAY).open, empty.day(DAY).next_number) == ([], [], 1)
    assert empty.sums(DAY).energy_kwh == Decimal("0.00")
    assert str(empty.sums(DAY).energy_kwh) == "0.00"


def test_a_day() -> None:
    known = book(planned(1, "0.10", "0.20"), planned(2, "0.30"), over(1, disputes=2), planned(3, "1.00", late=True))
    assert [request.check_order_seq for request in known.day(DAY).open] == ["seq 2", "seq 3"]
    assert [request.place for request in known.day(DAY).open] == [(0, 1), (0, 3)]
    assert known.day(DAY).next_number == 4
    sums = known.sums(DAY)
    assert (sums.orders, sums.late_orders, sums.requests, sums.open, sums.refused, sums.disputes) == (4, 1, 3, 2, 0, 2)
    assert sums.energy_kwh == sums.total_money == Decimal("1.60")


def test_a_request_that_is_fixed_again_is_open_again() -> None:
    """As a dead letter that is sent again is; its content does not change."""
    known = book(planned(1, "0.10"), over(1, "DEAD_LETTER"))
    assert known.sums(DAY).refused == 1
    again = planned(1, "9.99")
    known.planned(again, CODEC.encode(again), (0, 7), 0)
    assert len(known.day(DAY).open) == 1
    assert known.sums(DAY).energy_kwh == Decimal("0.10")


def test_the_end_of_what_was_never_fixed_is_passed_over() -> None:
    assert book(over(1)).days == []


def test_orders_by_day() -> None:
    other = date(2026, 11, 26)
    known = book(planned(1, "0.10"), planned(2, "0.10", day=other))
    assert known.seqs([DAY]) == {"1-0"}
    assert known.seqs([DAY, other, date(2026, 11, 27)]) == {"1-0", "2-0"}
