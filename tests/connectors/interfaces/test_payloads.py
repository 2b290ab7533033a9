"""Every interface's payload against a golden text, the published samples' shapes, and the rules for odd records."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.interfaces import (
    charge_order_info,
    charge_order_info_for_bonus,
    check_charge_orders,
    equip_charge_status,
    start_charge_result,
    station_status,
    stop_charge_result,
)
from connectors.interfaces.check_charge_orders import OrderCheck
from connectors.interfaces.dialect import STANDARD
from connectors.interfaces.registry import interfaces
from connectors.protocol import wire_json
from connectors.protocol.errors import Final, Unreportable
from schemas.records.derived import ProgressKind
from tests.connectors.interfaces import golden, records
from tests.connectors.protocol.vectors import sample

GOLDEN: list[tuple[str, Any, str]] = [
    ("notification_stationStatus", records.STATUS, golden.STATUS),
    ("notification_start_charge_result", records.STARTED_WELL, golden.STARTED_WELL),
    ("notification_equip_charge_status", records.PROGRESS, golden.PROGRESS),
    ("notification_stop_charge_result", records.STOPPED_WELL, golden.STOPPED_WELL),
    ("notification_charge_order_info", records.ORDER, golden.ORDER),
    ("notification_charge_order_info_for_bonus", records.ORDER, golden.BONUS),
    ("check_charge_orders", records.CHECK, golden.CHECK),
]


def names(value: object) -> Iterator[str]:
    """Every field's name, at any depth."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names(item)
    if isinstance(value, dict):
        yield from value


def test_every_interface_has_its_golden_payload() -> None:
    assert {name for name, _, _ in GOLDEN} == set(interfaces())


@pytest.mark.parametrize(("name", "record", "expected"), GOLDEN, ids=[name for name, _, _ in GOLDEN])
def test_the_payload_to_the_byte(name: str, record: Any, expected: str) -> None:
    interface = interfaces()[name]
    assert type(record) is interface.record
    payload = interface.payload(record, STANDARD)
    assert wire_json.encode(payload).decode() == expected
    assert set(names(payload)) == interface.fields


@pytest.mark.parametrize(
    ("file", "expected", "without"),
    [
        ("02_notification_stationStatus_request.json", golden.STATUS, set()),
        ("06_notification_charge_order_info_2019_teld.json", golden.ORDER, set()),
        ("10_beijing_bonus_order_shape.json", golden.BONUS, set()),
        (
            "04_notification_charge_order_info_2020.json",
            golden.ORDER,
            # A later variant's own fields.
            {"MeterNumStart", "MeterNumEnd", "AccountDate"}
            | {f"Total{whose}{what}Money" for whose in ("Original", "Business") for what in ("", "Elec", "Sevice")},
        ),
    ],
)
def test_the_published_shapes(file: str, expected: str, without: set[str]) -> None:
    printed = sample(file)
    published = json.loads(printed["payload_text"]) if "payload_text" in printed else printed["payload"]
    ours = json.loads(expected)

    def shape(value: Any, at: str = "") -> dict[str, str]:
        if isinstance(value, dict):
            return {k: v for key, item in value.items() for k, v in shape(item, f"{at}.{key}").items()}
        if isinstance(value, list):
            return shape(value[0], f"{at}[]") if value else {}
        return {at: "number" if isinstance(value, (int, float)) else type(value).__name__}

    theirs = {key: kind for key, kind in shape(published).items() if key.removeprefix(".") not in without}
    assert theirs.items() <= shape(ours).items()


def test_a_failed_start_has_ended() -> None:
    assert start_charge_result.payload(records.STARTED_NOT, STANDARD)["StartChargeSeqStat"] == 4


@pytest.mark.parametrize(
    ("succeeded", "reason", "stat", "shown"),
    [(True, 0, 4, (0, 0)), (True, 9, 4, (0, 0)), (False, 3, 4, (1, 3)), (False, 2, 5, (1, 2))],
)
def test_a_stop_and_its_failures(succeeded: bool, reason: int, stat: int, shown: tuple[int, int]) -> None:
    record = replace(records.STOPPED_WELL, succeeded=succeeded, fail_reason=reason)
    payload = stop_charge_result.payload(record, STANDARD)
    assert payload["StartChargeSeqStat"] == stat
    assert (payload["SuccStat"], payload["FailReason"]) == shown


@pytest.mark.parametrize("kind", [ProgressKind.STARTED, ProgressKind.PERIODIC])
def test_a_running_charge_is_charging(kind: ProgressKind) -> None:
    payload = equip_charge_status.payload(replace(records.PROGRESS, kind=kind), STANDARD)
    assert payload["StartChargeSeqStat"] == 2


def test_a_stopped_charge_has_no_current() -> None:
    payload = equip_charge_status.payload(records.STOPPED, STANDARD)
    assert (payload["StartChargeSeqStat"], payload["ConnectorStatus"]) == (4, 2)
    assert [str(payload[f"Current{phase}"]) for phase in "ABC"] == ["0.0"] * 3
    assert [str(payload[f"Voltage{phase}"]) for phase in "ABC"] == ["380.0", "380.0", "0.0"]
    assert payload["Soc"] == 55


def test_a_charge_without_a_sample_is_all_zero() -> None:
    payload = equip_charge_status.payload(replace(records.PROGRESS, sample=None, periods=()), STANDARD)
    readings = [str(payload[f"{what}{phase}"]) for what in ("Current", "Voltage") for phase in "ABC"]
    assert readings == ["0.0"] * 6
    assert payload["Soc"] == 0
    assert (payload["SumPeriod"], payload["ChargeDetails"]) == (0, [])


def test_readings_that_are_no_numbers_are_zero() -> None:
    sample = replace(records.SAMPLE, current_a=float("nan"), current_b=float("inf"), voltage_a=1.7e308)
    payload = equip_charge_status.payload(replace(records.PROGRESS, sample=sample), STANDARD)
    assert [payload[name] for name in ("CurrentA", "CurrentB", "VoltageA")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("status", "shown"), [(0, 255), (1, 1), (2, 2), (3, 3), (4, 4), (255, 255), (7, 255), (-1, 255)]
)
def test_connector_status_keeps_to_the_list_for_charges(status: int, shown: int) -> None:
    payload = equip_charge_status.payload(replace(records.PROGRESS, connector_status=status), STANDARD)
    assert payload["ConnectorStatus"] == shown


def test_more_periods_than_can_be_said_go_unsaid() -> None:
    progress = equip_charge_status.payload(
        replace(records.PROGRESS, periods=records.PROGRESS.periods[:1] * 33), STANDARD
    )
    order = charge_order_info.payload(replace(records.ORDER, periods=records.ORDER.periods[:1] * 33), STANDARD)
    for payload in (progress, order):
        assert (payload["SumPeriod"], payload["ChargeDetails"]) == (0, [])
    full = charge_order_info.payload(replace(records.ORDER, periods=records.ORDER.periods[:1] * 32), STANDARD)
    assert full["SumPeriod"] == 32


def test_charge_last_is_the_difference_of_the_printed_times() -> None:
    record = replace(records.ORDER, started_at=records.STARTED + 999, ended_at=records.STARTED + 2000)
    assert charge_order_info_for_bonus.payload(record, STANDARD)["ChargeLast"] == 2


def test_a_check_without_orders() -> None:
    payload = check_charge_orders.payload(OrderCheck("C1", 0, 1000, ()), STANDARD)
    assert wire_json.encode(payload) == (
        b'{"CheckOrderSeq":"C1","StartTime":"1970-01-01 08:00:00","EndTime":"1970-01-01 08:00:01",'
        b'"OrderCount":0,"TotalOrderPower":0.00,"TotalOrderMoney":0.00,"ChargeOrders":[]}'
    )


def test_nothing_is_minus_zero() -> None:
    record = replace(records.ORDER, service_money=Decimal("-0.001"))
    assert str(charge_order_info.payload(record, STANDARD)["TotalSeviceMoney"]) == "0.00"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e40"])
def test_an_amount_that_is_no_number_is_final(value: str) -> None:
    with pytest.raises(Unreportable, match="TotalPower") as caught:
        charge_order_info.payload(replace(records.ORDER, energy_kwh=Decimal(value)), STANDARD)
    assert isinstance(caught.value, Final)
    assert caught.value.field == "TotalPower"


def test_an_instant_beyond_the_calendar_is_final() -> None:
    with pytest.raises(Final):
        charge_order_info.payload(replace(records.ORDER, ended_at=2**60), STANDARD)


def test_identifiers_must_fit_and_names_are_cut() -> None:
    with pytest.raises(Unreportable, match="ConnectorID: has 27 characters, 26 are allowed"):
        station_status.payload(replace(records.STATUS, connector_id="1" * 27), STANDARD)
    for order in (
        replace(records.ORDER, start_charge_seq="1" * 28),
        replace(records.ORDER, equipment_id="1" * 24),
        replace(records.ORDER, station_id="1" * 21),
    ):
        with pytest.raises(Unreportable):
            charge_order_info_for_bonus.payload(order, STANDARD)
    payload = charge_order_info_for_bonus.payload(replace(records.ORDER, user_name="王" * 21), STANDARD)
    assert payload["UserName"] == "王" * 20
