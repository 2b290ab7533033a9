from decimal import Decimal
from types import ModuleType

import pytest

from connectors.interfaces import charge_order_info, charge_order_info_for_bonus, check_charge_orders
from connectors.interfaces.outcome import Outcome, Verdict
from connectors.interfaces.registry import _interface, interfaces
from connectors.protocol.errors import BadPayload, Misconfigured, Retryable
from tests.connectors.protocol.vectors import sample

_SUCCESS = [
    "notification_start_charge_result",
    "notification_equip_charge_status",
    "notification_stop_charge_result",
]
_CONFIRMATION = [charge_order_info.INTERFACE, charge_order_info_for_bonus.INTERFACE]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0, Outcome(Verdict.DONE)),
        ("0", Outcome(Verdict.DONE)),
        (1, Outcome(Verdict.IGNORED, 1)),
        (7, Outcome(Verdict.REFUSED, 7)),
    ],
)
def test_status(status: object, outcome: Outcome) -> None:
    assert interfaces()["notification_stationStatus"].outcome({"Status": status}) == outcome


@pytest.mark.parametrize("name", _SUCCESS)
@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        ({"SuccStat": 0, "FailReason": 0}, Outcome(Verdict.DONE)),
        ({"StartChargeSeq": "1", "SuccStat": 0}, Outcome(Verdict.DONE)),
        ({"succStat": "0"}, Outcome(Verdict.DONE)),
        ({"SuccStat": 1, "FailReason": 1}, Outcome(Verdict.REFUSED, 1)),
        ({"SuccStat": 1, "FailReason": 9}, Outcome(Verdict.REFUSED, 9)),
        ({"SuccStat": 1}, Outcome(Verdict.REFUSED, 1)),
    ],
)
def test_success(name: str, response: dict[str, object], outcome: Outcome) -> None:
    assert interfaces()[name].outcome(response) == outcome


@pytest.mark.parametrize("name", _CONFIRMATION)
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome(Verdict.DONE)),
        (1, Outcome(Verdict.DISPUTED, 1)),
        (2, Outcome(Verdict.CUSTOM, 2)),
        (99, Outcome(Verdict.CUSTOM, 99)),
    ],
)
def test_confirmation(name: str, code: int, outcome: Outcome) -> None:
    assert interfaces()[name].outcome({"ConfirmResult": code}) == outcome


@pytest.mark.parametrize("code", [100, -1])
def test_a_confirmation_out_of_range_is_no_answer(code: int) -> None:
    with pytest.raises(BadPayload, match="ConfirmResult: is out of range"):
        charge_order_info.outcome({"ConfirmResult": code})


@pytest.mark.parametrize("name", sorted(interfaces()))
def test_an_empty_answer_leaves_the_outcome_unknown(name: str) -> None:
    with pytest.raises(BadPayload) as caught:
        interfaces()[name].outcome({})
    assert isinstance(caught.value, Retryable)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("02_notification_stationStatus_request.json", "notification_stationStatus"),
        ("10_beijing_bonus_order_shape.json", "notification_charge_order_info_for_bonus"),
    ],
)
def test_published_answers(file: str, name: str) -> None:
    assert interfaces()[name].outcome(sample(file)["response"]) == Outcome(Verdict.DONE)


def test_a_check_and_its_disputes() -> None:
    dispute = {"StartChargeSeq": "A1", "TotalPower": Decimal("1.50"), "TotalMoney": "2", "DisputeReason": 2}
    response: dict[str, object] = {"CheckOrderSeq": "C", "TotalDisputeOrder": 1, "DisputeOrders": [dispute]}
    assert check_charge_orders.outcome(response) == Outcome(Verdict.DISPUTED, 1)
    found = check_charge_orders.disputes(response)
    expected = check_charge_orders.OrderDispute("A1", Decimal("1.50"), Decimal(2), 2)
    assert found == (expected,)
    for fine in ({"CheckOrderSeq": "C"}, {"TotalDisputeOrder": 0, "DisputeOrders": None}):
        assert check_charge_orders.outcome(fine) == Outcome(Verdict.DONE)
    # A count without a list is a dispute all the same.
    assert check_charge_orders.outcome({"TotalDisputeOrder": 2}) == Outcome(Verdict.DISPUTED, 2)


@pytest.mark.parametrize("orders", [{}, "x", [1], [{}], [{"StartChargeSeq": "A"}]])
def test_a_list_of_disputes_that_is_none(orders: object) -> None:
    with pytest.raises(BadPayload):
        check_charge_orders.outcome({"CheckOrderSeq": "C", "DisputeOrders": orders})


def test_every_file_that_has_a_payload_is_an_interface() -> None:
    found = interfaces()
    assert list(found) == [found[name].name for name in found]
    assert len({interface.payload for interface in found.values()}) == len(found) == 7


def test_a_file_that_lacks_a_part_is_named() -> None:
    module = ModuleType("connectors.interfaces.half")
    module.INTERFACE = "notification_half"  # type: ignore[attr-defined]
    with pytest.raises(Misconfigured, match=r"connectors\.interfaces\.half: an interface needs RECORD"):
        _interface(module)
