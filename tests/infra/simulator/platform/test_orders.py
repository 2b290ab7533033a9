"""Orders: confirmed once and again, disputed when changed, and checked against what was confirmed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.checks import Contested
from infra.simulator.platform.confirmed import ConfirmedOrders
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.threaded import PlatformThread
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.operator_side import OperatorSide


@pytest.mark.parametrize("interface", sorted(names.ORDERS))
class TestRepeats:
    def test_the_same_order_is_confirmed_again(self, interface: str, city: PlatformThread, side: OperatorSide) -> None:
        payload = payloads.GOOD[interface]()
        turned = dict(reversed(payload.items()))
        results = [side.push(interface, sent).data["ConfirmResult"] for sent in (payload, payload, turned)]
        assert results == [0, 0, 0]
        assert (city.ledger.count(interface), city.ledger.duplicates(interface)) == (3, 2)
        assert city.ledger.unique(interface) == 1
        assert city.ledger.times(interface, payloads.SEQ) == 3
        assert [receipt.times for receipt in city.ledger.received(interface)] == [1, 2, 3]
        assert city.ledger.violations_of(Kind.ORDER_CHANGED) == []

    def test_a_changed_order_is_disputed(self, interface: str, city: PlatformThread, side: OperatorSide) -> None:
        payload = payloads.GOOD[interface]()
        side.push(interface, payload)
        reply = side.push(interface, {**payload, "StopReason": 4})
        assert (reply.ret, reply.data["ConfirmResult"]) == (0, 1)
        assert [found.key for found in city.ledger.violations_of(Kind.ORDER_CHANGED)] == [payloads.SEQ]
        assert city.ledger.orders[payloads.SEQ]["StopReason"] == 0
        assert (city.ledger.count(interface), city.ledger.duplicates(interface)) == (1, 0)


def test_both_order_interfaces_are_one_order(city: PlatformThread, side: OperatorSide) -> None:
    side.push(names.ORDER, payloads.order())
    assert side.push(names.BONUS_ORDER, payloads.bonus_order()).data["ConfirmResult"] == 0
    assert city.ledger.orders[payloads.SEQ] == payloads.bonus_order()
    assert city.ledger.duplicates(names.BONUS_ORDER) == 0


def test_the_order_interfaces_must_not_contradict_each_other(side: OperatorSide) -> None:
    contrary = {
        **payloads.order(),
        "TotalElecMoney": Decimal("14.01"),
        "TotalMoney": Decimal("20.18"),
        "SumPeriod": 0,
        "ChargeDetails": [],
    }
    side.push(names.BONUS_ORDER, payloads.bonus_order())
    assert side.push(names.ORDER, contrary).data["ConfirmResult"] == 1


class TestCheck:
    def test_what_differs_is_disputed_with_its_reason(self, city: PlatformThread, side: OperatorSide) -> None:
        for seq in ("a", "b", "c"):
            side.push(names.BONUS_ORDER, payloads.bonus_order(seq))
        reply = side.push(
            names.CHECK_ORDERS,
            payloads.check_orders(
                ("a", "12.34", "19.18"), ("b", "12.34", "19.17"), ("c", "12.35", "19.18"), ("d", "1.00", "2.00")
            ),
        )
        assert [(order["StartChargeSeq"], order["DisputeReason"]) for order in reply.data["DisputeOrders"]] == [
            ("b", 2),
            ("c", 3),
            ("d", 1),
        ]
        assert reply.data["TotalDisputeOrder"] == 3
        assert reply.data["TotalDisputePower"] == 25.69
        assert reply.data["TotalDisputeMoney"] == 40.35
        assert city.ledger.violations_of(Kind.UNLISTED) == []

    def test_an_order_left_out_is_recorded(self, city: PlatformThread, side: OperatorSide) -> None:
        side.push(names.BONUS_ORDER, payloads.bonus_order("a"))
        side.push(names.BONUS_ORDER, {**payloads.bonus_order("by card"), "ChargeModel": 2})
        for _ in range(2):
            assert side.push(names.CHECK_ORDERS, payloads.check_orders()).data["TotalDisputeOrder"] == 0
        assert [found.message for found in city.ledger.violations_of(Kind.UNLISTED)] == ["a is missing"]

    def test_an_order_that_an_earlier_check_had_is_not_left_out(self, city: PlatformThread, side: OperatorSide) -> None:
        for seq in ("a", "b"):
            side.push(names.BONUS_ORDER, payloads.bonus_order(seq))
        for number, seq in enumerate(("a", "b")):
            check = payloads.check_orders((seq, "12.34", "19.18"))
            side.push(names.CHECK_ORDERS, {**check, "CheckOrderSeq": f"check {number}"})
        assert [found.message for found in city.ledger.violations_of(Kind.UNLISTED)] == ["b is missing"]

    def test_another_request_under_the_same_seq_is_refused(self, city: PlatformThread, side: OperatorSide) -> None:
        for _ in range(2):
            assert side.push(names.CHECK_ORDERS, payloads.check_orders(("a", "1.00", "2.00"))).ret == 0
        reply = side.push(names.CHECK_ORDERS, payloads.check_orders(("a", "1.00", "2.01")))
        assert (reply.ret, city.ledger.violation_counts[Kind.CHECK_CHANGED]) == (4004, 1)
        assert city.ledger.violations_of(Kind.CHECKED_TWICE) == []

    def test_an_order_in_two_requests_is_recorded(self, city: PlatformThread, side: OperatorSide) -> None:
        check = payloads.check_orders(("a", "1.00", "2.00"))
        for seq in ("one", "two"):
            assert side.push(names.CHECK_ORDERS, {**check, "CheckOrderSeq": seq}).ret == 0
        assert [v.message for v in city.ledger.violations_of(Kind.CHECKED_TWICE)] == ["a was in one already"]

    def test_what_it_is_told_to_contest_is_contested(self, city: PlatformThread, side: OperatorSide) -> None:
        side.push(names.BONUS_ORDER, payloads.bonus_order("a"))
        check = payloads.check_orders(("a", "12.34", "19.18"))
        city.platform.contested.add({"a": 7})
        assert [one["DisputeReason"] for one in side.push(names.CHECK_ORDERS, check).data["DisputeOrders"]] == [7]
        city.platform.contested.add({"a": 0})
        assert side.push(names.CHECK_ORDERS, check).data["DisputeOrders"] == []

    def test_an_order_that_it_knows_without_a_push(self, city: PlatformThread, side: OperatorSide) -> None:
        city.platform.confirmed.know({**payloads.bonus_order("a"), "ChargeModel": 1})
        assert side.push(names.CHECK_ORDERS, payloads.check_orders(("a", "12.34", "19.18"))).data["DisputeOrders"] == []

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("OrderCount", 2),
            ("TotalOrderPower", Decimal("12.35")),
            ("TotalOrderMoney", Decimal("19.19")),
            ("EndTime", "2026-03-03 00:00:00"),
        ],
    )
    def test_a_head_that_contradicts_the_list_is_refused(self, field: str, value: object, side: OperatorSide) -> None:
        payload = payloads.check_orders(("a", "12.34", "19.18"))
        reply = side.push(names.CHECK_ORDERS, {**payload, field: value})
        assert (reply.ret, reply.msg.split(":")[0]) == (4004, field)

    def test_an_order_listed_twice_is_refused(self, side: OperatorSide) -> None:
        once = ("a", "12.34", "19.18")
        assert "twice" in side.push(names.CHECK_ORDERS, payloads.check_orders(once, once)).msg


def test_the_oldest_order_is_forgotten() -> None:
    confirmed = ConfirmedOrders(1)
    for seq in ("a", "b"):
        assert confirmed.confirm(names.ORDER, payloads.order(seq), 1) is None
    asked = payloads.check_orders(("a", "12.34", "19.18"), ("b", "12.34", "19.18"))
    answer = confirmed.reconcile(asked, Contested())
    assert [order["StartChargeSeq"] for order in answer["DisputeOrders"]] == ["a"]
