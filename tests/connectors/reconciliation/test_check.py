"""The check of a day on a real broker, a real ClickHouse and over real HTTP."""

import threading
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.policies import Reconciliation, Scope
from connectors.reconciliation.book import Book
from connectors.reconciliation.days import DAY_MS
from connectors.reconciliation.service import check_day
from connectors.reconciliation.settings import NightlySettings
from connectors.warehouse.client import WarehouseClient
from infra.simulator.platform.faults import FaultKind
from schemas.records.faults import DeadLetter
from tests.connectors.reconciliation.at_night import (
    CODEC,
    DAY,
    NIGHT,
    PATIENCE_S,
    Clock,
    Stand,
    day_of_orders,
    know,
    order,
    put_into,
    wire,
)

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]


def check(stand: Stand, settings: NightlySettings | None = None, clock: Callable[[], int] | None = None) -> Book:
    """The day's check, whole."""
    with closing(WarehouseClient(stand.warehouse)) as client:
        found = check_day(
            settings or stand.settings(), client, DAY, threading.Event(), lambda _: None, clock or Clock()
        )
    return found["beijing"]


def total(payloads: list[dict[str, Any]], field: str) -> Decimal:
    return sum((payload[field] for payload in payloads), Decimal(0))


def test_a_day_is_told_of_whole_and_to_the_cent(stand: Stand) -> None:
    orders = day_of_orders(95)
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    sums = check(stand).sums(DAY)
    asked = stand.asked()
    assert [len(payload["ChargeOrders"]) for payload in asked] == [10] * 9 + [5]
    listed = [one["StartChargeSeq"] for payload in asked for one in payload["ChargeOrders"]]
    assert listed == [one.start_charge_seq for one in orders]
    assert total(asked, "TotalOrderPower") == sums.energy_kwh == sum(one.energy_kwh for one in orders)
    assert total(asked, "TotalOrderMoney") == sums.total_money == sum(one.total_money for one in orders)
    assert asked[0]["StartTime"] == f"{DAY} 00:00:00"
    assert asked[-1]["EndTime"] == f"{DAY} 23:59:59"
    seqs = [payload["CheckOrderSeq"] for payload in asked]
    assert {len(seq) for seq in seqs} == {27}
    assert len(set(seqs)) == 10
    assert (sums.orders, sums.requests, sums.open, sums.refused, sums.disputes) == (95, 10, 0, 0, 0)
    stand.sound()
    lines = stand.attempts(10)
    assert [(one.key, one.outcome, one.due_at) for one in lines] == [(seq, "DONE", NIGHT - 1_800_000) for seq in seqs]


def test_a_day_that_is_over_with_is_not_told_of_again(stand: Stand) -> None:
    put_into(stand.warehouse, day_of_orders(12))
    know(stand.city, day_of_orders(12))
    assert check(stand).sums(DAY) == check(stand).sums(DAY)
    assert stand.city.ledger.count("check_charge_orders") == 2
    assert len(stand.attempts(2)) == 2


def test_what_turns_up_later_goes_into_a_request_of_its_own(stand: Stand) -> None:
    early, late = day_of_orders(12), day_of_orders(3, first=100)
    put_into(stand.warehouse, early)
    know(stand.city, early)
    check(stand)
    put_into(stand.warehouse, late)
    know(stand.city, late)
    sums = check(stand).sums(DAY)
    assert (sums.orders, sums.late_orders, sums.requests) == (15, 3, 3)
    last = stand.asked()[-1]
    assert [one["StartChargeSeq"] for one in last["ChargeOrders"]] == [one.start_charge_seq for one in late]
    assert (last["StartTime"], last["EndTime"]) == (wire(late[0].ended_at), wire(late[-1].ended_at))
    stand.sound()


def test_a_day_without_orders(stand: Stand) -> None:
    assert check(stand).sums(DAY).requests == 1
    (asked,) = stand.asked()
    assert (asked["OrderCount"], asked["TotalOrderPower"], asked["ChargeOrders"]) == (0, Decimal("0.00"), [])
    assert (asked["StartTime"], asked["EndTime"]) == (f"{DAY} 00:00:00", f"{DAY} 23:59:59")


def test_a_day_without_orders_is_not_told_of_where_the_profile_says_so(stand: Stand) -> None:
    assert check(stand, stand.settings(Reconciliation(report_empty_days=False))).sums(DAY).requests == 0
    assert stand.asked() == []


def test_only_what_is_the_platforms_to_know(stand: Stand) -> None:
    """Other start modes, other days and, by the scope, other stations are left out; an order that was billed after it
    had been made counts once, as it was billed."""
    midnight = NIGHT - 1_800_000
    mine = [
        order(1, midnight - 1),
        order(2, midnight - DAY_MS),
        order(3, midnight - 5_000_000, billed=False, total_money=Decimal("9.99")),
        order(3, midnight - 5_000_000),
    ]
    others = [
        order(4, midnight),
        order(5, midnight - DAY_MS - 1),
        order(6, midnight - 5_000_000, charge_model=2),
        order(7, midnight - 5_000_000, station_id="S2"),
    ]
    put_into(stand.warehouse, mine + others)
    know(stand.city, mine)
    check(stand, stand.settings(scope=Scope(stations=frozenset({"S1"}))))
    (asked,) = stand.asked()
    assert {one["StartChargeSeq"][-1]: one["TotalMoney"] for one in asked["ChargeOrders"]} == {
        one.start_charge_seq[-1]: one.total_money for one in (mine[0], mine[1], mine[3])
    }


def test_a_day_may_be_that_of_the_start(stand: Stand) -> None:
    midnight = NIGHT - 1_800_000
    over_midnight, of_the_day_before = order(1, midnight + 1_000_000), order(2, midnight - DAY_MS + 1_000_000)
    put_into(stand.warehouse, [over_midnight, of_the_day_before])
    know(stand.city, [over_midnight, of_the_day_before])
    check(stand, stand.settings(Reconciliation(day_of="start")))
    (asked,) = stand.asked()
    assert [one["StartChargeSeq"] for one in asked["ChargeOrders"]] == [over_midnight.start_charge_seq]


def test_stations_that_the_catalog_does_not_know_are_told_of(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    put_into(stand.warehouse, [order(1, NIGHT - 5_000_000)])
    check(stand, stand.settings(scope=Scope(areas=("11",))))
    assert stand.asked()[0]["OrderCount"] == 0
    assert f"1 orders can't be checked: {order(1, 0).start_charge_seq} (no station S1 in the catalog)" in caplog.text


def test_what_the_platform_contests_is_kept(stand: Stand) -> None:
    orders = day_of_orders(25)
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    stand.city.platform.contested.add({orders[3].start_charge_seq: 2, orders[24].start_charge_seq: 99})
    sums = check(stand).sums(DAY)
    assert (sums.requests, sums.disputes, sums.open) == (3, 2, 0)
    kept = stand.disputes(2)
    assert [(one.start_charge_seq, one.connector_id, one.code, one.energy_kwh, one.total_money) for one in kept] == [
        (one.start_charge_seq, one.connector_id, code, one.energy_kwh, one.total_money)
        for one, code in ((orders[3], 2), (orders[24], 99))
    ]
    assert [line.outcome for line in stand.attempts(3)] == ["CONTESTED", "DONE", "CONTESTED"]


@pytest.mark.parametrize(
    ("fault", "outcomes"),
    [
        (FaultKind.RET_BUSY, ["AGAIN", "AGAIN", "DONE"]),
        (FaultKind.RESET, ["AGAIN", "DONE"]),  # a kept connection that ends is replaced once
        (FaultKind.BAD_SIGNATURE, ["AGAIN", "AGAIN", "DONE"]),
        (FaultKind.RET_4001, ["PAUSED", "PAUSED", "DONE"]),
        (FaultKind.RET_4002, ["RENEWED", "AGAIN", "DONE"]),
    ],
)
def test_a_platform_that_fails_twice(fault: FaultKind, outcomes: list[str], stand: Stand) -> None:
    orders = day_of_orders(5)
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    stand.city.faults.inject(fault, "check_charge_orders", count=2)
    sums = check(stand).sums(DAY)
    assert (sums.requests, sums.open, sums.refused) == (1, 0, 0)
    assert len(stand.asked()) == 1
    assert set(stand.city.ledger.violation_counts) <= {"token"}
    assert [line.outcome for line in stand.attempts(len(outcomes))] == outcomes


def test_a_request_that_the_platform_never_takes_is_given_up(stand: Stand) -> None:
    """The others go on, and what is sent again is the same."""
    orders = day_of_orders(25)
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    stand.city.faults.inject(FaultKind.RET_4004, "check_charge_orders", count=1)
    sums = check(stand).sums(DAY)
    assert (sums.requests, sums.open, sums.refused) == (3, 0, 1)
    (letter,) = [CODEC.decode_as(DeadLetter, value) for value in stand.values("order-checks-dlq", 1)]
    assert letter.reason == "rejected_by_platform"
    producer = Producer(stand.kafka.producer_config())
    producer.produce(stand.kafka.topic("order-checks"), letter.value, letter.key)
    assert producer.flush(PATIENCE_S) == 0
    sums = check(stand).sums(DAY)
    assert (sums.requests, sums.open, sums.refused) == (3, 0, 0)
    assert {one["StartChargeSeq"] for payload in stand.asked() for one in payload["ChargeOrders"]} == {
        one.start_charge_seq for one in orders
    }
    stand.sound()
