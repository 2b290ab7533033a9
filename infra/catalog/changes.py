"""What a catalog changes on `station-catalog`: which stations are written, left as they are, and taken out.

A station that says what the topic has already keeps its time of change, since platforms ask for what has changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from infra.catalog.errors import ClashingCatalog
from infra.catalog.faults import FAULTS_TOLD
from schemas.records.station import Station

#: The topic's stations by StationID; None where what lies there can't be read.
There = Mapping[str, Station | None]


@dataclass(frozen=True, slots=True)
class Changes:
    """Stations to write, how many are as they were, and StationIDs that only the topic has: to take out or to leave."""

    added: tuple[Station, ...]
    changed: tuple[Station, ...]
    unchanged: int
    removed: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def written(self) -> tuple[Station, ...]:
        """All stations to write."""
        return self.added + self.changed


def changes(stations: Iterable[Station], there: There, now_ms: int, remove_missing: bool) -> Changes:
    """What loading these stations does; those that are written change at `now_ms`, UTC.

    Raises ClashingCatalog if a station that is left on the topic has equipment or a connector that is another's in
    the file.
    """
    given = list(stations)
    added: list[Station] = []
    changed: list[Station] = []
    for station in given:
        old = there.get(station.station_id)
        if old is None or replace(old, changed_at=0) != replace(station, changed_at=0):
            new = replace(station, changed_at=now_ms)
            (changed if station.station_id in there else added).append(new)
    missing = tuple(sorted(there.keys() - {station.station_id for station in given}))
    left = () if remove_missing else missing
    clashes = list(_clashes(given, [old for name in left if (old := there[name]) is not None]))
    if clashes:
        raise ClashingCatalog(clashes[:FAULTS_TOLD], len(clashes))
    return Changes(
        added=tuple(added),
        changed=tuple(changed),
        unchanged=len(given) - len(added) - len(changed),
        removed=missing if remove_missing else (),
        left=left,
    )


def _clashes(given: Iterable[Station], left: Iterable[Station]) -> Iterator[str]:
    owner = {name: station.station_id for station in given for name in _ids(station)}
    for station in left:
        for kind, name in _ids(station):
            if (kind, name) in owner:
                yield f"{kind} {name} is {station.station_id}'s on the topic, and {owner[kind, name]}'s in the file"


def _ids(station: Station) -> Iterator[tuple[str, str]]:
    for equipment in station.equipment:
        yield "equipment", equipment.equipment_id
        for connector in equipment.connectors:
            yield "connector", connector.connector_id
