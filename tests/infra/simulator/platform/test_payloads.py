"""The field tables and the rules over real HTTP: good payloads are accepted, each kind of bad one is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.threaded import PlatformThread
from infra.simulator.platform.wire_json import Payload, dump
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.operator_side import OperatorSide

ANSWERS: dict[str, Payload] = {
    names.STATION_STATUS: {"Status": 0},
    names.START_RESULT: {"StartChargeSeq": payloads.SEQ, "SuccStat": 0, "FailReason": 0},
    names.CHARGE_STATUS: {"StartChargeSeq": payloads.SEQ, "SuccStat": 0},
    names.STOP_RESULT: {"StartChargeSeq": payloads.SEQ, "SuccStat": 0, "FailReason": 0},
    names.ORDER: {"StartChargeSeq": payloads.SEQ, "ConnectorID": payloads.CONNECTOR, "ConfirmResult": 0},
    names.BONUS_ORDER: {
        "StartChargeSeq": payloads.SEQ,
        "ConnectorID": payloads.CONNECTOR,
        "ConfirmResult": 0,
    },
    names.CHECK_ORDERS: {
        "CheckOrderSeq": "123456789202603050100000001",
        "StartTime": "2026-03-04 00:00:00",
        "EndTime": "2026-03-04 23:59:59",
        "TotalDisputeOrder": 0,
        "TotalDisputePower": 0.0,
        "TotalDisputeMoney": 0.0,
        "DisputeOrders": [],
    },
}


@pytest.mark.parametrize("interface", ANSWERS)
def test_a_good_payload_is_accepted(interface: str, city: PlatformThread, side: OperatorSide) -> None:
    reply = side.push(interface, payloads.GOOD[interface]())
    assert (reply.ret, reply.msg, reply.data) == (0, "", ANSWERS[interface])
    assert city.ledger.count(interface) == 1
    assert city.ledger.refused == []


@pytest.mark.parametrize("interface", ANSWERS)
def test_every_mandatory_field_is_missed(interface: str, city: PlatformThread, side: OperatorSide) -> None:
    optional = {"IdentCode", "Vin", "ElecMoney", "SeviceMoney", "CurrentB", "CurrentC", "VoltageB", "VoltageC"}
    if interface == names.START_RESULT:
        optional.add("ChargeModel")
    if interface == names.CHARGE_STATUS:
        optional |= {"SumPeriod", "ChargeDetails", "TotalMoney"}
    if interface == names.ORDER:
        optional |= {"SumPeriod", "ChargeDetails", "TotalElecMoney", "TotalSeviceMoney"}
    for name in payloads.GOOD[interface]():
        payload = payloads.GOOD[interface]()
        del payload[name]
        reply = side.push(interface, payload)
        assert reply.ret == (0 if name in optional else 4004), name
        assert (f"{name}: is mandatory" in reply.msg) == (name not in optional)
    assert city.ledger.violations_of(Kind.UNKNOWN) == []


BAD_FIELDS: list[tuple[str, str, object, Kind]] = [
    (names.START_RESULT, "StartChargeSeq", "1" * 28, Kind.LENGTH),
    (names.START_RESULT, "StartChargeSeq", "", Kind.LENGTH),
    (names.START_RESULT, "StartChargeSeq", 5, Kind.TYPE),
    (names.START_RESULT, "ConnectorID", "1" * 27, Kind.LENGTH),
    (names.START_RESULT, "StartChargeSeqStat", 6, Kind.ENUM),
    (names.START_RESULT, "StartChargeSeqStat", "2", Kind.TYPE),
    (names.START_RESULT, "StartChargeSeqStat", Decimal("2.0"), Kind.TYPE),
    (names.START_RESULT, "StartTime", "2026-3-4 09:30:00", Kind.TIME),
    (names.START_RESULT, "StartTime", "2026-02-30 09:30:00", Kind.TIME),
    (names.START_RESULT, "StartTime", "2026-03-04T09:30:00", Kind.TIME),
    (names.START_RESULT, "StartTime", "2026-03-04 24:00:00", Kind.TIME),
    (names.START_RESULT, "StartTime", 20260304093000, Kind.TYPE),
    (names.START_RESULT, "ChargeModel", 4, Kind.ENUM),
    (names.START_RESULT, "Vin", "V" * 18, Kind.LENGTH),
    (names.START_RESULT, "Vin", None, Kind.TYPE),
    (names.START_RESULT, "Nonsense", 1, Kind.UNKNOWN),
    (names.CHARGE_STATUS, "ConnectorStatus", 0, Kind.ENUM),
    (names.CHARGE_STATUS, "TotalPower", Decimal("4.0"), Kind.SCALE),
    (names.CHARGE_STATUS, "TotalPower", Decimal("4.000"), Kind.SCALE),
    (names.CHARGE_STATUS, "TotalPower", 4, Kind.SCALE),
    (names.CHARGE_STATUS, "TotalPower", "4.00", Kind.TYPE),
    (names.CHARGE_STATUS, "TotalPower", Decimal("-4.00"), Kind.RANGE),
    (names.CHARGE_STATUS, "TotalPower", Decimal("1" * 20 + ".00"), Kind.RANGE),
    (names.CHARGE_STATUS, "CurrentA", Decimal("1.234"), Kind.SCALE),
    (names.CHARGE_STATUS, "CurrentA", True, Kind.TYPE),
    (names.CHARGE_STATUS, "VoltageA", -1, Kind.RANGE),
    (names.CHARGE_STATUS, "Soc", Decimal("100.1"), Kind.RANGE),
    (names.CHARGE_STATUS, "SumPeriod", 33, Kind.RANGE),
    (names.CHARGE_STATUS, "SumPeriod", int("9" * 30), Kind.RANGE),
    (names.CHARGE_STATUS, "ChargeDetails", {}, Kind.TYPE),
    (names.CHARGE_STATUS, "ChargeDetails", payloads.details() * 17, Kind.LENGTH),
    (names.CHARGE_STATUS, "ChargeDetails", ["x"], Kind.TYPE),
    (names.CHARGE_STATUS, "ServiceMoney", Decimal("2.00"), Kind.UNKNOWN),
    (names.STOP_RESULT, "SuccStat", 2, Kind.ENUM),
    (names.STOP_RESULT, "FailReason", 100, Kind.RANGE),
    (names.BONUS_ORDER, "StopReason", -1, Kind.RANGE),
    (names.BONUS_ORDER, "UserName", "u" * 21, Kind.LENGTH),
    (names.BONUS_ORDER, "StationID", "1" * 21, Kind.LENGTH),
    (names.BONUS_ORDER, "EquipmentID", "1" * 24, Kind.LENGTH),
    (names.BONUS_ORDER, "ConnectorPower", Decimal("60.00"), Kind.SCALE),
    (names.BONUS_ORDER, "ChargeLast", Decimal("3600.0"), Kind.TYPE),
    (names.BONUS_ORDER, "TotalMoney", Decimal("19.1"), Kind.SCALE),
    (names.CHECK_ORDERS, "OrderCount", -1, Kind.RANGE),
    (names.STATION_STATUS, "ConnectorStatusInfo", [], Kind.TYPE),
]


@pytest.mark.parametrize(
    ("interface", "field", "value", "kind"),
    BAD_FIELDS,
    ids=[f"{interface}-{field}-{kind}-{index}" for index, (interface, field, _, kind) in enumerate(BAD_FIELDS)],
)
def test_a_bad_field_is_refused(
    interface: str, field: str, value: object, kind: Kind, city: PlatformThread, side: OperatorSide
) -> None:
    payload = {**payloads.GOOD[interface](), field: value}
    reply = side.push(interface, payload)
    assert reply.ret == 4004
    assert field in reply.msg
    violation = city.ledger.violations[0]
    assert violation.kind == kind
    assert violation.field.startswith(field)
    assert city.ledger.count(interface) == 0
    assert [refused.ret for refused in city.ledger.refused] == [4004]


def with_detail(index: int, **changed: object) -> Callable[[Payload], Payload]:
    def change(payload: Payload) -> Payload:
        changed_details = payloads.details()
        changed_details[index].update(changed)
        return {**payload, "ChargeDetails": changed_details}

    return change


def with_fields(**changed: object) -> Callable[[Payload], Payload]:
    return lambda payload: {**payload, **changed}


BROKEN_ORDERS: list[tuple[str, Callable[[Payload], Payload], str]] = [
    ("ends before it starts", with_fields(EndTime="2026-03-04 09:29:59"), "EndTime"),
    ("meter", with_fields(MeterValueEnd=Decimal("112.36")), "MeterValueEnd"),
    ("meter backwards", with_fields(MeterValueEnd=Decimal("87.66")), "MeterValueEnd"),
    ("duration", with_fields(ChargeLast=3598), "ChargeLast"),
    ("money", with_fields(TotalMoney=Decimal("19.17")), "TotalMoney"),
    ("split money", with_fields(TotalElecMoney=Decimal("13.02")), "TotalElecMoney"),
    ("count of periods", with_fields(SumPeriod=1), "SumPeriod"),
    ("power of periods", with_detail(1, DetailPower=Decimal("6.33")), "TotalPower"),
    ("electricity of periods", with_detail(0, DetailElecMoney=Decimal("5.41")), "TotalElecMoney"),
    ("service of periods", with_detail(0, DetailSeviceMoney=Decimal("3.01")), "TotalSeviceMoney"),
    ("gap", with_detail(1, DetailStartTime="2026-03-04 10:00:01"), "ChargeDetails[1].DetailStartTime"),
    ("overlap", with_detail(1, DetailStartTime="2026-03-04 09:59:59"), "ChargeDetails[1].DetailStartTime"),
    ("before the start", with_detail(0, DetailStartTime="2026-03-04 09:29:59"), "ChargeDetails[0].DetailStart"),
    ("after the end", with_detail(1, DetailEndTime="2026-03-04 10:30:01"), "ChargeDetails[1].DetailEndTime"),
    ("period backwards", with_detail(1, DetailEndTime="2026-03-04 09:59:00"), "ChargeDetails[1].DetailEndTime"),
    ("scale in a period", with_detail(0, ElecPrice=Decimal("0.90")), "ChargeDetails[0].ElecPrice"),
]


@pytest.mark.parametrize(("change", "field"), [case[1:] for case in BROKEN_ORDERS], ids=[c[0] for c in BROKEN_ORDERS])
def test_an_order_that_contradicts_itself_is_refused(
    change: Callable[[Payload], Payload], field: str, city: PlatformThread, side: OperatorSide
) -> None:
    reply = side.push(names.BONUS_ORDER, change(payloads.bonus_order()))
    assert reply.ret == 4004
    assert field in reply.msg
    assert city.ledger.violations[0].key == payloads.SEQ
    assert city.ledger.orders == {}


def test_the_tolerances_hold(side: OperatorSide) -> None:
    edge = {"MeterValueEnd": Decimal("112.35"), "ChargeLast": 3601}
    assert side.push(names.BONUS_ORDER, {**payloads.bonus_order(), **edge}).ret == 0


def test_a_status_whose_money_does_not_add_up_is_refused(side: OperatorSide) -> None:
    reply = side.push(names.CHARGE_STATUS, {**payloads.charge_status(), "TotalMoney": Decimal("5.61")})
    assert (reply.ret, reply.msg.split(":")[0]) == (4004, "TotalMoney")


@pytest.mark.parametrize(
    ("plaintext", "field"),
    [
        ("{", "Data"),
        ("[]", "Data"),
        ("NaN", "Data"),
        ("[" * 100_000, "Data"),
        ('{"StartChargeSeq":"1","StartChargeSeq":"1"}', "StartChargeSeq"),
        (dump(payloads.charge_status()).replace("4.00", "4.00e0"), "TotalPower"),
        (dump(payloads.charge_status()).replace("4.00", "NaN"), "Data"),
    ],
    ids=["cut", "array", "nan", "deep", "twice", "exponent", "nan-inside"],
)
def test_what_is_not_json_of_the_standard_is_refused(plaintext: str, field: str, side: OperatorSide) -> None:
    reply = side.push(names.CHARGE_STATUS, plaintext)
    assert reply.ret == 4004
    assert reply.msg.startswith(field)


def test_all_flaws_are_recorded_and_the_msg_names_the_first(city: PlatformThread, side: OperatorSide) -> None:
    reply = side.push(names.STOP_RESULT, "{}")
    assert reply.msg.count("is mandatory") == 5
    assert len(city.ledger.violations) == 5
    assert len(city.ledger.refused) == 1


def test_a_station_status_names_its_connector_when_refused(city: PlatformThread, side: OperatorSide) -> None:
    bad: dict[str, Any] = payloads.station_status(status=9)
    reply = side.push(names.STATION_STATUS, bad)
    assert "ConnectorStatusInfo.Status" in reply.msg
    assert city.ledger.violations[0].key == payloads.CONNECTOR
