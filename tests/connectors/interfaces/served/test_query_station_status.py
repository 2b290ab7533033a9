"""query_station_status: up to 50 stations, each with all its connectors."""

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.query_station_status import FIELDS, ConnectorNow, read_request, response
from connectors.protocol.errors import Unreportable
from tests.connectors.interfaces.served.asking import refusal, wire
from tests.connectors.interfaces.test_payloads import names

TOLD = [
    ("S1", [ConnectorNow("11000000000000090000341000", 3, 50, 10), ConnectorNow("C2", 0, 0, 0)]),
    ("S2", []),
]

GOLDEN = (
    '{"Total":2,"StationStatusInfos":[{"StationID":"S1","ConnectorStatusInfos":['
    '{"ConnectorID":"11000000000000090000341000","Status":3,"ParkStatus":50,"LockStatus":10},'
    '{"ConnectorID":"C2","Status":0,"ParkStatus":0,"LockStatus":0}]},'
    '{"StationID":"S2","ConnectorStatusInfos":[]}]}'
)


class TestRequest:
    def test_each_station_once_in_its_order(self) -> None:
        assert read_request({"StationIDs": ["S2", "S1", "S2"]}, STANDARD) == ("S2", "S1")
        assert read_request({"stationIDs": ["S1"]}, STANDARD) == ("S1",)

    def test_fifty_at_most(self) -> None:
        many = [str(number) for number in range(51)]
        assert len(read_request({"StationIDs": many[:50]}, STANDARD)) == 50
        assert refusal(read_request, {"StationIDs": many}) == "StationIDs: has 51 stations, 1 to 50 are allowed"
        assert refusal(read_request, {"StationIDs": []}) == "StationIDs: has 0 stations, 1 to 50 are allowed"

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            (None, "StationIDs: is missing"),
            ("S1", "StationIDs: is not an array"),
            ({"S1": 1}, "StationIDs: is not an array"),
            (["S1", ""], "StationIDs: has what is not a StationID"),
            (["S1", 7], "StationIDs: has what is not a StationID"),
            ([None], "StationIDs: has what is not a StationID"),
            ([["S1"]], "StationIDs: has what is not a StationID"),
            (["1" * 21], "StationID: has 21 characters, 20 are allowed"),
        ],
    )
    def test_what_is_none_is_named(self, asked: object, told: str) -> None:
        assert refusal(read_request, {"StationIDs": asked}) == told

    def test_bounds_are_the_platforms(self) -> None:
        assert read_request({"StationIDs": ["1" * 21]}, Dialect(lengths={"StationID": 21})) == ("1" * 21,)


def test_the_answer_to_the_byte() -> None:
    told = response(TOLD, STANDARD)
    assert wire(told) == GOLDEN
    assert set(names(told)) == set(FIELDS)
    assert wire(response([], STANDARD)) == '{"Total":0,"StationStatusInfos":[]}'


def test_what_does_not_fit() -> None:
    with pytest.raises(Unreportable, match="ConnectorID: has 27"):
        response([("S1", [ConnectorNow("1" * 27, 1, 0, 0)])], STANDARD)
    with pytest.raises(Unreportable, match="StationID: has 21"):
        response([("1" * 21, [])], STANDARD)


def test_in_the_platforms_dialect() -> None:
    name = "query_station_status"
    dialect = Dialect(
        aliases={"Total": "Count"},
        left_out={name: frozenset({"LockStatus"}), "notification_stationStatus": frozenset({"Status"})},
        extra={name: {"StationStatusInfos": {"ConnectorStatusInfos": {"AuxPower": 1}}}},
    )
    first = response(TOLD, dialect)["StationStatusInfos"]
    assert response(TOLD, dialect)["Count"] == 2
    assert isinstance(first, list)
    status = {"ConnectorID": "C2", "Status": 0, "ParkStatus": 0, "AuxPower": 1}
    assert first[0]["ConnectorStatusInfos"][1] == status
