"""Instants as the wire writes them: Asia/Shanghai, to the second, from UTC milliseconds.

China has kept UTC+8 without daylight saving since 1991, so this is arithmetic and needs no zone data.
"""

from datetime import date, timedelta
from functools import lru_cache

from connectors.protocol.errors import Unreportable

_OFFSET_S = 8 * 3600
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
_HOURS_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440))
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
