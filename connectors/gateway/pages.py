"""Pages of query_stations_info: a set of stations stays the same while a platform turns its pages, and a long page is
put together without holding up others."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import msgspec

from connectors.gateway.views.sight import Sight, Views
from connectors.gateway.views.stations import KnownStation
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served import query_stations_info as interface
from connectors.interfaces.served.query_stations_info import StationsAsked
from connectors.protocol import wire_json
from connectors.protocol.errors import Unreportable

#: A station counts as changed for so long before LastQueryTime, ms: a catalog is stamped before it is written, records
#: are read later than that, and clocks differ. A station that is told of twice costs nothing; one that is never told of
#: is wrong.
OVERLAP_MS = 600_000

#: A set that nobody has turned a page of for so long is taken anew, s.
_KEPT_S = 600

#: Who has asked for a page that was not the last one has so long for the next, s: a first page for somebody else is of
#: the same set meanwhile.
_READ_S = 60

#: But not of one that is older, s: half the overlap, so that what it lacks is told of when the platform next asks.
_SHARED_S = 300

#: Sets of one platform that are kept at once.
_SETS_MAX = 16

#: The event loop belongs to others after so long, s.
_SLICE_S = 0.005


@dataclass(slots=True)
class _Set:
    """The stations of a set, and until when it is kept and read (s of the clock)."""

    taken_at: float
    stations: list[KnownStation]
    kept_until: float = 0.0
    read_until: float = 0.0

    def is_for(self, page_no: int, now: float) -> bool:
        """Whether the page is to be of this set: the first page begins another one, unless somebody reads this."""
        if page_no > interface.FIRST_PAGE:
            return now < self.kept_until
        return now < min(self.read_until, self.taken_at + _SHARED_S)


class Pages:
    """Of one platform. Each instance has its own sets: behind a balancer the pages of one set belong to one instance,
    or a station that comes or goes meanwhile may be missed or seen twice."""

    def __init__(
        self,
        sight: Sight,
        views: Views,
        dialect: Dialect,
        page_size_max: int,
        on_unreportable: Callable[[str, Unreportable], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sight = sight
        self._views = views
        self._dialect = dialect
        self._page_size_max = page_size_max
        self._on_unreportable = on_unreportable
        self._clock = clock
        self._sets: OrderedDict[int | None, _Set] = OrderedDict()
        self._encoded: dict[str, tuple[bytes, msgspec.Raw | None]] = {}

    async def answer(self, asked: StationsAsked) -> dict[str, object]:
        """The page that was asked for; behind the last one an empty one."""
        size = min(asked.page_size, self._page_size_max)
        found = self._set(asked, size)
        begin = (asked.page_no - 1) * size
        infos = await self._infos(found[begin : begin + size])
        page = interface.answer(asked.page_no, ceil(len(found) / size), len(found), infos)
        return self._dialect.apply(interface.INTERFACE, page)

    def _set(self, asked: StationsAsked, size: int) -> list[KnownStation]:
        """The set that the page is of."""
        now, since = self._clock(), asked.last_query_time_ms
        found = self._sets.pop(since, None)
        if found is not None and found.is_for(asked.page_no, now):
            # A first page that is asked for again and again reads nothing on: it is new after a while.
            reads_on = asked.page_no > interface.FIRST_PAGE
        else:
            found, reads_on = _Set(now, self._changed(since)), True
        found.kept_until = now + _KEPT_S
        if reads_on and asked.page_no * size < len(found.stations):
            found.read_until = now + _READ_S
        self._sets[since] = found
        if len(self._sets) > _SETS_MAX:
            self._sets.popitem(last=False)
        return found.stations

    def _changed(self, since: int | None) -> list[KnownStation]:
        """The stations that a LastQueryTime (UTC ms) asks for; all without one."""
        stations = self._sight.stations()
        if since is None:
            return stations
        return [station for station in stations if station.changed_at >= since - OVERLAP_MS]

    async def _infos(self, stations: list[KnownStation]) -> list[msgspec.Raw]:
        infos: list[msgspec.Raw] = []
        slice_ends = time.monotonic() + _SLICE_S
        for station in stations:
            info = self._info(station)
            if info is not None:
                infos.append(info)
            if time.monotonic() > slice_ends:
                await asyncio.sleep(0)
                slice_ends = time.monotonic() + _SLICE_S
        return infos

    def _info(self, station: KnownStation) -> msgspec.Raw | None:
        """A station as it was when the set was taken, encoded once; None for one that can't be told of."""
        known = self._encoded.get(station.station_id)
        if known is not None and known[0] is station.record:
            return known[1]
        info: msgspec.Raw | None = None
        try:
            payload = interface.station_info(self._views.stations.decoded(station), self._dialect)
            info = msgspec.Raw(wire_json.encode(self._dialect.part(interface.INTERFACE, "StationInfos", payload)))
        except Unreportable as error:
            self._on_unreportable(station.station_id, error)
        self._encoded[station.station_id] = (station.record, info)
        return info
