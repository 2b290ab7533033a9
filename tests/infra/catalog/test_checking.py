"""Every fault of a station is told with its place, its field and the reason; nothing else comes of a bad file."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.checking import PERIODS_MAX, Checker
from infra.catalog.errors import BadCatalog
from infra.catalog.faults import FAULTS_TOLD, Faults
from infra.catalog.json_file import entries
from infra.catalog.rules import PICTURES_MAX
from infra.catalog.tables import longest_of, tables
from tests.connectors.delivery.city import BEIJING
from tests.infra.catalog.samples import CODEC, catalog, faults_of, read

STATION = "stations[0]"
EQUIPMENT = "stations[0].equipment[1]"
CONNECTOR = "stations[0].equipment[0].connectors[1]"
PERIOD = "stations[0].tariff[2]"


def at(raw: Any, place: str) -> dict[str, Any]:
    """The object at a place of the sample."""
    for part in place.replace("]", "").replace("[", ".").split("."):
        raw = raw[int(part) if part.isdigit() else part]
    found: dict[str, Any] = raw
    return found


@pytest.mark.parametrize(
    ("place", "field", "value", "reason"),
    [
        (STATION, "station_id", None, "is missing"),
        (STATION, "station_id", " ", "is missing"),
        (STATION, "station_id", 110105900001, "110105900001 is no text: put it in quotes"),
        (STATION, "station_id", "1" * 21, "has 21 characters, 20 are allowed"),
        (STATION, "station_id", "1101 05", "'1101 05' has blanks or invisible characters in it"),
        (STATION, "station_id", "1101\u200b05", "'1101\\u200b05' has blanks or invisible characters in it"),
        (STATION, "operator_id", "MA7L4KFB", "'MA7L4KFB' is not 9 letters and digits, as OperatorIDs are"),
        (STATION, "equipment_owner_id", "MA7L4KFB0X", "is not 9 letters and digits"),
        (STATION, "station_name", "站" * 51, "has 51 characters, 50 are allowed"),
        (STATION, "station_name", ["站"], "a list is no text"),
        (STATION, "area_code", "朝阳区", "'朝阳区' is not 6 to 20 digits"),
        (STATION, "area_code", "11010", "is not 6 to 20 digits"),
        (STATION, "address", "一号\n二号", "has a line break or another control character in it"),
        (STATION, "address", "\ud800", "has a line break or another control character in it"),
        (STATION, "service_tel", "1" * 31, "has 31 characters, 30 are allowed"),
        (STATION, "station_type", 2, "2 is none of 1, 50, 100, 101, 102, 103, 255"),
        (STATION, "station_status", 51, "51 is none of 0, 1, 5, 6, 50"),
        (STATION, "station_status", True, "true is no whole number"),
        (STATION, "park_count", -1, "-1 is not 0 to 2147483647"),
        (STATION, "park_count", 10**30, "is no whole number"),
        (STATION, "park_count", "many", "'many' is no whole number"),
        (STATION, "park_count", 1.5, "1.5 is no whole number"),
        (STATION, "longitude", "180.000001", "'180.000001' is not -180 to 180"),
        (STATION, "longitude", float("nan"), "NaN is no number"),
        (STATION, "longitude", "NaN", "'NaN' is no number"),
        (STATION, "longitude", float("inf"), "Infinity is no number"),
        (STATION, "longitude", "116.4814881", "'116.4814881' has more than 6 decimals"),
        (STATION, "latitude", 116.481488, "116.481488 is not -90 to 90"),
        (STATION, "latitude", "1e1", "'1e1' is no number"),
        (STATION, "latitude", False, "false is no number"),
        (STATION, "construction", 12, "12 is none of 1, 2, 3"),
        (STATION, "country_code", "China", "'China' is not 2 capital letters"),
        (STATION, "electricity_fee", "元" * 257, "has 257 characters, 256 are allowed"),
        (STATION, "payment", "现" * 21, "has 21 characters, 20 are allowed"),
        (STATION, "pictures", "https://example.com/1.jpg", "is no list of addresses"),
        (STATION, "pictures", ["x"] * (PICTURES_MAX + 1), "has 21 addresses, 20 are allowed"),
        (STATION, "pictures", [1], "1 is no text"),
        (STATION, "support_order", 2, "2 is none of 0, 1"),
        (STATION, "busines_hours", "all day", "is no field here; was busine_hours meant?"),
        (STATION, "colour", "red", "is no field here"),
        (STATION, "col\nour", "red", "is no field here"),
        (STATION, "tariff", None, "is missing"),
        (STATION, "tariff", {}, "is no list"),
        (STATION, "equipment", None, "is missing"),
        (STATION, "equipment", [], "has none: at least one is needed"),
        (STATION, "equipment", "some", "is no list"),
        (EQUIPMENT, "equipment_id", "1" * 24, "has 24 characters, 23 are allowed"),
        (EQUIPMENT, "equipment_id", "1.10106E+14", "is a number that a spreadsheet has shortened"),
        (EQUIPMENT, "equipment_id", "110105900001001", "'110105900001001' is at stations[0].equipment[0] already"),
        (EQUIPMENT, "equipment_type", 6, "6 is none of 1, 2, 3, 4, 5"),
        (EQUIPMENT, "power_kw", 0, "0 is not above 0 and at most 9999999.9"),
        (EQUIPMENT, "power_kw", "7.05", "'7.05' has more than 1 decimal"),
        (EQUIPMENT, "power_kw", "10000000", "is not above 0"),
        (EQUIPMENT, "production_date", "2024-02-30", "'2024-02-30' is no date: yyyy-MM-dd is needed"),
        (EQUIPMENT, "production_date", "20240220", "is no date"),
        (EQUIPMENT, "connectors", [], "has none: at least one is needed"),
        (EQUIPMENT, "tariff", [], "is no field here"),
        (EQUIPMENT, "changed_at", 5, "is no field here"),
        (EQUIPMENT, "longitude", "east", "'east' is no number"),
        (CONNECTOR, "connector_id", "1" * 27, "has 27 characters, 26 are allowed"),
        (CONNECTOR, "connector_id", "11010590000100101", "is at stations[0].equipment[0].connectors[0] already"),
        (CONNECTOR, "connector_type", 0, "0 is none of 1, 2, 3, 4, 5, 6"),
        (CONNECTOR, "voltage_lower_v", 1001, "is above voltage_upper_v"),
        (CONNECTOR, "voltage_upper_v", 0, "0 is not 1 to 2147483647"),
        (CONNECTOR, "current_a", "", "is missing"),
        (CONNECTOR, "national_standard", 3, "3 is none of 1, 2"),
        (CONNECTOR, "park_no", "1" * 11, "has 11 characters, 10 are allowed"),
        (PERIOD, "starts_at_s", 86_400, "86400 is not 0 to 86399"),
        (PERIOD, "starts_at_s", 25_200, "does not come after the period before"),
        (PERIOD, "elec_price", "-0.1", "'-0.1' is not 0 to 999999.9999"),
        (PERIOD, "elec_price", "0.12345", "'0.12345' has more than 4 decimals"),
        (PERIOD, "service_price", None, "is missing"),
        ("stations[0].tariff[0]", "starts_at_s", 60, "the first period must begin at 00:00"),
    ],
)
def test_a_fault_is_told_with_its_place(place: str, field: str, value: object, reason: str, tmp_path: Path) -> None:
    raw = catalog()
    at(raw, place)[field] = value
    (told,) = faults_of(tmp_path / "a.json", raw)
    assert told.startswith(f"{place}: {field if field.isprintable() else repr(field)}: ")
    assert reason in told


def test_a_place_needs_both_coordinates(tmp_path: Path) -> None:
    raw = catalog()
    del at(raw, EQUIPMENT)["latitude"]
    (told,) = faults_of(tmp_path / "a.json", raw)
    assert told == f"{EQUIPMENT}: longitude: and latitude go together: give both or neither"


def test_ids_are_unique_over_all_stations(tmp_path: Path) -> None:
    raw = catalog()
    raw["stations"].append(copy.deepcopy(raw["stations"][1]))
    assert faults_of(tmp_path / "a.json", raw) == [
        "stations[2]: station_id: '110108900002' is at stations[1] already",
        "stations[2].equipment[0]: equipment_id: '110108900002001' is at stations[1].equipment[0] already",
        "stations[2].equipment[0].connectors[0]: connector_id: '11010890000200101' is at "
        "stations[1].equipment[0].connectors[0] already",
    ]


def test_an_id_of_another_kind_is_none(tmp_path: Path) -> None:
    raw = catalog()
    at(raw, EQUIPMENT)["equipment_id"] = at(raw, STATION)["station_id"]
    assert len(read(tmp_path / "a.json", raw)) == 2


def test_a_tariff_has_32_periods_at_most(tmp_path: Path) -> None:
    raw = catalog()
    period = at(raw, PERIOD)
    raw["stations"][1]["tariff"] = [{**period, "starts_at_s": 60 * n} for n in range(PERIODS_MAX)]
    assert len(read(tmp_path / "a.json", raw)[1].tariff) == PERIODS_MAX
    raw["stations"][1]["tariff"].append({**period, "starts_at_s": 80_000})
    assert faults_of(tmp_path / "a.json", raw) == ["stations[1]: tariff: has 33 periods, 32 are allowed"]


def test_a_station_must_fit_into_a_record(tmp_path: Path) -> None:
    raw = catalog()
    bare = raw["stations"][1]["equipment"][0]["connectors"][0]
    raw["stations"][1]["equipment"][0]["connectors"] = [{**bare, "connector_id": f"{n:026d}"} for n in range(30_000)]
    (told,) = faults_of(tmp_path / "a.json", raw)
    assert told.startswith("stations[1]: is too large: 1,")


def test_numbers_are_kept_to_the_digit(tmp_path: Path) -> None:
    raw = catalog()
    at(raw, STATION).update(longitude=116.5, latitude=" 39.9904640 ", park_count="7")
    at(raw, EQUIPMENT)["power_kw"] = 7
    at(raw, PERIOD)["elec_price"] = 1
    station = read(tmp_path / "a.json", raw)[0]
    assert (str(station.longitude), str(station.latitude), station.park_count) == ("116.500000", "39.990464", 7)
    assert str(station.equipment[1].power_kw) == "7.0"
    assert str(station.tariff[2].elec_price) == "1.0000"


def test_what_is_empty_is_not_told(tmp_path: Path) -> None:
    raw = catalog()
    at(raw, STATION).update(country_code="", support_order=None, remark=" ", changed_at=5)
    station = read(tmp_path / "a.json", raw)[0]
    assert (station.country_code, station.support_order, station.remark, station.changed_at) == ("CN", None, "", 0)


def test_all_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    raw = catalog()
    raw["stations"] = [{} for _ in range(20)]
    file = tmp_path / "a.json"
    assert len(faults_of(file, raw)) == FAULTS_TOLD
    with pytest.raises(BadCatalog) as caught:
        read(file, raw)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{file} has {caught.value.count} faults"
    assert lines[1] == f"{file}: stations[0]: tariff: is missing"
    assert lines[-1] == f"… and {caught.value.count - FAULTS_TOLD} more"
    assert caught.value.count == 20 * 15


def test_a_platform_may_take_longer_texts() -> None:
    dialect = replace(BEIJING.dialect, lengths={"ConnectorID": 30, "StationName": 10})
    longest = longest_of([BEIJING, replace(BEIJING, dialect=dialect)])
    assert (longest["ConnectorID"], longest["StationName"], longest["StationID"]) == (30, 50, 20)
    raw = catalog()
    at(raw, CONNECTOR)["connector_id"] = "1" * 30
    faults = Faults()
    checker = Checker(tables(longest), CODEC, faults)
    assert all(checker.station(entry) for entry in entries(json.dumps(raw), faults))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just("1E+5"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(
    place=st.sampled_from([STATION, EQUIPMENT, CONNECTOR, PERIOD]),
    pick=st.integers(0, 30),
    value=ANYTHING,
)
def test_whatever_a_field_says_a_fault_is_all_that_comes_of_it(place: str, pick: int, value: object) -> None:
    raw = catalog()
    target = at(raw, place)
    target[list(target)[pick % len(target)]] = value
    faults = Faults()
    checker = Checker(tables(), CODEC, faults)
    stations = [checker.station(entry) for entry in entries(json.dumps(raw), faults)]
    assert faults.count or (len(stations) == 2 and None not in stations)
    assert all("\n" not in str(fault) and len(str(fault)) < 300 for fault in faults.told)
    "".join(map(str, faults.told)).encode()
