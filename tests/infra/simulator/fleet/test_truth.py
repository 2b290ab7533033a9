"""The book of charges."""

from decimal import Decimal

from infra.simulator.fleet.truth import Book
from schemas.records.charge_events import BillIssued, ChargeStarted, ChargeStartFailed, ChargeStopped

CENTS = Decimal("0.10")


def _started(seq: str, connector: str = "c1") -> ChargeStarted:
    return ChargeStarted(seq, connector, "e", "s", 3, 1000, 500)


def test_a_charge_is_complete_when_it_has_stopped() -> None:
    book = Book({"c1"})
    book.enter(_started("a"))
    assert book.complete() == [] and book.charges()[0].energy_wh is None
    book.enter(ChargeStopped("a", "c1", 9000, 1500, 4))
    bill = BillIssued("a", "c1", 9500, Decimal("1.00"), CENTS, CENTS, CENTS + CENTS)
    book.enter(bill)
    charge = book.get("a")
    assert charge is not None and charge.complete and charge.to_be_billed
    assert (charge.energy_wh, charge.stop_reason, charge.stopped_at, charge.bill) == (1000, 4, 9000, bill)


def test_lost_are_the_ended_charges_that_are_missing_elsewhere() -> None:
    book = Book(())
    for seq in "abc":
        book.enter(_started(seq))
    for seq in "ab":
        book.enter(ChargeStopped(seq, "c1", 9000, 1500, 0))
    assert [charge.start_charge_seq for charge in book.lost(["a"])] == ["b"]
    assert not book.charges()[0].to_be_billed


def test_failed_starts_are_no_charges() -> None:
    book = Book(())
    book.enter(ChargeStartFailed("x", "c1", "e", "s", 1, 1000, 3))
    assert book.charges() == []


def test_a_full_book_drops_its_oldest_ended_charge() -> None:
    book = Book((), max_charges=2)
    book.enter(_started("running"))
    book.enter(_started("ended"))
    book.enter(ChargeStopped("ended", "c1", 9000, 1500, 0))
    book.enter(_started("new"))
    assert [charge.start_charge_seq for charge in book.charges()] == ["running", "new"]
