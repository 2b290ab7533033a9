"""query_station_stats (Beijing V1.1 §1.1.4): the electricity of a station, its equipment and its connectors by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import day, identifier
from connectors.protocol.errors import BadPayload

INTERFACE = "query_station_stats"
FIELDS = (
    *("StationStats", "StationID", "StartTime", "EndTime", "StationElectricity"),
    *("EquipmentStatsInfos", "EquipmentID", "EquipmentElectricity"),
    *("ConnectorStatsInfos", "ConnectorID", "ConnectorElectricity"),
)

#: Longer spans are asked for in parts: a platform asks for a week at a time (§1.1.4).
DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class StatsAsked:
    """A station and its days, first and last included, Beijing time."""

    station_id: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class EquipmentElectricity:
    """One charger: kWh by ConnectorID."""

    equipment_id: str
    by_connector_kwh: Mapping[str, Decimal]


def read_request(payload: Mapping[str, object], dialect: Dialect, today: date) -> StatsAsked:
    """What is asked on `today`, Beijing time; the last day may be to come, the first may not. Raises BadPayload."""
    asked = StatsAsked(
        identifier(payload, "StationID", dialect),
        day(payload, "StartTime", dialect),
        day(payload, "EndTime", dialect),
    )
    if asked.first > today:
        raise BadPayload("is in the future", dialect.name("StartTime"))
    if asked.last < asked.first:
        raise BadPayload("is before StartTime", dialect.name("EndTime"))
    if (asked.last - asked.first).days >= DAYS_MAX:
        raise BadPayload(f"makes more than {DAYS_MAX} days", dialect.name("EndTime"))
    return asked


def response(asked: StatsAsked, equipment: list[EquipmentElectricity], dialect: Dialect) -> dict[str, object]:
    """Each sum is that of the rounded figures below it. Raises Unreportable."""
    infos: list[dict[str, object]] = []
    station_kwh = Decimal(0)
    for one in equipment:
        connectors = [
            {
                "ConnectorID": dialect.identifier("ConnectorID", connector_id),
                "ConnectorElectricity": dialect.amount("ConnectorElectricity", kwh),
            }
            for connector_id, kwh in one.by_connector_kwh.items()
        ]
        rounded = (dialect.amount("ConnectorElectricity", kwh) for kwh in one.by_connector_kwh.values())
        equipment_kwh = sum(rounded, Decimal(0))
        station_kwh += equipment_kwh
        infos.append(
            {
                "EquipmentID": dialect.identifier("EquipmentID", one.equipment_id),
                "EquipmentElectricity": dialect.amount("EquipmentElectricity", equipment_kwh),
                "ConnectorStatsInfos": connectors,
            }
        )
    stats = {
        "StationID": dialect.identifier("StationID", asked.station_id),
        "StartTime": asked.first.isoformat(),
        "EndTime": asked.last.isoformat(),
        "StationElectricity": dialect.amount("StationElectricity", station_kwh),
        "EquipmentStatsInfos": infos,
    }
    return dialect.apply(INTERFACE, {"StationStats": stats})
