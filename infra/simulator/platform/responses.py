"""The field tables of what the operator answers to a platform's queries, inside `Data`.

Collected like the tables of pushes, in `tables`, of which the charging status is used again. What must hold between
fields, and between an answer and its question, is decided in `response_rules`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from infra.simulator.platform import dialect as names
from infra.simulator.platform import queries as q
from infra.simulator.platform.dialect import Dialect
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.fields import Field, Table, fixed, rows, text, whole
from infra.simulator.platform.station_tables import (
    EQUIPMENT_ID,
    MAX_CONNECTORS,
    MAX_EQUIPMENTS,
    STATION_ID,
    station_table,
)
from infra.simulator.platform.tables import (
    CHARGE_STAT,
    CUSTOM_REASON,
    MAX_PERIODS,
    SEQ,
    SUCCESS,
    Tables,
    connector_status,
    dialect_table,
)
from infra.simulator.platform.texts import day, matching, organisation, time_of_day

MAX_STATIONS = 1000
"""Stations in one answer: no known operator serves a page of more than 200."""
# Visible characters of ASCII, since it goes into a header; the standard does not limit them, 64 are usual.
ACCESS_TOKEN = matching(r"[!-~]{0,512}", "at most 512 visible characters of ASCII", Kind.LENGTH)


class Responses:
    """The tables of one dialect, by query interface; built once per caller."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._connector_id = text(dialect.connector_id_max)
        self.by_interface = {
            names.QUERY_TOKEN: self._token(),
            q.QUERY_STATIONS: self._stations(),
            q.QUERY_STATUSES: self._statuses(),
            q.QUERY_STATS: self._stats(),
            q.QUERY_AUTH: self._table([Field("EquipAuthSeq", SEQ), *self._outcome()]),
            q.QUERY_POLICY: self._policy(),
            q.QUERY_START: self._table([*self._charge(), *self._outcome()]),
            q.QUERY_STOP: self._table([*self._charge(), *self._success()]),
            q.QUERY_CHARGE: self._charge_status(),
        }

    def _table(self, fields: Iterable[Field]) -> Table:
        return dialect_table(self._dialect, fields)

    def _token(self) -> Table:
        """T/CEC 102.4 query_token; Beijing V1.1 §1.1.16. A refusal has an empty token and no time."""
        return self._table(
            [
                Field("OperatorID", organisation()),
                Field("SuccStat", SUCCESS),
                Field("AccessToken", ACCESS_TOKEN),
                Field("TokenAvailableTime", whole()),
                Field("FailReason", CUSTOM_REASON),
            ]
        )

    def _stations(self) -> Table:
        """T/CEC 102.2 query_stations_info; Beijing V1.1 §1.1.1."""
        return self._table(
            [
                Field("PageNo", whole(1)),
                Field("PageCount", whole()),
                Field("ItemSize", whole()),
                Field("StationInfos", rows(station_table(self._dialect), MAX_STATIONS)),
            ]
        )

    def _statuses(self) -> Table:
        """T/CEC 102.2 query_station_status; Beijing V1.1 §1.1.3."""
        station = self._table(
            [
                Field("StationID", STATION_ID),
                Field("ConnectorStatusInfos", rows(connector_status(self._dialect), MAX_EQUIPMENTS * MAX_CONNECTORS)),
            ]
        )
        return self._table([Field("Total", whole()), Field("StationStatusInfos", rows(station, MAX_STATIONS))])

    def _stats(self) -> Table:
        """T/CEC 102.2 query_station_stats; Beijing V1.1 §1.1.4."""
        connector = self._table([Field("ConnectorID", self._connector_id), Field("ConnectorElectricity", fixed(1))])
        equipment = self._table(
            [
                Field("EquipmentID", EQUIPMENT_ID),
                Field("EquipmentElectricity", fixed(1)),
                Field("ConnectorStatsInfos", rows(connector, MAX_CONNECTORS)),
            ]
        )
        station = self._table(
            [
                Field("StationID", STATION_ID),
                Field("StartTime", day()),
                Field("EndTime", day()),
                Field("StationElectricity", fixed(1)),
                Field("EquipmentStatsInfos", rows(equipment, MAX_EQUIPMENTS)),
            ]
        )
        return self._table([Field("StationStats", station.check)])

    def _policy(self) -> Table:
        """T/CEC 102.3 query_equip_business_policy; Beijing V1.1 §1.1.6."""
        period = self._table(
            [Field("StartTime", time_of_day()), Field("ElecPrice", fixed(4)), Field("SevicePrice", fixed(4))]
        )
        return self._table(
            [
                Field("EquipBizSeq", SEQ),
                *self._outcome(),
                Field("SumPeriod", whole(0, MAX_PERIODS)),
                Field("PolicyInfos", rows(period, MAX_PERIODS)),
            ]
        )

    def _charge_status(self) -> Table:
        """T/CEC 102.3 query_equip_charge_status: what is pushed as well; Beijing V1.1 §1.1.9 and §2.2.1."""
        pushed = Tables(replace(self._dialect, interfaces=frozenset({names.CHARGE_STATUS})))
        return pushed.by_interface[names.CHARGE_STATUS]

    def _charge(self) -> list[Field]:
        return [Field("StartChargeSeq", SEQ), Field("StartChargeSeqStat", CHARGE_STAT)]

    def _outcome(self) -> list[Field]:
        return [Field("ConnectorID", self._connector_id), *self._success()]

    def _success(self) -> list[Field]:
        return [Field("SuccStat", SUCCESS), Field("FailReason", CUSTOM_REASON)]
