"""Instants as the wire writes them, Asia/Shanghai to the second, from UTC milliseconds and back.

China has kept UTC+8 without daylight saving since 1991, so this is arithmetic and needs no zone data.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from connectors.protocol.errors import Unreportable

_OFFSET_S = 8 * 3600
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
_HOURS_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440))
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2}) (\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_SECONDS = tuple(f"{second:02d}" for second in range(60))


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    try:
        return (_EPOCH + timedelta(days=day)).isoformat()
    except OverflowError:
        pass
    raise Unreportable("time", "an instant is beyond the calendar")


def wire_time(instant_ms: int) -> str:
    """`yyyy-MM-dd HH:mm:ss`; fractions of a second are cut off."""
    day, second = divmod(instant_ms // 1000 + _OFFSET_S, _DAY_S)
    return f"{_date(day)} {_HOURS_MINUTES[second // 60]}:{_SECONDS[second % 60]}"


def wire_stamp(instant_ms: int) -> str:
    """`yyyyMMddHHmmss`, the form of the envelope's TimeStamp."""
    return wire_time(instant_ms).replace("-", "").replace(" ", "").replace(":", "")


def day_of(instant_ms: int) -> date:
    """The day on which an instant of our own clock is."""
    return _EPOCH + timedelta(days=(instant_ms // 1000 + _OFFSET_S) // _DAY_S)


def instant_of(text: str) -> int:
    """UTC milliseconds of `yyyy-MM-dd HH:mm:ss`, also without leading zeros, which are seen (`2016-1-2 12:12:12`).

    Raises ValueError.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("yyyy-MM-dd HH:mm:ss is needed")
    year, month, day, hour, minute, second = map(int, match.groups())
    read = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return (int(read.timestamp()) - _OFFSET_S) * 1000
