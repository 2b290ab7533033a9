"""What must hold between an answer's fields and its question; each case breaks one rule of a golden answer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.simulator.platform import queries as q
from infra.simulator.platform.dialect import QUERY_TOKEN
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.wire_json import Payload
from tests.infra.simulator.platform import golden
from tests.infra.simulator.platform.places import Place, at, written

OTHER = "another"
STATS: Place = ("StationStats",)
ECHOES: list[tuple[str, Place, object]] = [
    (QUERY_TOKEN, ("OperatorID",), "123456789"),
    (q.QUERY_STATIONS, ("PageNo",), 2),
    (q.QUERY_STATUSES, ("StationStatusInfos", 0, "StationID"), OTHER),
    (q.QUERY_STATS, (*STATS, "StationID"), OTHER),
    (q.QUERY_STATS, (*STATS, "StartTime"), "2026-02-22"),
    (q.QUERY_STATS, (*STATS, "EndTime"), "2026-03-02"),
    (q.QUERY_AUTH, ("EquipAuthSeq",), OTHER),
    (q.QUERY_AUTH, ("ConnectorID",), OTHER),
    (q.QUERY_POLICY, ("EquipBizSeq",), OTHER),
    (q.QUERY_POLICY, ("ConnectorID",), OTHER),
    (q.QUERY_START, ("StartChargeSeq",), OTHER),
    (q.QUERY_START, ("ConnectorID",), OTHER),
    (q.QUERY_STOP, ("StartChargeSeq",), OTHER),
    (q.QUERY_CHARGE, ("StartChargeSeq",), OTHER),
]


def changed(interface: str, *changes: tuple[Place, object]) -> Payload:
    payload = golden.answered(interface)
    for place, value in changes:
        at(payload, place[:-1])[place[-1]] = value
    return payload


@pytest.mark.parametrize(("interface", "place", "value"), ECHOES, ids=[f"{c[0]}-{written(c[1])}" for c in ECHOES])
def test_it_is_about_what_was_asked(interface: str, place: Place, value: object) -> None:
    verdict = golden.judged(interface, changed(interface, (place, value)))
    assert verdict.payload is None
    assert [(flaw.kind, flaw.field) for flaw in verdict.flaws] == [(Kind.ECHO, written(place))]


def test_every_interface_echoes() -> None:
    assert {interface for interface, _, _ in ECHOES} == set(q.QUERIES)


FIRST: Place = ("StationInfos", 0)
CHARGER: Place = (*FIRST, "EquipmentInfos", 0)
GUNS: Place = (*CHARGER, "ConnectorInfos")
STATUSES: Place = ("StationStatusInfos", 0, "ConnectorStatusInfos")
BROKEN: list[tuple[str, tuple[Place, object], str]] = [
    (q.QUERY_STATIONS, (("PageCount",), 2), "PageCount"),
    (q.QUERY_STATIONS, (("ItemSize",), 3), "StationInfos"),
    (q.QUERY_STATIONS, (("StationInfos", 1, "StationID"), "110105001001"), "StationInfos"),
    (q.QUERY_STATIONS, ((*GUNS, 1, "ConnectorID"), "11010500100101001"), "ConnectorInfos"),
    (q.QUERY_STATIONS, ((*GUNS, 1, "VoltageLowerLimits"), 751), f"{written(GUNS)}[1].VoltageLowerLimits"),
    (q.QUERY_STATIONS, ((*FIRST, "StationLng"), Decimal("39.908700")), "StationInfos[0].StationLng"),
    (q.QUERY_STATIONS, ((*FIRST, "StationLat"), Decimal("116.397100")), "StationInfos[0].StationLat"),
    (q.QUERY_STATIONS, ((*CHARGER, "EquipmentLng"), Decimal("0.000000")), f"{written(CHARGER)}.EquipmentLng"),
    (q.QUERY_STATUSES, (("Total",), 3), "Total"),
    (q.QUERY_STATUSES, (("StationStatusInfos", 1, "StationID"), "110105001001"), "StationStatusInfos"),
    (q.QUERY_STATUSES, ((*STATUSES, 1, "ConnectorID"), "11010500100101001"), "ConnectorStatusInfos"),
    (q.QUERY_STATS, ((*STATS, "StationElectricity"), Decimal("1234.4")), "StationStats.StationElectricity"),
    (
        q.QUERY_STATS,
        ((*STATS, "EquipmentStatsInfos", 0, "ConnectorStatsInfos", 1, "ConnectorElectricity"), Decimal("234.4")),
        "StationStats.EquipmentStatsInfos[0].EquipmentElectricity",
    ),
    (
        q.QUERY_STATS,
        ((*STATS, "EquipmentStatsInfos", 1, "EquipmentID"), "11010500100101"),
        "EquipmentStatsInfos",
    ),
    (q.QUERY_AUTH, (("FailReason",), 0), "FailReason"),
    (q.QUERY_AUTH, (("SuccStat",), 0), "FailReason"),
    (q.QUERY_POLICY, (("SumPeriod",), 2), "SumPeriod"),
    (q.QUERY_POLICY, (("PolicyInfos", 0, "StartTime"), "000100"), "PolicyInfos[0].StartTime"),
    (q.QUERY_POLICY, (("PolicyInfos", 1, "StartTime"), "000000"), "PolicyInfos[1].StartTime"),
    (q.QUERY_POLICY, (("PolicyInfos", 2, "StartTime"), "063000"), "PolicyInfos[2].StartTime"),
    (q.QUERY_POLICY, (("FailReason",), 1), "FailReason"),
    (q.QUERY_START, (("FailReason",), 3), "FailReason"),
    (q.QUERY_STOP, (("SuccStat",), 1), "FailReason"),
    (q.QUERY_CHARGE, (("TotalMoney",), Decimal("24.01")), "TotalMoney"),
    (q.QUERY_CHARGE, (("SumPeriod",), 0), "SumPeriod"),
    (q.QUERY_CHARGE, (("ChargeDetails", 0, "DetailPower"), Decimal("15.99")), "TotalPower"),
    (QUERY_TOKEN, (("AccessToken",), ""), "AccessToken"),
    (QUERY_TOKEN, (("TokenAvailableTime",), 0), "TokenAvailableTime"),
    (QUERY_TOKEN, (("FailReason",), 2), "FailReason"),
]


@pytest.mark.parametrize(("interface", "change", "field"), BROKEN, ids=[f"{c[0]}-{c[2]}" for c in BROKEN])
def test_it_contradicts_itself(interface: str, change: tuple[Place, object], field: str) -> None:
    verdict = golden.judged(interface, changed(interface, change))
    assert verdict.payload is None
    assert [flaw.field for flaw in verdict.flaws] == [field]


def test_a_refused_token_is_sound_without_a_token() -> None:
    refusal = {"OperatorID": "MA0PLATF1", "SuccStat": 1, "AccessToken": "", "TokenAvailableTime": 0, "FailReason": 2}
    assert golden.judged(QUERY_TOKEN, refusal).payload == refusal


def test_there_is_no_policy_or_there_are_periods() -> None:
    none = {**golden.answered(q.QUERY_POLICY), "SumPeriod": 0, "PolicyInfos": []}
    assert [flaw.field for flaw in golden.judged(q.QUERY_POLICY, none).flaws] == ["PolicyInfos"]
    assert golden.judged(q.QUERY_POLICY, {**none, "SuccStat": 1, "FailReason": 1}).flaws == ()


def page(no: int, count: int, total: int, listed: int) -> Payload:
    (station,) = golden.answered(q.QUERY_STATIONS)["StationInfos"][1:]
    stations = [{**station, "StationID": str(index)} for index in range(listed)]
    return {"PageNo": no, "PageCount": count, "ItemSize": total, "StationInfos": stations}


@pytest.mark.parametrize(
    ("no", "size", "count", "total", "listed", "flawed"),
    [
        (1, 2, 2, 3, 2, []),
        (2, 2, 2, 3, 1, []),
        (3, 2, 2, 3, 0, []),
        (1, 2, 0, 0, 0, []),
        (1, 2, 1, 0, 0, []),
        (1, 2, 2, 3, 3, ["StationInfos"]),
        (2, 2, 2, 3, 2, ["StationInfos"]),
        (3, 2, 2, 3, 1, ["StationInfos"]),
        (1, 2, 1, 3, 2, ["PageCount"]),
        (1, 2, 0, 2, 2, ["PageCount"]),
        (1, 101, 2, 150, 100, []),
        (1, 101, 2, 150, 102, ["StationInfos"]),
        (1, 0, 2, 15, 10, []),
    ],
)
def test_pages_fit(no: int, size: int, count: int, total: int, listed: int, flawed: list[str]) -> None:
    question = {"LastQueryTime": "", "PageNo": no, "PageSize": size}
    verdict = golden.judged(q.QUERY_STATIONS, page(no, count, total, listed), question)
    assert [flaw.field for flaw in verdict.flaws] == flawed
