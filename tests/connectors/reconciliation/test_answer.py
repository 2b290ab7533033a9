"""What a platform's answer says, whatever nonsense is in it."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.interfaces.outcome import DONE, Outcome, Verdict
from connectors.protocol.errors import BadPayload
from connectors.reconciliation.answer import Answer
from schemas.codec import codec_for
from schemas.records.order_checks import OrderCheckPlanned, PlannedOrder

SEQ = "12345678920261125CC49000001"
ORDERS = (
    PlannedOrder("a", "C1", Decimal("1.00"), Decimal("2.00")),
    PlannedOrder("b", "C2", Decimal("3.00"), Decimal("4.50")),
)
CHECK = OrderCheckPlanned("beijing", "2026-11-25", 1, SEQ, 0, 1, False, 2, ORDERS)


def item(
    seq: object = "a", power: object = Decimal("1.00"), money: object = Decimal("2.00"), reason: object = 2
) -> Any:
    return {"StartChargeSeq": seq, "TotalPower": power, "TotalMoney": money, "DisputeReason": reason}


def response(*items: Any, **changed: object) -> dict[str, object]:
    return {
        "CheckOrderSeq": SEQ,
        "TotalDisputeOrder": len(items),
        "TotalDisputePower": sum((one["TotalPower"] for one in items), Decimal(0)),
        "TotalDisputeMoney": sum((one["TotalMoney"] for one in items), Decimal(0)),
        "DisputeOrders": list(items),
        **changed,
    }


def test_content() -> None:
    answer = Answer(CHECK)
    assert answer.outcome(response()) == DONE
    assert answer.outcome({"CheckOrderSeq": SEQ}) == DONE
    assert answer.outcome({"checkOrderSeq": SEQ, "DisputeOrders": None}) == DONE
    assert answer.disputes(0) == []


def test_a_dispute_is_told_with_what_we_reported() -> None:
    answer = Answer(CHECK)
    said = response(item("b", Decimal("9.00"), Decimal("8.00"), 3))
    assert answer.outcome(said) == Outcome(Verdict.DISPUTED, 1)
    (found,) = answer.disputes(77)
    assert (found.start_charge_seq, found.connector_id, found.code) == ("b", "C2", 3)
    assert (found.energy_kwh, found.total_money, found.disputed_at) == (Decimal("3.00"), Decimal("4.50"), 77)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "CheckOrderSeq: is missing"),
        (response(CheckOrderSeq="x" * 5000), "of another request"),
        (response(CheckOrderSeq=5), "CheckOrderSeq: is not a string"),
        (response(item(), TotalDisputeOrder=2), "TotalDisputeOrder: is 2, but 1 are listed"),
        (response(item(), TotalDisputeOrder="many"), "TotalDisputeOrder: is not an integer"),
        (response(item(), TotalDisputePower=Decimal("1.01")), "TotalDisputePower: is 1.01"),
        (response(item(), TotalDisputeMoney=[]), "TotalDisputeMoney: is not a number"),
        (response(DisputeOrders="a"), "DisputeOrders: is not a list"),
        (response(DisputeOrders=[5]), "is no object"),
        (response(DisputeOrders=[item(reason=None)]), "DisputeReason: is missing"),
    ],
)
def test_an_answer_that_can_not_be_relied_on(said: dict[str, object], why: str) -> None:
    with pytest.raises(BadPayload, match=why.replace(".", r"\.")) as caught:
        Answer(CHECK).outcome(said)
    assert len(str(caught.value)) < 300


def test_what_it_says_of_orders_is_kept_although_it_does_not_add_up() -> None:
    answer = Answer(CHECK)
    with pytest.raises(BadPayload):
        answer.outcome(response(item("a"), item("b"), TotalDisputeOrder=1))
    assert [one.start_charge_seq for one in answer.disputes(0)] == ["a", "b"]


@pytest.mark.parametrize(
    ("said", "code", "energy", "money"),
    [
        (item("unknown"), 2, "1.00", "2.00"),
        (item("unknown", Decimal("1.005"), Decimal("-2")), 2, "1.00", "-2.00"),
        (item("unknown", Decimal(10**11), Decimal(1), 99), 99, "100000000000.00", "1.00"),
        (item("x" * 10_000), 2, "1.00", "2.00"),
        (item("unknown", reason=-1), 0, "1.00", "2.00"),
        (item("unknown", reason=10**11), 0, "1.00", "2.00"),
        (item(""), 2, "1.00", "2.00"),
    ],
)
def test_absurd_disputes_are_records_all_the_same(said: Any, code: int, energy: str, money: str) -> None:
    answer = Answer(CHECK)
    assert answer.outcome(response(said)).verdict is Verdict.DISPUTED
    (found,) = answer.disputes(0)
    assert (found.code, found.energy_kwh, found.total_money) == (code, Decimal(energy), Decimal(money))
    assert found.connector_id == ""
    assert len(found.start_charge_seq) <= 64
    codec = codec_for("")
    assert codec.decode(codec.encode(found)) == found
