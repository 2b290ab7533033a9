"""The catalog in memory: each station as its record's bytes, and where each connector stands."""

from typing import NamedTuple

from connectors.scope import Whereabouts
from schemas.codec import Codec
from schemas.records.station import Station, TariffPeriod


class Equipped(NamedTuple):
    """One charger and its connectors."""

    equipment_id: str
    connector_ids: tuple[str, ...]


class KnownStation(NamedTuple):
    """A station as the catalog has it; `record` is the whole of it, encoded. `changed_at` in UTC ms."""

    station_id: str
    where: Whereabouts
    changed_at: int
    equipment: tuple[Equipped, ...]
    tariff: tuple[TariffPeriod, ...]
    record: bytes


class Stations:
    """Filled by one thread, read by another; a station is replaced as a whole. `version` grows with every change."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._stations: dict[str, KnownStation] = {}
        self._of_connector: dict[str, str] = {}
        self._tariffs: dict[tuple[TariffPeriod, ...], tuple[TariffPeriod, ...]] = {}
        self.version = 0

    def __len__(self) -> int:
        return len(self._stations)

    def put(self, key: bytes, value: bytes | None) -> None:
        """A record of `station-catalog`. Raises UndecodableRecord."""
        if value is None:
            self._remove(key.decode(errors="replace"))
        else:
            self._take(self._codec.decode_as(Station, value), value)
        self.version += 1

    def all(self) -> list[KnownStation]:
        """Every station."""
        return list(self._stations.values())

    def get(self, station_id: str) -> KnownStation | None:
        """A station."""
        return self._stations.get(station_id)

    def of_connector(self, connector_id: str) -> KnownStation | None:
        """The station that has the connector now."""
        return self._stations.get(self._of_connector.get(connector_id, ""))

    def decoded(self, station: KnownStation) -> Station:
        """All that the catalog says of a station."""
        return self._codec.decode_as(Station, station.record)

    def settle(self) -> None:
        """Once all that lay on the topic has been read: stations of different partitions come in any order, so a
        connector that moved may have come home to where it was, and have been forgotten there."""
        self._of_connector = {
            connector_id: station.station_id
            for station in self._stations.values()
            for connector_id in _connectors(station)
        }

    def _take(self, station: Station, record: bytes) -> None:
        before = self._stations.get(station.station_id)
        equipment = tuple(
            Equipped(one.equipment_id, tuple(connector.connector_id for connector in one.connectors))
            for one in station.equipment
        )
        known = KnownStation(
            station.station_id,
            Whereabouts(station.operator_id, station.area_code),
            station.changed_at,
            equipment,
            self._tariffs.setdefault(station.tariff, station.tariff),
            record,
        )
        self._stations[known.station_id] = known
        for connector_id in _connectors(known):
            self._of_connector[connector_id] = known.station_id
        if before is not None:
            self._forget_connectors(before, _connectors(known))

    def _remove(self, station_id: str) -> None:
        before = self._stations.pop(station_id, None)
        if before is not None:
            self._forget_connectors(before, frozenset())

    def _forget_connectors(self, before: KnownStation, kept: frozenset[str]) -> None:
        for connector_id in _connectors(before) - kept:
            if self._of_connector.get(connector_id) == before.station_id:
                del self._of_connector[connector_id]


def _connectors(station: KnownStation) -> frozenset[str]:
    return frozenset(connector_id for one in station.equipment for connector_id in one.connector_ids)
