"""query_stations_info: what is asked for, what is told of a station to the byte, and what can't be told."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served import query_stations_info
from connectors.interfaces.served.query_stations_info import StationsAsked, answer, read_request, station_info
from connectors.protocol import wire_json
from connectors.protocol.errors import BadPayload, Unreportable
from schemas.records.station import Station
from schemas.registry import SchemaVersion
from tests.connectors.protocol.vectors import REQUESTS
from tests.schemas.test_examples import example

STATION: Station = example(SchemaVersion("station", 2))
OF_V1: Station = example(SchemaVersion("station", 1))

CONNECTOR = (
    '{"ConnectorID":"MP1500201512160101","ConnectorName":"A枪","ConnectorType":4,"VoltageUpperLimits":750,'
    '"VoltageLowerLimits":200,"Current":250,"Power":120.0,"ParkNo":"12","NationalStandard":2}'
)

EVERYTHING = (
    '{"PageNo":1,"PageCount":1,"ItemSize":1,"StationInfos":['
    '{"StationID":"110105001","OperatorID":"MA7L4KFB0","EquipmentOwnerID":"MA7L4KFB0","StationName":"朝阳路充电站",'
    '"CountryCode":"CN","AreaCode":"110105","Address":"北京市朝阳区朝阳路1号","StationTel":"01012345678",'
    '"ServiceTel":"4000000000","StationType":1,"StationStatus":50,"ParkNums":12,"StationLng":116.481488,'
    '"StationLat":39.990464,"SiteGuide":"从东门进入，地下二层","Construction":3,'
    '"Pictures":["https://example.com/110105001.jpg"],"MatchCars":"小型车","ParkInfo":"地下二层12个专用车位",'
    '"BusineHours":"周一至周日 00:00-24:00","ElectricityFee":"00:00-08:00 0.3元/度，08:00-24:00 1.2元/度",'
    '"ServiceFee":"00:00-08:00 0.4元/度，08:00-24:00 0.8元/度","ParkFee":"充电期间免费","Payment":"刷卡、线上",'
    '"SupportOrder":0,"Remark":"节假日正常开放","EquipmentInfos":['
    '{"EquipmentID":"MP15002015121601","ManufacturerID":"123456789","ManufacturerName":"某某电气",'
    '"EquipmentModel":"DC-120","ProductionDate":"2015-12-16","EquipmentType":1,'
    f'"ConnectorInfos":[{CONNECTOR}],'
    '"EquipmentLng":116.481500,"EquipmentLat":39.990470,"Power":120.0,"EquipmentName":"1号桩"}]}]}'
)

#: What a station may lack, as the standard has it.
OPTIONAL = {
    *("StationTel", "SiteGuide", "Pictures", "MatchCars", "ParkInfo", "BusineHours", "ElectricityFee", "ServiceFee"),
    *("ParkFee", "Payment", "SupportOrder", "Remark", "ManufacturerID", "ManufacturerName", "EquipmentModel"),
    *("ProductionDate", "EquipmentLng", "EquipmentLat", "EquipmentName", "ConnectorName", "ParkNo"),
}


def wire(payload: dict[str, object]) -> str:
    return wire_json.encode(payload).decode()


def names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from names(item)


def bare(station: Station) -> Station:
    """The station without anything that is optional."""
    (equipment,) = station.equipment
    (connector,) = equipment.connectors
    connector = replace(connector, connector_name="", park_no="")
    equipment = replace(equipment, equipment_name="", manufacturer_id="", equipment_model="", connectors=(connector,))
    return replace(station, equipment=(equipment,))


class TestAnswer:
    def test_a_station_to_the_byte(self) -> None:
        whole = answer(1, 1, 1, [station_info(STATION, STANDARD)])
        assert wire(whole) == EVERYTHING
        assert set(names(whole)) == set(query_stations_info.FIELDS)

    def test_what_is_not_told_is_left_out(self) -> None:
        told = set(names(answer(1, 1, 1, [station_info(bare(OF_V1), STANDARD)])))
        assert told == set(query_stations_info.FIELDS) - OPTIONAL

    def test_a_page_behind_the_last(self) -> None:
        assert wire(answer(7, 2, 15, [])) == '{"PageNo":7,"PageCount":2,"ItemSize":15,"StationInfos":[]}'

    def test_numbers_have_their_decimals(self) -> None:
        (equipment,) = STATION.equipment
        coarse = replace(
            STATION,
            longitude=Decimal("116.5"),
            latitude=Decimal(0),
            equipment=(replace(equipment, power_kw=Decimal(7), longitude=Decimal("116.5"), latitude=None),),
        )
        text = wire(station_info(coarse, STANDARD))
        assert '"StationLng":116.500000,"StationLat":0.000000' in text
        assert '"EquipmentLng":116.500000,"Power":7.0' in text

    @pytest.mark.parametrize(
        ("field", "name", "longest"),
        [
            ("site_guide", "SiteGuide", 100),
            ("station_tel", "StationTel", 30),
            ("electricity_fee", "ElectricityFee", 256),
            ("payment", "Payment", 20),
            ("remark", "Remark", 100),
        ],
    )
    def test_an_optional_text_is_cut(self, field: str, name: str, longest: int) -> None:
        long = replace(STATION, **{field: "电" * (longest + 1)})  # type: ignore[arg-type]
        assert station_info(long, STANDARD)[name] == "电" * longest

    def test_an_id_and_a_date_are_not_cut_but_left_out(self) -> None:
        (equipment,) = STATION.equipment
        odd = replace(equipment, manufacturer_id="1234567890", production_date="2015-12-16 00:00:00")
        text = wire(station_info(replace(STATION, equipment=(odd,)), STANDARD))
        assert "ManufacturerID" not in text
        assert "ProductionDate" not in text

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("station_id", "1" * 21, "StationID: has 21 characters, 20 are allowed"),
            ("station_name", "站" * 51, "StationName: has 51 characters, 50 are allowed"),
            ("address", "路" * 51, "Address: has 51 characters, 50 are allowed"),
            ("operator_id", "MA7L4KFB01", "OperatorID: has 10 characters, 9 are allowed"),
            ("country_code", "CHN", "CountryCode: has 3 characters, 2 are allowed"),
            ("service_tel", "", "ServiceTel: is empty"),
            ("area_code", "", "AreaCode: is empty"),
            ("longitude", Decimal("NaN"), "StationLng: is no number"),
        ],
    )
    def test_what_is_mandatory_must_fit(self, field: str, value: object, told: str) -> None:
        with pytest.raises(Unreportable, match=told):
            station_info(replace(STATION, **{field: value}), STANDARD)  # type: ignore[arg-type]

    def test_so_must_what_is_inside(self) -> None:
        (equipment,) = STATION.equipment
        (connector,) = equipment.connectors
        for odd, told in (
            (replace(equipment, equipment_id="1" * 24), "EquipmentID: has 24"),
            (replace(equipment, connectors=(replace(connector, connector_id="1" * 27),)), "ConnectorID: has 27"),
            (replace(equipment, connectors=(replace(connector, power_kw=Decimal("Infinity")),)), "Power: is no number"),
        ):
            with pytest.raises(Unreportable, match=told):
                station_info(replace(STATION, equipment=(odd,)), STANDARD)


class TestDialect:
    def test_lengths_and_decimals(self) -> None:
        dialect = Dialect(lengths={"StationName": 60, "Remark": 2}, decimals={"StationLng": 2, "Power": 0})
        info = station_info(replace(STATION, station_name="站" * 60), dialect)
        assert (info["StationName"], info["Remark"]) == ("站" * 60, "节假")
        text = wire(info)
        assert '"StationLng":116.48,' in text
        assert '"Power":120,' in text

    def test_names_and_constants_reach_every_station(self) -> None:
        dialect = Dialect(
            aliases={"BusineHours": "BusinessHours", "PageNo": "Page"},
            left_out={"query_stations_info": frozenset({"Pictures", "ProductionDate"})},
            extra={"query_stations_info": {"StationInfos": {"OpenAllDay": 1, "EquipmentInfos": {"Status": 50}}}},
        )
        whole = answer(1, 1, 2, [station_info(STATION, dialect)] * 2)
        spoken = json.loads(wire(dialect.apply("query_stations_info", whole)))
        assert spoken["Page"] == 1
        for info in spoken["StationInfos"]:
            assert (info["BusinessHours"], info["OpenAllDay"]) == (STATION.busine_hours, 1)
            assert info["EquipmentInfos"][0]["Status"] == 50
            assert not {"Pictures", "ProductionDate", "BusineHours"} & set(names(info))
        assert wire(whole) == wire(answer(1, 1, 2, [station_info(STATION, dialect)] * 2))


class TestRequest:
    def test_the_published_one(self) -> None:
        (vector,) = [vector for vector in REQUESTS if vector.id == "query_stations_info_request"]
        asked = read_request(wire_json.decode(vector.plaintext), STANDARD)
        assert asked == StationsAsked(1_451_707_932_000, 2, 1)

    @pytest.mark.parametrize(
        "payload",
        [
            {},
            {"LastQueryTime": "", "PageNo": "", "PageSize": None},
            {"LastQueryTime": None, "PageNo": 1, "PageSize": "10"},
            {"lastQueryTime": " ", "pageNo": "1", "pageSize": Decimal("10.0")},
        ],
    )
    def test_without_anything_it_is_the_first_ten_of_all(self, payload: dict[str, object]) -> None:
        assert read_request(payload, STANDARD) == StationsAsked(None, 1, 10)

    def test_times_are_beijings(self) -> None:
        asked = read_request({"LastQueryTime": "2020-04-07 10:30:00"}, STANDARD)
        assert asked.last_query_time_ms == 1_586_226_600_000

    def test_in_the_platforms_names(self) -> None:
        dialect = Dialect(aliases={"PageNo": "Page"})
        assert read_request({"Page": 3, "PageSize": 50}, dialect) == StationsAsked(None, 3, 50)
        with pytest.raises(BadPayload, match="Page: must be at least 1"):
            read_request({"Page": 0}, dialect)

    @pytest.mark.parametrize(
        ("payload", "field", "told"),
        [
            ({"LastQueryTime": "2020-04-07"}, "LastQueryTime", "yyyy-MM-dd HH:mm:ss is needed"),
            ({"LastQueryTime": "2020-04-07T10:30:00"}, "LastQueryTime", "yyyy-MM-dd HH:mm:ss is needed"),
            ({"LastQueryTime": "2020-13-07 10:30:00"}, "LastQueryTime", "month must be in 1..12"),
            ({"LastQueryTime": "2020-02-30 10:30:00"}, "LastQueryTime", "is no time"),
            ({"LastQueryTime": "0000-01-01 00:00:00"}, "LastQueryTime", "is no time"),
            ({"LastQueryTime": "２０２０-04-07 10:30:00"}, "LastQueryTime", "is no time"),
            ({"LastQueryTime": 20200407}, "LastQueryTime", "is not a string"),
            ({"PageNo": 0}, "PageNo", "must be at least 1"),
            ({"PageNo": "-1"}, "PageNo", "must be at least 1"),
            ({"PageNo": "first"}, "PageNo", "is not an integer"),
            ({"PageNo": True}, "PageNo", "is not an integer"),
            ({"PageNo": Decimal("1.5")}, "PageNo", "is not an integer"),
            ({"PageSize": 0}, "PageSize", "must be at least 1"),
            ({"PageSize": []}, "PageSize", "is not an integer"),
        ],
    )
    def test_what_is_none_is_named(self, payload: dict[str, object], field: str, told: str) -> None:
        with pytest.raises(BadPayload) as caught:
            read_request(payload, STANDARD)
        assert caught.value.field == field
        assert told in str(caught.value)
