"""The electricity of a connector as connector_days defines it, computed here from the samples themselves, in integers
and by other means than SQL's: a second opinion."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import groupby, pairwise

BEIJING = timezone(timedelta(hours=8))
HOUR_MS = 3_600_000

#: An instant (UTC ms) and the register then, Wh.
Sample = tuple[int, int]


def day_of(instant_ms: int) -> date:
    """The day in Beijing."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC).astimezone(BEIJING).date()


def midnight_ms(day: date) -> int:
    """When a day begins in Beijing, UTC ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=BEIJING).timestamp()) * 1000


def wh_by_day(samples: Iterable[Sample]) -> Mapping[date, int]:
    """Wh by day, for every day that a sample, or a rise between two hours, reaches; samples in any order and number."""
    hours = [list(group) for _, group in groupby(sorted(set(samples)), key=lambda sample: sample[0] // HOUR_MS)]
    found: dict[date, int] = {}
    for hour in hours:
        day = day_of(hour[0][0])
        found[day] = found.get(day, 0) + within(hour)
    for before, after in pairwise(hours):
        for day, wh in between(before[-1], after[0]).items():
            found[day] = found.get(day, 0) + wh
    return found


def wh_by_hour(samples: Iterable[Sample]) -> Mapping[int, int]:
    """Wh by hour (hours since 1970, UTC), for every hour that a sample, or a rise between two hours, reaches."""
    hours = [list(group) for _, group in groupby(sorted(set(samples)), key=lambda sample: sample[0] // HOUR_MS)]
    found = {hour[0][0] // HOUR_MS: within(hour) for hour in hours}
    for (from_ms, from_wh), (to_ms, to_wh) in ((before[-1], after[0]) for before, after in pairwise(hours)):
        rise, counted, at = max(0, to_wh - from_wh), 0, from_ms
        while at < to_ms or at == from_ms:
            until = min(to_ms, (at // HOUR_MS + 1) * HOUR_MS)
            upto = rise * (until - from_ms) // (to_ms - from_ms)
            found[at // HOUR_MS] = found.get(at // HOUR_MS, 0) + upto - counted
            counted, at = upto, until
        found.setdefault(to_ms // HOUR_MS, 0)
    return found


def within(hour: list[Sample]) -> int:
    """Wh of one hour's samples, in order."""
    first, last = hour[0][1], hour[-1][1]
    highest, lowest = max(wh for _, wh in hour), min(wh for _, wh in hour)
    if lowest < first or highest > last:
        return (highest - first) + (last - lowest)
    return last - first


def between(before: Sample, after: Sample) -> Mapping[date, int]:
    """Wh by day of the rise from an hour's last sample to the next one's first."""
    rise, lasts = max(0, after[1] - before[1]), after[0] - before[0]
    day, counted, found = day_of(before[0]), 0, {}
    while day <= day_of(after[0]):
        until = min(after[0], midnight_ms(day + timedelta(days=1)))
        upto = rise * (until - before[0]) // lasts
        found[day] = upto - counted
        counted, day = upto, day + timedelta(days=1)
    return found


def rises(samples: Iterable[Sample]) -> int:
    """Wh in all, sample by sample: what a register rose by whenever it rose."""
    return sum(max(0, after[1] - before[1]) for before, after in pairwise(sorted(set(samples))))
