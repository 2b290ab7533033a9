"""TimeStamp and Seq of request envelopes: Seq counts 0001, 0002, … within a second and begins anew in the next.

The clock is the caller's. Nothing here makes two processes' numbers differ: the standard has no room for it.
"""

from typing import NamedTuple

from connectors.protocol.beijing_time import wire_stamp

#: Seq is four digits.
_SEQ_MAX = 9999

#: How far a TimeStamp may run ahead of the clock before it follows a clock that was set back.
_AHEAD_MAX_S = 60


class Stamp(NamedTuple):
    """TimeStamp `yyyyMMddHHmmss` in Beijing time, and Seq of four digits."""

    timestamp: str
    seq: str


class Sequence:
    """Stamps that never repeat and never go back, for one caller (not for several threads).

    The 10000th message of a second takes the next free stamp, 0001 of the second after, and later messages
    go on from there until the clock has caught up. A clock that steps back is waited for in the same way;
    by more than 60 s it is followed, and then stamps may repeat, which receivers have to bear anyway.
    """

    __slots__ = ("_count", "_second", "_timestamp")

    def __init__(self) -> None:
        self._second = -1
        self._count = 0
        self._timestamp = ""

    def next(self, now_ms: int) -> Stamp:
        """The stamp of a message sent at `now_ms` (UTC milliseconds)."""
        second = now_ms // 1000
        if second > self._second or self._second - second > _AHEAD_MAX_S:
            self._begin(second)
        elif self._count == _SEQ_MAX:
            self._begin(self._second + 1)
        self._count += 1
        return Stamp(self._timestamp, f"{self._count:04d}")

    def _begin(self, second: int) -> None:
        self._second = second
        self._count = 0
        self._timestamp = wire_stamp(second * 1000)
