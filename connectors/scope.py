"""Whether a platform supervises a station: its profile's scope against what the catalog says of the station."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from connectors.policies import Scope


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a scope asks of a station, as `station-catalog` has it."""

    operator_id: str
    area_code: str


class Verdict(Enum):
    """IN and OUT are certain. UNKNOWN: the catalog would have to say, and has no such station."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


def asks_catalog(scopes: Iterable[Scope]) -> bool:
    """Whether any of them can't be decided by the station's id alone."""
    return any(scope.operators or scope.areas for scope in scopes)


def judge(scope: Scope, station_id: str, station: Whereabouts | None) -> Verdict:
    """The verdict on a station; `station` is None where the catalog has none of this id."""
    if scope.stations and station_id not in scope.stations:
        return Verdict.OUT
    if not (scope.operators or scope.areas):
        return Verdict.IN
    if station is None:
        return Verdict.UNKNOWN
    if scope.operators and station.operator_id not in scope.operators:
        return Verdict.OUT
    if scope.areas and not station.area_code.startswith(scope.areas):
        return Verdict.OUT
    return Verdict.IN
