"""What must hold of the answers that list stations: pages, identifiers named once, places, sums of electricity.

`AnswerRule` is given the question's payload and the answer's, whose fields are sound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.queries import MAX_PAGE_SIZE
from infra.simulator.platform.wire_json import Payload

AnswerRule = Callable[[Payload, Payload], Iterator[Flaw]]

LONGITUDES = (Decimal(73), Decimal(136))
LATITUDES = (Decimal(3), Decimal(54))
"""GCJ-02 is defined in China only; what is outside has mostly its two degrees swapped."""


def once(field: str, identifiers: Iterable[str]) -> Iterator[Flaw]:
    """No identifier is there twice."""
    for identifier, count in Counter(identifiers).items():
        if count > 1:
            yield Flaw(Kind.ARITHMETIC, field, f"{identifier} is there {count} times")


def page_fits(asked: Payload, answered: Payload) -> Iterator[Flaw]:
    """PageCount follows from ItemSize and the PageSize asked for, and so does the number of stations of the page.

    A PageSize outside 1..MAX_PAGE_SIZE may have been replaced: then only what is too much is wrong.
    """
    size, total, pages = asked["PageSize"], answered["ItemSize"], answered["PageCount"]
    there = len(answered["StationInfos"])
    if not 1 <= size <= MAX_PAGE_SIZE:
        if there > size > 0:
            yield Flaw(Kind.ARITHMETIC, "StationInfos", f"{there} stations, {size} were asked for")
        return
    due = -(-total // size)
    if pages != due and (total, pages) != (0, 1):
        yield Flaw(Kind.ARITHMETIC, "PageCount", f"{pages} but {total} stations are {due} pages of {size}")
    expected = max(0, min(size, total - (asked["PageNo"] - 1) * size))
    if there != expected:
        yield Flaw(Kind.ARITHMETIC, "StationInfos", f"{there} stations but page {asked['PageNo']} has {expected}")


def stations_once(_: Payload, answered: Payload) -> Iterator[Flaw]:
    """StationID, EquipmentID and ConnectorID each name one thing of the operator's."""
    stations = answered["StationInfos"]
    equipments = [equipment for station in stations for equipment in station["EquipmentInfos"]]
    connectors = [connector for equipment in equipments for connector in equipment["ConnectorInfos"]]
    yield from once("StationInfos", (station["StationID"] for station in stations))
    yield from once("EquipmentInfos", (equipment["EquipmentID"] for equipment in equipments))
    yield from once("ConnectorInfos", (connector["ConnectorID"] for connector in connectors))


def stations_placed(_: Payload, answered: Payload) -> Iterator[Flaw]:
    """Every place is in China, and no connector's lower voltage is above its upper one."""
    for index, station in enumerate(answered["StationInfos"]):
        where = f"StationInfos[{index}]"
        yield from _placed(station, "Station", where)
        for number, equipment in enumerate(station["EquipmentInfos"]):
            place = f"{where}.EquipmentInfos[{number}]"
            yield from _placed(equipment, "Equipment", place)
            for gun, connector in enumerate(equipment["ConnectorInfos"]):
                lower, upper = connector["VoltageLowerLimits"], connector["VoltageUpperLimits"]
                if lower > upper:
                    field = f"{place}.ConnectorInfos[{gun}].VoltageLowerLimits"
                    yield Flaw(Kind.RANGE, field, f"{lower} is above VoltageUpperLimits {upper}")


def _placed(thing: Payload, what: str, where: str) -> Iterator[Flaw]:
    for name, (lowest, highest) in ((f"{what}Lng", LONGITUDES), (f"{what}Lat", LATITUDES)):
        degrees = thing.get(name)
        if degrees is not None and not lowest <= degrees <= highest:
            yield Flaw(Kind.RANGE, f"{where}.{name}", f"{degrees} is not in China")


def statuses_asked_for(asked: Payload, answered: Payload) -> Iterator[Flaw]:
    """Only stations that were asked for, each once and with each connector once; Total is their number."""
    infos = answered["StationStatusInfos"]
    if answered["Total"] != len(infos):
        yield Flaw(Kind.ARITHMETIC, "Total", f"{answered['Total']} but StationStatusInfos has {len(infos)}")
    for index, info in enumerate(infos):
        if info["StationID"] not in asked["StationIDs"]:
            yield Flaw(Kind.ECHO, f"StationStatusInfos[{index}].StationID", f"{info['StationID']} was not asked for")
    yield from once("StationStatusInfos", (info["StationID"] for info in infos))
    connectors = (connector["ConnectorID"] for info in infos for connector in info["ConnectorStatusInfos"])
    yield from once("ConnectorStatusInfos", connectors)


def stats_asked_for(asked: Payload, answered: Payload) -> Iterator[Flaw]:
    """The station and the days that were asked for."""
    for name, value in asked.items():
        if answered["StationStats"][name] != value:
            yield Flaw(Kind.ECHO, f"StationStats.{name}", f"{answered['StationStats'][name]} but {value} was asked for")


def stats_add_up(_: Payload, answered: Payload) -> Iterator[Flaw]:
    """A charger's electricity is its connectors', a station's its chargers', exactly; each is named once."""
    station = answered["StationStats"]
    equipments = station["EquipmentStatsInfos"]
    connectors = [connector for equipment in equipments for connector in equipment["ConnectorStatsInfos"]]
    yield from once("EquipmentStatsInfos", (equipment["EquipmentID"] for equipment in equipments))
    yield from once("ConnectorStatsInfos", (connector["ConnectorID"] for connector in connectors))
    total = station["StationElectricity"]
    yield from _sums("StationStats.StationElectricity", total, (each["EquipmentElectricity"] for each in equipments))
    for index, equipment in enumerate(equipments):
        field = f"StationStats.EquipmentStatsInfos[{index}].EquipmentElectricity"
        parts = (connector["ConnectorElectricity"] for connector in equipment["ConnectorStatsInfos"])
        yield from _sums(field, equipment["EquipmentElectricity"], parts)


def _sums(field: str, total: Decimal, parts: Iterable[Decimal]) -> Iterator[Flaw]:
    summed = sum(parts, Decimal(0))
    if summed != total:
        yield Flaw(Kind.ARITHMETIC, field, f"{total} but its parts sum to {summed}")
