from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from connectors.interfaces import (
    charge_order_info,
    charge_order_info_for_bonus,
    equip_charge_status,
    start_charge_result,
    station_status,
)
from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.protocol import wire_json
from connectors.protocol.errors import Unreportable
from tests.connectors.interfaces import golden, records


def test_the_standard_dialect_hands_the_payload_through() -> None:
    payload: dict[str, object] = {"SevicePrice": 1}
    assert STANDARD.is_standard
    assert STANDARD.apply("any", payload) is payload


def test_service_is_spelled_everywhere() -> None:
    dialect = Dialect(spelling="service")
    for interface, record, expected in (
        (equip_charge_status, records.PROGRESS, golden.PROGRESS),
        (charge_order_info_for_bonus, records.ORDER, golden.BONUS),
    ):
        text = wire_json.encode(interface.payload(record, dialect)).decode()
        assert text == expected.replace("Sevice", "Service")


def test_aliases_rename_single_fields_at_any_depth() -> None:
    dialect = Dialect(aliases={"TotalSeviceMoney": "TotalServiceMoney", "DetailPower": "Power"})
    text = wire_json.encode(charge_order_info.payload(records.ORDER, dialect)).decode()
    expected = golden.ORDER.replace("TotalSevice", "TotalService").replace("DetailPower", "Power")
    assert text == expected
    # An alias is of the standard's name and wins over the spelling.
    both = Dialect(spelling="service", aliases={"SevicePrice": "SevicePrice"})
    assert (both.name("SevicePrice"), both.name("SeviceMoney")) == ("SevicePrice", "ServiceMoney")


def test_fields_are_left_out_of_one_interface() -> None:
    dialect = Dialect(left_out={"notification_charge_order_info": frozenset({"StopReason", "ElecPrice"})})
    payload = charge_order_info.payload(records.ORDER, dialect)
    text = golden.ORDER.replace('"StopReason":0,', "").replace('"ElecPrice":0.9000,', "")
    assert wire_json.encode(payload).decode() == text
    bonus = charge_order_info_for_bonus.payload(records.ORDER, dialect)
    assert wire_json.encode(bonus).decode() == golden.BONUS


def test_constants_are_added_and_merged_into_objects() -> None:
    dialect = Dialect(
        extra={
            "notification_stationStatus": {
                "OperatorID": "123456789",
                "ConnectorStatusInfo": {"AuxPower": Decimal("1.10"), "LockStatus": 0},
            }
        }
    )
    payload = station_status.payload(records.STATUS, dialect)
    assert wire_json.encode(payload) == (
        b'{"ConnectorStatusInfo":{"ConnectorID":"11000000000000090000341000",'
        b'"Status":3,"ParkStatus":50,"LockStatus":0,"AuxPower":1.10},"OperatorID":"123456789"}'
    )
    # The constants themselves are not written to.
    assert station_status.payload(replace(records.STATUS, status=1), dialect) != payload
    assert list(dialect.extra["notification_stationStatus"]) == ["OperatorID", "ConnectorStatusInfo"]


def test_constants_are_merged_into_every_object_of_a_list() -> None:
    dialect = Dialect(extra={"x": {"A": {"b": 1, "C": {"d": 2}}, "E": {"f": 3}}})
    payload: dict[str, object] = {"A": [{"C": []}, {"C": {"d": 1}}, "no object"], "E": []}
    assert dialect.apply("x", payload) == {"A": [{"C": [], "b": 1}, {"C": {"d": 2}, "b": 1}, "no object"], "E": []}
    assert payload == {"A": [{"C": []}, {"C": {"d": 1}}, "no object"], "E": []}


def test_optional_fields_come_when_asked_for() -> None:
    assert "Vin" not in start_charge_result.payload(records.STARTED_WELL, STANDARD)
    dialect = Dialect(optional={"notification_start_charge_result": frozenset({"Vin", "ChargeModel"})})
    assert dialect.is_standard
    payload = start_charge_result.payload(records.STARTED_WELL, dialect)
    assert (payload["Vin"], payload["ChargeModel"]) == ("LVIN", 1)


def test_decimals_of_single_fields() -> None:
    dialect = Dialect(decimals={"DetailPower": 3, "SevicePrice": 2, "CurrentA": 2, "Soc": 1, "ElecMoney": 0})
    text = wire_json.encode(equip_charge_status.payload(records.PROGRESS, dialect)).decode()
    for part in (
        '"CurrentA":123.45,',
        '"Soc":55.0,',
        '"ElecMoney":11,',
        '"SevicePrice":0.10,"DetailPower":6.174,',
        '"SevicePrice":0.05,"DetailPower":6.171,',
        '"TotalPower":12.35,',
    ):
        assert part in text


def test_lengths_of_single_fields() -> None:
    with pytest.raises(Unreportable):
        station_status.payload(records.STATUS, Dialect(lengths={"ConnectorID": 25}))
    longer = replace(records.STATUS, connector_id="1" * 50)
    assert station_status.payload(longer, Dialect(lengths={"ConnectorID": 50}))
    cut = charge_order_info_for_bonus.payload(records.ORDER, Dialect(lengths={"UserName": 1}))
    assert cut["UserName"] == "u"
    few = charge_order_info.payload(records.ORDER, Dialect(lengths={"SumPeriod": 1}))
    assert (few["SumPeriod"], few["ChargeDetails"]) == (0, [])


def test_an_offline_connector_as_the_platform_wants_it() -> None:
    record = replace(records.PROGRESS, connector_status=0)
    assert equip_charge_status.payload(record, Dialect(offline_connector_status=3))["ConnectorStatus"] == 3


def test_an_object_that_is_encoded_ahead_is_spoken_as_inside_the_whole() -> None:
    name = "query_stations_info"
    dialect = Dialect(
        aliases={"StationInfos": "Stations", "StationName": "Name"},
        left_out={name: frozenset({"Pictures"})},
        extra={name: {"Version": 2, "Stations": {"OpenAllDay": 1, "EquipmentInfos": {"Status": 50}}}},
    )
    info: dict[str, object] = {"StationName": "A", "Pictures": [], "EquipmentInfos": [{"EquipmentID": "E1"}]}
    whole = dialect.apply(name, {"StationInfos": [info]})
    ahead = msgspec.Raw(wire_json.encode(dialect.part(name, "StationInfos", info)))
    assert wire_json.encode(dialect.apply(name, {"StationInfos": [ahead]})) == wire_json.encode(whole)
    assert whole == {
        "Stations": [
            {"Name": "A", "EquipmentInfos": [{"EquipmentID": "E1", "Status": 50}], "OpenAllDay": 1},
        ],
        "Version": 2,
    }
    assert STANDARD.part(name, "StationInfos", info) is info
    assert Dialect(spelling="service").part(name, "StationInfos", {"ServiceFee": 1}) == {"ServiceFee": 1}
