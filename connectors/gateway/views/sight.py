"""What one platform may see of the views: the stations in its profile's scope, and what stands on them."""

from typing import NamedTuple

from connectors.gateway.views.commands import Commands
from connectors.gateway.views.connectors import Connectors, Statuses
from connectors.gateway.views.ended import EndedCharges
from connectors.gateway.views.known_state import KnownState
from connectors.gateway.views.samples import Samples
from connectors.gateway.views.stations import KnownStation, Stations
from connectors.policies import Scope
from connectors.scope import Verdict, judge
from schemas.codec import Codec


class Views(NamedTuple):
    """All that the gateway keeps."""

    stations: Stations
    connectors: Connectors
    samples: Samples
    ended: EndedCharges
    commands: Commands

    @classmethod
    def empty(cls, codec: Codec) -> "Views":
        """Before anything has been read."""
        connectors = Connectors(codec)
        samples = Samples(codec, connectors.charges)
        return cls(Stations(codec), connectors, samples, EndedCharges(codec), Commands(codec))


class Sight:
    """One platform's view of all; what is out of its scope does not exist."""

    def __init__(self, scope: Scope, views: Views) -> None:
        self._scope = scope
        self._views = views
        self._sorted: tuple[int, list[KnownStation]] = (-1, [])

    def station(self, station_id: str) -> KnownStation | None:
        """A station of the catalog."""
        return self._seen(self._views.stations.get(station_id))

    def stations(self) -> list[KnownStation]:
        """Every station, by StationID; not to be changed."""
        version, found = self._sorted
        if version != self._views.stations.version:
            version = self._views.stations.version
            seen = [station for station in self._views.stations.all() if self._seen(station)]
            found = sorted(seen, key=lambda station: station.station_id)
            self._sorted = (version, found)
        return found

    def station_of(self, connector_id: str) -> KnownStation | None:
        """Where a connector of the catalog stands."""
        return self._seen(self._views.stations.of_connector(connector_id))

    def statuses(self, connector_id: str) -> Statuses | None:
        """How a connector stands; None for one that there is not."""
        return self._views.connectors.statuses(connector_id) if self.station_of(connector_id) else None

    def state(self, connector_id: str) -> KnownState | None:
        """All that is known of a connector; None for one that there is not, or that has never said anything."""
        return self._views.connectors.state(connector_id) if self.station_of(connector_id) else None

    def _seen(self, station: KnownStation | None) -> KnownStation | None:
        if station is None or judge(self._scope, station.station_id, station.where) is not Verdict.IN:
            return None
        return station
