"""Whether the electricity that the platform is told of, and that the warehouse holds, is what the chargers counted."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connectors.errors import WarehouseError
from infra.demo.round_trip import RoundTripFailed, statistics, today
from infra.demo.warehouse import DemoWarehouse
from infra.simulator.platform.caller import Caller
from infra.simulator.platform.errors import CallError
from infra.simulator.platform.settings import CallerSettings

#: So many stations are asked for: of a large fleet some, since each is a call.
STATIONS_ASKED = 10

#: Electricity goes out with one decimal of a kWh: a connector's may differ by half of it.
_ROUNDED_KWH = 0.05
_DUST_KWH = 1e-9


@dataclass(frozen=True, slots=True)
class Electricity:
    """kWh of all connectors as they metered and as the warehouse holds them; of those of `stations_asked` stations as
    the platform was told. `failure` is empty if the first two are equal, and each connector's answer is its meter's."""

    metered_kwh: float = 0.0
    stored_kwh: float = 0.0
    stations_asked: int = 0
    told_kwh: float = 0.0
    failure: str = "not asked for"


def compare(
    warehouse: DemoWarehouse,
    settings: CallerSettings,
    stations: Collection[str],
    metered_wh: Mapping[str, int],
    first_day: str,
) -> Electricity:
    """Asks for the days from `first_day` until today. Never raises."""
    asked = sorted(stations)[:STATIONS_ASKED]
    stored_wh, told, failure = 0, dict[str, float](), ""
    try:
        stored_wh = warehouse.energy_wh(first_day, today())
        told = asyncio.run(_told(settings, asked, first_day))
    except (WarehouseError, CallError, RoundTripFailed) as error:
        failure = str(error)
    apart = {c: kwh for c, kwh in told.items() if abs(kwh - _kwh(metered_wh, c)) > _ROUNDED_KWH + _DUST_KWH}
    if apart:
        first, kwh = min(apart.items())
        failure = f"{len(apart)} connectors differ: {first} is told as {kwh} kWh, metered {_kwh(metered_wh, first)} kWh"
    elif not failure and stored_wh != sum(metered_wh.values()):
        failure = "what the warehouse holds is not what was metered"
    return Electricity(
        metered_kwh=sum(metered_wh.values()) / 1000,
        stored_kwh=stored_wh / 1000,
        stations_asked=len(asked),
        told_kwh=round(sum(told.values()), 1),
        failure=failure,
    )


def _kwh(metered_wh: Mapping[str, int], connector_id: str) -> float:
    return metered_wh.get(connector_id, 0) / 1000


async def _told(settings: CallerSettings, stations: Collection[str], first_day: str) -> dict[str, float]:
    """kWh by ConnectorID."""
    told: dict[str, float] = {}
    async with Caller(settings) as caller:
        for station_id in stations:
            stats = (await statistics(caller, station_id, first_day, today()))["StationStats"]
            for equipment in stats["EquipmentStatsInfos"]:
                for connector in equipment["ConnectorStatsInfos"]:
                    told[connector["ConnectorID"]] = float(connector["ConnectorElectricity"])
    return told
