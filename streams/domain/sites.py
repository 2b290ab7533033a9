"""Where connectors stand: what tracking needs of the station catalog."""

from decimal import Decimal

from schemas.records.station import Station
from streams.domain.tariff import FREE, Tariff

_UNKNOWN_POWER = Decimal("0.0")


class Sites:
    """The newest catalog: tariff by station, rated power by connector. Filled station by station."""

    def __init__(self) -> None:
        self._tariffs: dict[str, Tariff] = {}
        self._connectors: dict[str, tuple[str, Decimal]] = {}

    def put(self, station: Station) -> None:
        """Takes a station's newest version; connectors that it no longer has stay known."""
        self._tariffs[station.station_id] = Tariff.of(station.tariff)
        for equipment in station.equipment:
            for connector in equipment.connectors:
                self._connectors[connector.connector_id] = (station.station_id, connector.power_kw)

    def tariff(self, station_id: str) -> Tariff:
        """The station's tariff; an unknown station's energy is free until a bill says otherwise."""
        return self._tariffs.get(station_id, FREE)

    def knows(self, connector_id: str) -> bool:
        """Whether the catalog has this connector."""
        return connector_id in self._connectors

    def power_kw(self, connector_id: str) -> Decimal:
        """Rated power in kW, 0.0 if unknown."""
        known = self._connectors.get(connector_id)
        return known[1] if known else _UNKNOWN_POWER

    def station_id(self, connector_id: str) -> str:
        """The station that the connector belongs to, empty if unknown."""
        known = self._connectors.get(connector_id)
        return known[0] if known else ""
