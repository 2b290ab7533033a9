"""Which lane topics a record goes to: of every platform that supervises its station and wants to be told of it."""

from collections.abc import Sequence
from typing import NamedTuple

from connectors.delivery.topics import LANES, Lane, lane_topic
from connectors.platform import Platform
from connectors.scope import Verdict, Whereabouts, judge
from schemas.codec import RECORD_TYPES
from schemas.records.derived import Derived

#: Decisions that are remembered: as many as 25,000 stations with all kinds of records.
_REMEMBERED_MAX = 100_000

_LANE_OF: dict[type, Lane] = {RECORD_TYPES[name]: lane for lane, names in LANES.items() for name in names}


class Route(NamedTuple):
    """Lane topics (without an installation's prefix), and the platforms that only the catalog could decide on."""

    topics: tuple[str, ...]
    undecided: tuple[str, ...]


class Routes:
    """Decides by profiles and stations; a decision is made once for all records that are alike in what counts."""

    def __init__(self, platforms: Sequence[Platform]) -> None:
        self._platforms = tuple(platforms)
        self._stations: dict[str, Whereabouts] = {}
        self._decided: dict[tuple[type, int | None, str], Route] = {}

    def station_is(self, station_id: str, station: Whereabouts | None) -> None:
        """The catalog says where a station is, or, with None, that there is no such station."""
        if self._stations.get(station_id) == station:
            return
        if station is None:
            del self._stations[station_id]
        else:
            self._stations[station_id] = station
        self._decided.clear()

    def of(self, record: Derived) -> Route:
        """Where the record goes."""
        like = type(record), getattr(record, "charge_model", None), record.station_id
        route = self._decided.get(like)
        if route is None:
            if len(self._decided) >= _REMEMBERED_MAX:
                self._decided.clear()
            route = self._decided[like] = self._decide(record)
        return route

    def _decide(self, record: Derived) -> Route:
        lane = _LANE_OF[type(record)]
        station = self._stations.get(record.station_id)
        topics: list[str] = []
        undecided: list[str] = []
        for platform in self._platforms:
            if not platform.pushes(record):
                continue
            verdict = judge(platform.scope, record.station_id, station)
            if verdict is Verdict.IN:
                topics.append(lane_topic(platform.name, lane))
            elif verdict is Verdict.UNKNOWN:
                undecided.append(platform.name)
        return Route(tuple(topics), tuple(undecided))
