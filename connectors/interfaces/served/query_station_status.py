"""query_station_status (Beijing V1.1 §1.1.3): the connectors' statuses of up to 50 stations."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from connectors.interfaces import station_status
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import checked_length
from connectors.protocol import fields
from connectors.protocol.errors import BadPayload

INTERFACE = "query_station_status"
FIELDS = (
    *("Total", "StationStatusInfos", "StationID", "ConnectorStatusInfos"),
    *("ConnectorID", "Status", "ParkStatus", "LockStatus"),
)

#: T/CEC 102: no more stations in one question.
STATIONS_MAX = 50


class ConnectorNow(NamedTuple):
    """A connector and its three statuses, as the standard numbers them."""

    connector_id: str
    status: int
    park_status: int
    lock_status: int


def read_request(payload: Mapping[str, object], dialect: Dialect) -> tuple[str, ...]:
    """The StationIDs, each once. Raises BadPayload."""
    name = dialect.name("StationIDs")
    asked = fields.find(payload, name)
    if asked is None:
        raise BadPayload("is missing", name)
    if not isinstance(asked, list):
        raise BadPayload("is not an array", name)
    if not 0 < len(asked) <= STATIONS_MAX:
        raise BadPayload(f"has {len(asked)} stations, 1 to {STATIONS_MAX} are allowed", name)
    for station_id in asked:
        if not isinstance(station_id, str) or not station_id:
            raise BadPayload("has what is not a StationID", name)
        checked_length(station_id, "StationID", dialect)
    return tuple(dict.fromkeys(asked))


def response(stations: Iterable[tuple[str, Iterable[ConnectorNow]]], dialect: Dialect) -> dict[str, object]:
    """The stations that there are, with all their connectors. Raises Unreportable."""
    infos = [
        {
            "StationID": dialect.identifier("StationID", station_id),
            "ConnectorStatusInfos": [station_status.info(*connector, dialect) for connector in connectors],
        }
        for station_id, connectors in stations
    ]
    return dialect.apply(INTERFACE, {"Total": len(infos), "StationStatusInfos": infos})
