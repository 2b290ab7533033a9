"""The answers' field tables: the golden answers are good, and each of their fields can be wrong in each way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from infra.simulator.platform import queries as q
from infra.simulator.platform.dialect import BEIJING, QUERY_TOKEN, Dialect, Spelling
from infra.simulator.platform.errors import FlawsError, Kind
from infra.simulator.platform.fields import Table
from infra.simulator.platform.judge import Verdict
from infra.simulator.platform.queries import QUERIES
from infra.simulator.platform.responses import Responses
from infra.simulator.platform.wire_json import dump, parse
from tests.infra.simulator.platform import golden
from tests.infra.simulator.platform.places import Place, at, places, written

READINGS = {"CurrentA", "CurrentB", "CurrentC", "VoltageA", "VoltageB", "VoltageC", "Soc"}
OPTIONAL = {
    *("StationTel", "SiteGuide", "Pictures", "MatchCars", "ParkInfo", "BusineHours", "ElectricityFee", "ServiceFee"),
    *("ParkFee", "Payment", "SupportOrder", "Remark", "ManufacturerID", "ManufacturerName", "EquipmentModel"),
    *("ProductionDate", "EquipmentLng", "EquipmentLat", "EquipmentName", "ConnectorName", "ParkNo"),
    *("ParkStatus", "LockStatus", "CurrentB", "CurrentC", "VoltageB", "VoltageC", "ElecMoney", "SeviceMoney"),
    *("TotalMoney", "SumPeriod", "ChargeDetails", "ElecPrice", "SevicePrice", "DetailElecMoney", "DetailSeviceMoney"),
}
MANDATORY_IN_A_POLICY = {"SumPeriod", "ElecPrice", "SevicePrice"}

PLACES = [(interface, *found) for interface in QUERIES for found in places(golden.answered(interface))]


def cases(fits: Callable[[Place, Any], bool]) -> pytest.MarkDecorator:
    """A parameter for each place that fits, named by it."""
    chosen = [(interface, place) for interface, place, value in PLACES if fits(place, value)]
    names = [f"{interface}-{written(place)}" for interface, place in chosen]
    return pytest.mark.parametrize(("interface", "place"), chosen, ids=names)


def spoilt(interface: str, place: Place, spoil: Callable[[Any], Any]) -> Verdict:
    payload = golden.answered(interface)
    at(payload, place[:-1])[place[-1]] = spoil(at(payload, place))
    return golden.judged(interface, payload)


def kinds_at(verdict: Verdict, place: Place) -> set[Kind]:
    """What is wrong there; an answer with a flaw has no payload."""
    assert verdict.payload is None
    return {flaw.kind for flaw in verdict.flaws if flaw.field == written(place)}


def test_there_is_a_golden_answer_of_every_interface_and_no_other() -> None:
    assert {file.stem for file in golden.FOLDER.iterdir()} == set(QUERIES) == set(Responses(BEIJING).by_interface)


@pytest.mark.parametrize("interface", QUERIES)
def test_a_golden_answer_is_good(interface: str) -> None:
    verdict = golden.judged(interface, golden.answered(interface))
    assert (verdict.ret, verdict.msg, verdict.flaws) == (0, "", ())
    assert verdict.payload == golden.answered(interface)


@cases(lambda place, _: bool(place) and isinstance(place[-1], str))
def test_a_field_is_missing(interface: str, place: Place) -> None:
    payload = golden.answered(interface)
    del at(payload, place[:-1])[place[-1]]
    verdict = golden.judged(interface, payload)
    optional = place[-1] in OPTIONAL and not (interface == q.QUERY_POLICY and place[-1] in MANDATORY_IN_A_POLICY)
    if optional:
        assert verdict.flaws == ()
    else:
        assert kinds_at(verdict, place) == {Kind.MISSING}


@cases(lambda _, value: isinstance(value, dict))
def test_a_field_is_unknown(interface: str, place: Place) -> None:
    payload = golden.answered(interface)
    at(payload, place)["Nonsense"] = 1
    assert kinds_at(golden.judged(interface, payload), (*place, "Nonsense")) == {Kind.UNKNOWN}


@cases(lambda place, _: bool(place))
def test_a_value_is_of_another_type(interface: str, place: Place) -> None:
    wrong = {str: 5, int: "5", Decimal: "5.0", list: {}, dict: []}
    verdict = spoilt(interface, place, lambda value: wrong[type(value)])
    assert kinds_at(verdict, place) == {Kind.TYPE}
    assert kinds_at(spoilt(interface, place, lambda _: None), place) == {Kind.TYPE}


@cases(lambda place, value: isinstance(value, int) and place[-1] not in READINGS)
def test_an_integer_has_a_fraction(interface: str, place: Place) -> None:
    assert kinds_at(spoilt(interface, place, lambda value: Decimal(f"{value}.0")), place) == {Kind.TYPE}


@cases(lambda _, value: isinstance(value, Decimal))
def test_a_number_has_too_many_decimals(interface: str, place: Place) -> None:
    longer = spoilt(interface, place, lambda value: value.quantize(Decimal("0.0000001")))
    assert kinds_at(longer, place) == {Kind.SCALE}


@cases(lambda place, value: isinstance(value, Decimal) and place[-1] not in READINGS)
def test_a_number_lacks_a_decimal(interface: str, place: Place) -> None:
    def shorter(value: Decimal) -> Decimal:
        sign, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        return Decimal((sign, digits[:-1] or (0,), exponent + 1))

    assert kinds_at(spoilt(interface, place, shorter), place) == {Kind.SCALE}
    assert kinds_at(spoilt(interface, place, lambda value: -value - 1), place) == {Kind.RANGE}


@cases(lambda _, value: isinstance(value, str))
def test_a_text_is_too_long(interface: str, place: Place) -> None:
    verdict = spoilt(interface, place, lambda _: "1" * 1025)
    assert len(kinds_at(verdict, place) & {Kind.LENGTH, Kind.ENUM, Kind.TIME}) == 1


ENUMS = {
    QUERY_TOKEN: {"SuccStat"},
    q.QUERY_STATIONS: {
        *("StationType", "StationStatus", "Construction", "SupportOrder", "EquipmentType", "ConnectorType"),
        "NationalStandard",
    },
    q.QUERY_STATUSES: {"Status", "ParkStatus", "LockStatus"},
    q.QUERY_AUTH: {"SuccStat"},
    q.QUERY_POLICY: {"SuccStat"},
    q.QUERY_START: {"StartChargeSeqStat", "SuccStat"},
    q.QUERY_STOP: {"StartChargeSeqStat", "SuccStat"},
    q.QUERY_CHARGE: {"StartChargeSeqStat", "ConnectorStatus", "ChargeModel"},
}


@pytest.mark.parametrize("interface", ENUMS)
def test_a_value_is_none_of_the_enumeration(interface: str) -> None:
    met = set()
    for place, _ in places(golden.answered(interface)):
        if place and place[-1] in ENUMS[interface]:
            met.add(place[-1])
            assert kinds_at(spoilt(interface, place, lambda _: 77), place) == {Kind.ENUM}
    assert met == ENUMS[interface]


STATION: Place = ("StationInfos", 0)
EQUIPMENT: Place = (*STATION, "EquipmentInfos", 0)
CONNECTOR: Place = (*EQUIPMENT, "ConnectorInfos", 0)
BAD: list[tuple[str, Place, object, Kind]] = [
    (q.QUERY_STATIONS, (*STATION, "OperatorID"), "12345678", Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "EquipmentOwnerID"), "ma01h3bq2", Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "CountryCode"), "US", Kind.ENUM),
    (q.QUERY_STATIONS, (*STATION, "AreaCode"), "北京", Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "StationID"), "1" * 21, Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "StationName"), "站" * 51, Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "ServiceTel"), "", Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "ElectricityFee"), "费" * 257, Kind.LENGTH),
    (q.QUERY_STATIONS, (*STATION, "ParkNums"), -1, Kind.RANGE),
    (q.QUERY_STATIONS, (*STATION, "Pictures"), ["a"] * 101, Kind.LENGTH),
    (q.QUERY_STATIONS, (*EQUIPMENT, "EquipmentID"), "1" * 24, Kind.LENGTH),
    (q.QUERY_STATIONS, (*EQUIPMENT, "ProductionDate"), "2023-02-29", Kind.TIME),
    (q.QUERY_STATIONS, (*EQUIPMENT, "ProductionDate"), "20230228", Kind.TIME),
    (q.QUERY_STATIONS, (*CONNECTOR, "ConnectorID"), "1" * 27, Kind.LENGTH),
    (q.QUERY_STATIONS, (*CONNECTOR, "ParkNo"), "1" * 11, Kind.LENGTH),
    (q.QUERY_STATIONS, ("PageNo",), 0, Kind.RANGE),
    (q.QUERY_STATS, ("StationStats", "StartTime"), "2026-02-23 00:00:00", Kind.TIME),
    (q.QUERY_AUTH, ("FailReason",), 100, Kind.RANGE),
    (q.QUERY_POLICY, ("SumPeriod",), 33, Kind.RANGE),
    (q.QUERY_POLICY, ("PolicyInfos", 1, "StartTime"), "240000", Kind.TIME),
    (q.QUERY_POLICY, ("PolicyInfos", 1, "StartTime"), "07:00:00", Kind.TIME),
    (q.QUERY_CHARGE, ("StartChargeSeq",), "1" * 28, Kind.LENGTH),
    (q.QUERY_CHARGE, ("Soc",), 101, Kind.RANGE),
    (QUERY_TOKEN, ("TokenAvailableTime",), -1, Kind.RANGE),
    (QUERY_TOKEN, ("AccessToken",), "two\r\nlines", Kind.LENGTH),
    (QUERY_TOKEN, ("AccessToken",), "two words", Kind.LENGTH),
]


@pytest.mark.parametrize(("interface", "place", "value", "kind"), BAD, ids=[f"{c[0]}-{written(c[1])}" for c in BAD])
def test_a_value_is_out_of_bounds(interface: str, place: Place, value: object, kind: Kind) -> None:
    assert kinds_at(spoilt(interface, place, lambda _: value), place) == {kind}


def table(interface: str, dialect: Dialect) -> Table:
    return Responses(dialect).by_interface[interface]


def as_text(interface: str) -> str:
    return dump(golden.answered(interface))


@pytest.mark.parametrize("interface", [q.QUERY_POLICY, q.QUERY_CHARGE])
def test_service_is_spelt_out(interface: str) -> None:
    spelling = replace(BEIJING, spelling=Spelling.SERVICE)
    table(interface, spelling).check(parse(as_text(interface).replace("Sevice", "Service").encode()))
    with pytest.raises(FlawsError, match=r"Service(Price|Money): is not a field"):
        table(interface, BEIJING).check(parse(as_text(interface).replace("Sevice", "Service").encode()))


@pytest.mark.parametrize("interface", QUERIES)
def test_extra_fields_are_tolerated_by_name(interface: str) -> None:
    tolerant = replace(BEIJING, extra_fields=frozenset({"Nonsense"}))
    text = as_text(interface).replace("{", '{"Nonsense":1,').replace(",}", "}")
    assert table(interface, tolerant).check(parse(text.encode())) == golden.answered(interface)


def test_some_platforms_want_to_know_more_of_stations() -> None:
    with pytest.raises(FlawsError) as caught:
        table(q.QUERY_STATIONS, replace(BEIJING, stations_complete=True)).check(
            parse(as_text(q.QUERY_STATIONS).encode())
        )
    assert [str(flaw) for flaw in caught.value.flaws] == ["StationInfos[1].ElectricityFee: is mandatory"]


def test_a_longer_connector_id() -> None:
    text = as_text(q.QUERY_AUTH).replace("11010500100101001", "1" * 50)
    table(q.QUERY_AUTH, replace(BEIJING, connector_id_max=50)).check(parse(text.encode()))


def test_a_charging_status_without_charge_model() -> None:
    payload = golden.answered(q.QUERY_CHARGE)
    del payload["ChargeModel"]
    table(q.QUERY_CHARGE, replace(BEIJING, charge_model=False)).check(parse(dump(payload).encode()))
    assert [flaw.field for flaw in golden.judged(q.QUERY_CHARGE, payload).flaws] == ["ChargeModel"]
