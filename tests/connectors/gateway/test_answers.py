"""Each interface's answer from the views; for what belongs to another platform, exactly as for what there is not."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.registry import served
from tests.connectors.gateway.callers import CITY, HARBOUR
from tests.connectors.gateway.house import FAR_CONNECTOR, FAR_STATION, NEIGHBOUR, House, a_station, harbour, peer
from tests.streams.domain.records import (
    CONNECTOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    STATION,
    Partition,
    bill,
    charging,
    plugged,
    sample,
    started,
    stopped,
)

NO_STATION, NO_CONNECTOR = "ST99999999", "EQ999999999999999999999999"
FAR_SEQ, NO_SEQ = "MA1FL4KF0" + "0" * 17 + "1", "MA1FL4KF0" + "0" * 17 + "9"
DAYS = {"StartTime": "2025-03-01", "EndTime": "2025-03-07"}


class Meters:
    """Stands for the warehouse."""

    async def electricity_kwh(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        """Of the first connector only."""
        assert (station_id, first.isoformat(), last.isoformat()) == (STATION, *DAYS.values())
        return {CONNECTOR: Decimal("123.45")}


def far_charge(*, over: bool = False, ordered: bool = False) -> House:
    """The harbour's platform has a charge on its connector."""
    house = House()
    if ordered:
        house.call("query_start_charge", {"StartChargeSeq": FAR_SEQ, "ConnectorID": FAR_CONNECTOR}, HARBOUR)
    far: dict[str, Any] = {"start_charge_seq": FAR_SEQ, "connector_id": FAR_CONNECTOR}
    run = Partition(a_station(FAR_STATION, (FAR_CONNECTOR,), "310101")).event(started(NOON, **far))
    run.sample(charging(NOON, **far), charging(NOON + MINUTE, **far))
    if over:
        run.event(stopped(NOON + MINUTE, 1_000_100, **far)).event(bill(NOON + MINUTE, **far))
        run.sample(plugged(NOON + 2 * MINUTE, 1_000_100, connector_id=FAR_CONNECTOR)).tick(NOON + 3 * MINUTE)
    house.follow(run)
    return house


#: A question about what is the harbour's, and the same about what there is not.
ASKED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("query_station_status", {"StationIDs": [FAR_STATION]}, {FAR_STATION: NO_STATION}),
    ("query_station_stats", {"StationID": FAR_STATION, **DAYS}, {FAR_STATION: NO_STATION}),
    ("query_equip_auth", {"EquipAuthSeq": "1", "ConnectorID": FAR_CONNECTOR}, {FAR_CONNECTOR: NO_CONNECTOR}),
    ("query_equip_business_policy", {"EquipBizSeq": "1", "ConnectorID": FAR_CONNECTOR}, {FAR_CONNECTOR: NO_CONNECTOR}),
    ("query_equip_charge_status", {"StartChargeSeq": FAR_SEQ}, {FAR_SEQ: NO_SEQ}),
    ("query_start_charge", {"StartChargeSeq": SEQ, "ConnectorID": FAR_CONNECTOR}, {FAR_CONNECTOR: NO_CONNECTOR}),
    ("query_stop_charge", {"StartChargeSeq": FAR_SEQ, "ConnectorID": FAR_CONNECTOR}, {FAR_CONNECTOR: NO_CONNECTOR}),
    ("query_stop_charge", {"StartChargeSeq": FAR_SEQ, "ConnectorID": CONNECTOR}, {FAR_SEQ: NO_SEQ}),
]


@pytest.mark.parametrize(("interface", "payload", "instead"), ASKED)
@pytest.mark.parametrize("state", [{}, {"ordered": True}, {"over": True}, {"ordered": True, "over": True}])
def test_what_is_another_platforms_does_not_exist(
    interface: str, payload: dict[str, Any], instead: dict[str, str], state: dict[str, bool]
) -> None:
    house = far_charge(**state)
    house.follow(Partition(a_station()).sample(sample(NOON)))
    commands = len(house.topic.commands)

    def other(value: Any) -> Any:
        return [other(one) for one in value] if isinstance(value, list) else instead.get(value, value)

    hidden = house.call(interface, payload)
    absent = house.call(interface, {name: other(value) for name, value in payload.items()})
    assert (hidden.ret, hidden.msg) == (absent.ret, absent.msg)
    if hidden.payload is None:
        assert absent.payload is None
    else:
        assert {name: other(value) for name, value in hidden.payload.items()} == absent.payload
    assert len(house.topic.commands) == commands


def test_its_owner_sees_it() -> None:
    """So that the test above shows anything."""
    house = far_charge()
    assert house.answer("query_station_status", {"StationIDs": [FAR_STATION]}, HARBOUR)["Total"] == 1
    assert house.answer("query_equip_charge_status", {"StartChargeSeq": FAR_SEQ}, HARBOUR)["StartChargeSeqStat"] == 2
    found = house.answer("query_stations_info", {}, HARBOUR)
    assert [info["StationID"] for info in found["StationInfos"]] == [FAR_STATION]
    assert [info["StationID"] for info in house.answer("query_stations_info", {})["StationInfos"]] == [STATION]


def test_every_interface_that_is_served_has_an_answer() -> None:
    assert set(House().answers["city"].by_interface) == set(served())


def test_a_token_is_granted_and_opens_the_door() -> None:
    house = House()
    asked = {"OperatorID": CITY.operator_id, "OperatorSecret": CITY.operator_secret}
    granted = house.answer("query_token", asked)
    assert granted.items() >= {"OperatorID": CITY.operator_id, "SuccStat": 0, "TokenAvailableTime": 7200}.items()
    body = CITY.body({"StationIDs": [STATION]}, house.clock.now_s())
    sealed = House().send("query_station_status", body, f"Bearer {granted['AccessToken']}")
    assert CITY.opened(sealed).ret == 0
    refused = house.answer("query_token", {**asked, "OperatorSecret": "no"})
    assert (refused["SuccStat"], refused["FailReason"], refused["AccessToken"]) == (1, 2, "")


def test_station_status_of_each_connector() -> None:
    house = House()
    house.follow(Partition(a_station()).sample(charging(NOON)))
    told = house.answer("query_station_status", {"StationIDs": [NO_STATION, STATION, STATION, FAR_STATION]})
    statuses = [
        {"ConnectorID": CONNECTOR, "Status": 3, "ParkStatus": 50, "LockStatus": 50},
        {"ConnectorID": NEIGHBOUR, "Status": 0, "ParkStatus": 0, "LockStatus": 0},
    ]
    assert told == {
        "Total": 1,
        "StationStatusInfos": [{"StationID": STATION, "ConnectorStatusInfos": statuses}],
    }


def test_station_stats_add_up_and_a_silent_connector_has_none() -> None:
    stats = House(statistics=Meters()).answer("query_station_stats", {"StationID": STATION, **DAYS})["StationStats"]
    assert stats["StationElectricity"] == Decimal("123.5")
    (charger,) = stats["EquipmentStatsInfos"]
    told = {one["ConnectorID"]: one["ConnectorElectricity"] for one in charger["ConnectorStatsInfos"]}
    assert told == {CONNECTOR: Decimal("123.5"), NEIGHBOUR: Decimal("0.0")}


def test_a_day_is_to_come_until_it_begins_in_beijing() -> None:
    house = House()
    house.clock.ms = NOON + 12 * HOUR - SECOND
    asked = {"StationID": STATION, "StartTime": "2025-03-04", "EndTime": "2025-03-04"}
    answered = house.call("query_station_stats", asked)
    assert (answered.ret, answered.msg) == (4004, "请求的业务参数不合法: StartTime: is in the future")
    house.clock.ms += SECOND
    assert house.call("query_station_stats", asked).ret == -1


def test_an_operator_id_that_is_longer_than_the_field_is_not_echoed() -> None:
    answered = House().call("query_token", {"OperatorID": "1" * 10, "OperatorSecret": ""})
    assert (answered.ret, answered.payload) == (4004, None)
    assert answered.msg == "请求的业务参数不合法: OperatorID: has 10 characters, 9 are allowed"


def test_without_a_warehouse_stats_are_for_later() -> None:
    answered = House().call("query_station_stats", {"StationID": STATION, **DAYS})
    assert (answered.ret, answered.msg) == (-1, "系统繁忙，此时请求方稍后重试: statistics are not available now")


def test_business_policy_is_the_stations_tariff() -> None:
    told = House().answer("query_equip_business_policy", {"EquipBizSeq": "1", "ConnectorID": CONNECTOR})
    assert (told["SuccStat"], told["SumPeriod"]) == (0, 2)
    assert [period["StartTime"] for period in told["PolicyInfos"]] == ["000000", "080000"]


@pytest.mark.parametrize(
    ("interface", "payload", "field"),
    [
        ("query_station_stats", {"Platz": NO_STATION, **DAYS}, "Platz: is no station of yours"),
        ("query_equip_charge_status", {"Nummer": NO_SEQ}, "Nummer: is no charge that is known"),
    ],
)
def test_what_is_not_there_is_named_as_the_platform_names_it(
    interface: str, payload: dict[str, str], field: str
) -> None:
    dialect = Dialect(aliases={"StationID": "Platz", "StartChargeSeq": "Nummer"})
    answered = House(peer(dialect=dialect), harbour()).call(interface, payload)
    assert (answered.ret, answered.msg) == (4004, f"请求的业务参数不合法: {field}")


def test_a_status_is_the_newest() -> None:
    house, run = House(), Partition(a_station())
    for at, one in enumerate((sample(NOON), plugged(NOON + SECOND), charging(NOON + 2 * SECOND))):
        house.follow(run.sample(one))
        told = house.answer("query_station_status", {"StationIDs": [STATION]})
        assert told["StationStatusInfos"][0]["ConnectorStatusInfos"][0]["Status"] == at + 1
