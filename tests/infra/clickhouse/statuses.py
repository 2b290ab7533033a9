"""How long each status of a connector held, as status_intervals defines it, computed here row by row: a second
opinion."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from tests.infra.clickhouse.electricity import HOUR_MS

#: For so long a status holds without another word.
DAY_MS = 24 * HOUR_MS


class Observed(NamedTuple):
    """A row of status_changes: at which instant (UTC ms), whether it is a change, which status, and where."""

    at_ms: int
    changed: bool
    status: int
    station: str


class Held(NamedTuple):
    """A status at a station, from one instant to another (UTC ms)."""

    station: str
    status: int
    from_ms: int
    to_ms: int


def held(rows: Iterable[Observed], since_ms: int, until_ms: int) -> list[Held]:
    """What is known of [since, until), in order; rows in any order and number."""
    ordered = sorted(set(rows))
    found: list[Held] = []
    for row, following in pairwise([*ordered, Observed(until_ms, False, 0, "")]):
        begin = max(row.at_ms, since_ms)
        end = min(following.at_ms, row.at_ms + DAY_MS, until_ms)
        if begin >= end:
            continue
        last = found[-1] if found else None
        if last and (last.station, last.status, last.to_ms) == (row.station, row.status, begin):
            found[-1] = last._replace(to_ms=end)
        else:
            found.append(Held(row.station, row.status, begin, end))
    return found


def ms_by_hour(intervals: Iterable[Held]) -> Mapping[tuple[str, int, int], int]:
    """Milliseconds by station, hour (hours since 1970, UTC) and status."""
    found: dict[tuple[str, int, int], int] = {}
    for station, status, begin, end in intervals:
        at = begin
        while at < end:
            until = min(end, (at // HOUR_MS + 1) * HOUR_MS)
            key = (station, at // HOUR_MS, status)
            found[key] = found.get(key, 0) + until - at
            at = until
    return found
