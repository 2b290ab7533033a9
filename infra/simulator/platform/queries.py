"""What a platform asks of an operator: the nine query interfaces, their payloads, and how soon an answer is due.

How a query travels is decided in `caller`, what its answer must hold in `responses` and `response_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.simulator.platform.dialect import QUERY_TOKEN
from infra.simulator.platform.wire_json import Payload

QUERY_STATIONS = "query_stations_info"
QUERY_STATUSES = "query_station_status"
QUERY_STATS = "query_station_stats"
QUERY_AUTH = "query_equip_auth"
QUERY_POLICY = "query_equip_business_policy"
QUERY_START = "query_start_charge"
QUERY_STOP = "query_stop_charge"
QUERY_CHARGE = "query_equip_charge_status"

DEADLINES_S: Mapping[str, float] = {
    QUERY_TOKEN: 1.0,
    QUERY_STATIONS: 3.0,
    QUERY_STATUSES: 3.0,
    QUERY_STATS: 3.0,
    QUERY_AUTH: 1.0,
    QUERY_POLICY: 1.0,
    QUERY_START: 1.0,
    QUERY_STOP: 1.0,
    QUERY_CHARGE: 1.0,
}
"""Beijing V1.1 §1.1.1, §1.1.3–1.1.7, §1.1.9, §1.1.11 and §1.1.16."""
QUERIES = tuple(DEADLINES_S)

PAGE_SIZE = 10
"""The standard's PageSize where none is asked for."""
MAX_PAGE_SIZE = 100
"""The largest PageSize that every known operator serves."""
MAX_STATIONS_ASKED = 50
"""StationIDs in one query_station_status."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question. The payload is not printed, since that of query_token holds a secret."""

    interface: str
    payload: Payload = field(repr=False)


def ask_token(operator_id: str, operator_secret: str) -> Query:
    """T/CEC 102.4 query_token: the platform names itself and proves it with its secret."""
    return Query(QUERY_TOKEN, {"OperatorID": operator_id, "OperatorSecret": operator_secret})


def ask_stations(page_no: int = 1, page_size: int = PAGE_SIZE, last_query_time: str = "") -> Query:
    """T/CEC 102.2 query_stations_info: what changed since `yyyy-MM-dd HH:mm:ss`, all if that is empty."""
    return Query(QUERY_STATIONS, {"LastQueryTime": last_query_time, "PageNo": page_no, "PageSize": page_size})


def ask_statuses(station_ids: Sequence[str]) -> Query:
    """T/CEC 102.2 query_station_status: an operator need not answer for more than MAX_STATIONS_ASKED."""
    return Query(QUERY_STATUSES, {"StationIDs": list(station_ids)})


def ask_stats(station_id: str, start: str, end: str) -> Query:
    """T/CEC 102.2 query_station_stats: the days `start` to `end`, each `yyyy-MM-dd`."""
    return Query(QUERY_STATS, {"StationID": station_id, "StartTime": start, "EndTime": end})


def ask_auth(seq: str, connector_id: str) -> Query:
    """T/CEC 102.3 query_equip_auth: may a charge begin at the connector?"""
    return Query(QUERY_AUTH, {"EquipAuthSeq": seq, "ConnectorID": connector_id})


def ask_policy(seq: str, connector_id: str) -> Query:
    """T/CEC 102.3 query_equip_business_policy: what does a charge at the connector cost?"""
    return Query(QUERY_POLICY, {"EquipBizSeq": seq, "ConnectorID": connector_id})


def ask_start(seq: str, connector_id: str, qr_code: str = "") -> Query:
    """T/CEC 102.3 query_start_charge: begin the charge that is called `seq` from now on."""
    return Query(QUERY_START, {"StartChargeSeq": seq, "ConnectorID": connector_id, "QRCode": qr_code})


def ask_stop(seq: str, connector_id: str) -> Query:
    """T/CEC 102.3 query_stop_charge: end the charge."""
    return Query(QUERY_STOP, {"StartChargeSeq": seq, "ConnectorID": connector_id})


def ask_charge(seq: str) -> Query:
    """T/CEC 102.3 query_equip_charge_status: how far is the charge?"""
    return Query(QUERY_CHARGE, {"StartChargeSeq": seq})
