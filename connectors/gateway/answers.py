"""The answers to a platform's calls, by interface: what was asked, the facts from the views, the payload."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

from connectors.gateway.charges import Charges
from connectors.gateway.command_desk import CommandDesk
from connectors.gateway.pages import Pages
from connectors.gateway.peer import Peer
from connectors.gateway.statistics import Statistics
from connectors.gateway.views.sight import Sight, Views
from connectors.interfaces.served import (
    query_equip_auth,
    query_equip_business_policy,
    query_equip_charge_status,
    query_start_charge,
    query_station_stats,
    query_station_status,
    query_stations_info,
    query_stop_charge,
    query_token,
)
from connectors.interfaces.served.query_station_status import ConnectorNow
from connectors.protocol.beijing_time import day_of
from connectors.protocol.errors import BadPayload, Unreportable

log = logging.getLogger(__name__)

Payload = Mapping[str, object]
Answer = dict[str, object]


class Answers:
    """One platform's. Every method takes the decrypted payload, and raises BadPayload, Unreportable or Refused."""

    def __init__(
        self,
        peer: Peer,
        views: Views,
        desk: CommandDesk,
        statistics: Statistics,
        now_ms: Callable[[], int],
    ) -> None:
        self._peer = peer
        self._views = views
        self._statistics = statistics
        self._now_ms = now_ms
        self._dialect = peer.dialect
        self._sight = Sight(peer.platform.scope, views)
        self._charges = Charges(self._sight, views, peer.name)
        self._desk = desk
        self._pages = Pages(self._sight, views, self._dialect, peer.platform.gateway.page_size_max, self._unreportable)
        self.by_interface: dict[str, Callable[[Payload], Awaitable[Answer]]] = {
            query_token.INTERFACE: self.token,
            query_stations_info.INTERFACE: self.stations_info,
            query_station_status.INTERFACE: self.station_status,
            query_station_stats.INTERFACE: self.station_stats,
            query_equip_auth.INTERFACE: self.equip_auth,
            query_equip_business_policy.INTERFACE: self.business_policy,
            query_equip_charge_status.INTERFACE: self.charge_status,
            query_start_charge.INTERFACE: self.start_charge,
            query_stop_charge.INTERFACE: self.stop_charge,
        }

    async def token(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.16."""
        asked = query_token.read_request(payload, self._dialect)
        grant = self._peer.grant(asked, self._now_ms() / 1000)
        return query_token.response(grant)

    async def stations_info(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.1."""
        return await self._pages.answer(query_stations_info.read_request(payload, self._dialect))

    async def station_status(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.3. Stations that there are not are left out, and Total does not count them."""
        asked = query_station_status.read_request(payload, self._dialect)
        known = [station for station_id in asked if (station := self._sight.station(station_id)) is not None]
        statuses = self._views.connectors.statuses
        told = (
            (
                station.station_id,
                [ConnectorNow(c, *statuses(c)) for one in station.equipment for c in one.connector_ids],
            )
            for station in known
        )
        return query_station_status.response(told, self._dialect)

    async def station_stats(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.4."""
        asked = query_station_stats.read_request(payload, self._dialect, day_of(self._now_ms()))
        station = self._sight.station(asked.station_id)
        if station is None:
            raise BadPayload("is no station of yours", self._dialect.name("StationID"))
        kwh = await self._statistics.electricity_kwh(asked.station_id, asked.first, asked.last)
        equipment = [
            query_station_stats.EquipmentElectricity(
                one.equipment_id, {c: kwh.get(c, Decimal(0)) for c in one.connector_ids}
            )
            for one in station.equipment
        ]
        return query_station_stats.response(asked, equipment, self._dialect)

    async def equip_auth(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.5."""
        asked = query_equip_auth.read_request(payload, self._dialect)
        statuses = self._sight.statuses(asked.connector_id)
        failure = query_equip_auth.verdict(None if statuses is None else statuses.status)
        return query_equip_auth.response(asked, failure, self._dialect)

    async def business_policy(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.6."""
        asked = query_equip_business_policy.read_request(payload, self._dialect)
        station = self._sight.station_of(asked.connector_id)
        return query_equip_business_policy.response(asked, () if station is None else station.tariff, self._dialect)

    async def charge_status(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.9."""
        seq = query_equip_charge_status.read_request(payload, self._dialect)
        found = self._charges.status(seq, self._dialect, self._now_ms())
        if found is None:
            raise BadPayload("is no charge that is known", self._dialect.name("StartChargeSeq"))
        return found

    async def start_charge(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.7."""
        asked = query_start_charge.read_request(payload, self._dialect)
        return query_start_charge.response(
            asked.charge, *await self._desk.start(asked, self._peer.platform, self._sight, self._charges), self._dialect
        )

    async def stop_charge(self, payload: Payload) -> Answer:
        """Beijing V1.1 §1.1.11."""
        asked = query_stop_charge.read_request(payload, self._dialect)
        return query_stop_charge.response(
            asked, *await self._desk.stop(asked, self._sight, self._charges), self._dialect
        )

    def _unreportable(self, station_id: str, error: Unreportable) -> None:
        log.error("%s is not told of station %r: %s", self._peer.name, station_id, error)
