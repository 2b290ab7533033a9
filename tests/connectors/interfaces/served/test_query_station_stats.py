"""query_station_stats: a station's electricity, whose sums are those of what stands below them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.query_station_stats import (
    FIELDS,
    EquipmentElectricity,
    StatsAsked,
    response,
)
from connectors.interfaces.served.query_station_stats import read_request as read_request_on
from connectors.protocol.errors import Unreportable
from tests.connectors.interfaces.served.asking import check_identifiers, refusal, wire, without
from tests.connectors.interfaces.test_payloads import names

GOOD = {"StationID": "S1", "StartTime": "2020-04-01", "EndTime": "2020-04-07"}
ASKED = StatsAsked("S1", date(2020, 4, 1), date(2020, 4, 7))

GOLDEN = (
    '{"StationStats":{"StationID":"S1","StartTime":"2020-04-01","EndTime":"2020-04-07","StationElectricity":20.3,'
    '"EquipmentStatsInfos":[{"EquipmentID":"E1","EquipmentElectricity":20.2,"ConnectorStatsInfos":['
    '{"ConnectorID":"C1","ConnectorElectricity":10.1},{"ConnectorID":"C2","ConnectorElectricity":10.1}]},'
    '{"EquipmentID":"E2","EquipmentElectricity":0.1,"ConnectorStatsInfos":['
    '{"ConnectorID":"C3","ConnectorElectricity":0.1}]}]}}'
)


def read_request(payload: Mapping[str, object], dialect: Dialect) -> StatsAsked:
    """As it is read on the 7th of April."""
    return read_request_on(payload, dialect, date(2020, 4, 7))


class TestRequest:
    def test_a_station_and_its_days(self) -> None:
        assert read_request(GOOD, STANDARD) == ASKED
        check_identifiers(read_request, GOOD, {"StationID": 20})

    def test_a_single_day(self) -> None:
        day = date(2020, 2, 29)
        asked = {**GOOD, "StartTime": "2020-02-29", "EndTime": "2020-02-29"}
        assert read_request(asked, STANDARD) == StatsAsked("S1", day, day)

    @pytest.mark.parametrize("name", ["StartTime", "EndTime"])
    @pytest.mark.parametrize(
        "day",
        [
            *("", "2020-4-1", "2020-02-30", "20200401", "2020-04-01 00:00:00", "0000-01-01", "２０２０-04-01"),
            *("2020-W14-3", "2020-04- 1", " 2020-4-01", "2020/04/01", "+020-04-01", "2020-04-01\n"),
        ],
    )
    def test_what_is_no_day(self, name: str, day: str) -> None:
        assert refusal(read_request, {**GOOD, name: day}) == f"{name}: is no yyyy-MM-dd"

    @pytest.mark.parametrize("name", ["StartTime", "EndTime"])
    def test_both_are_needed(self, name: str) -> None:
        assert refusal(read_request, without(GOOD, name)) == f"{name}: is missing"
        assert refusal(read_request, {**GOOD, name: 20200401}) == f"{name}: is not a string"

    def test_the_last_is_not_before_the_first(self) -> None:
        assert refusal(read_request, {**GOOD, "EndTime": "2020-03-31"}) == "EndTime: is before StartTime"

    def test_days_to_come_are_no_statistics_yet(self) -> None:
        assert read_request({**GOOD, "StartTime": "2020-04-07", "EndTime": "2020-04-30"}, STANDARD)
        told = refusal(read_request, {**GOOD, "StartTime": "2020-04-08", "EndTime": "2020-04-08"})
        assert told == "StartTime: is in the future"
        dialect = Dialect(aliases={"StartTime": "From"})
        asked = {**without(GOOD, "StartTime"), "From": "2020-04-08"}
        assert refusal(read_request, asked, dialect) == "From: is in the future"

    def test_a_year_at_most(self) -> None:
        assert read_request({**GOOD, "StartTime": "2019-04-08"}, STANDARD)
        told = refusal(read_request, {**GOOD, "StartTime": "2019-04-07"})
        assert told == "EndTime: makes more than 366 days"


def test_the_answer_to_the_byte() -> None:
    """10.05 kWh twice are 20.2 here, since each is told as 10.1."""
    equipment = [
        EquipmentElectricity("E1", {"C1": Decimal("10.05"), "C2": Decimal("10.05")}),
        EquipmentElectricity("E2", {"C3": Decimal("0.05")}),
    ]
    told = response(ASKED, equipment, STANDARD)
    assert wire(told) == GOLDEN
    assert set(names(told)) == set(FIELDS)


@given(
    st.lists(st.lists(st.decimals(0, 10**6, places=3, allow_nan=False), max_size=4), max_size=5),
    st.integers(0, 4),
)
def test_sums_are_those_of_what_stands_below(chargers: list[list[Decimal]], decimals: int) -> None:
    names_ = ("ConnectorElectricity", "EquipmentElectricity", "StationElectricity")
    dialect = Dialect(decimals=dict.fromkeys(names_, decimals))
    equipment = [
        EquipmentElectricity(f"E{n}", {f"C{n}.{m}": kwh for m, kwh in enumerate(charger)})
        for n, charger in enumerate(chargers)
    ]
    stats = response(ASKED, equipment, dialect)["StationStats"]
    assert isinstance(stats, dict)
    for charger in stats["EquipmentStatsInfos"]:
        below = [one["ConnectorElectricity"] for one in charger["ConnectorStatsInfos"]]
        assert charger["EquipmentElectricity"] == sum(below)
    assert stats["StationElectricity"] == sum(one["EquipmentElectricity"] for one in stats["EquipmentStatsInfos"])


def test_what_does_not_fit() -> None:
    with pytest.raises(Unreportable, match="EquipmentID: has 24"):
        response(ASKED, [EquipmentElectricity("1" * 24, {})], STANDARD)
    with pytest.raises(Unreportable, match="ConnectorElectricity: is no number"):
        response(ASKED, [EquipmentElectricity("E", {"C": Decimal("NaN")})], STANDARD)


def test_in_the_platforms_dialect() -> None:
    name = "query_station_stats"
    dialect = Dialect(
        aliases={"StationStats": "Stats"},
        left_out={name: frozenset({"StartTime"})},
        extra={name: {"Stats": {"Kind": 1, "EquipmentStatsInfos": {"Idle": 0}}}},
        decimals={"ConnectorElectricity": 3},
    )
    text = wire(response(ASKED, [EquipmentElectricity("E1", {"C1": Decimal("0.05")})], dialect))
    assert text == (
        '{"Stats":{"StationID":"S1","EndTime":"2020-04-07","StationElectricity":0.1,"EquipmentStatsInfos":['
        '{"EquipmentID":"E1","EquipmentElectricity":0.1,"ConnectorStatsInfos":[{"ConnectorID":"C1",'
        '"ConnectorElectricity":0.050}],"Idle":0}],"Kind":1}}'
    )
