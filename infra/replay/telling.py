"""Tells people how far a replay is: sessions, records and their rate, and the time of the records."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from infra.local.progress import Progress
from infra.replay.positions import Position

_TELL_EVERY_S = 2.0


class Telling:
    """Tells people how far the replay is, every two seconds at most."""

    def __init__(self, tell: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._began = clock()
        self._told = self._began

    def _say(self, what: Callable[[float], str]) -> None:
        now = self._clock()
        if now - self._told >= _TELL_EVERY_S:
            self._told = now
            self._tell(what(now - self._began))

    def writing(self, samples: int, events: int, at: int) -> None:
        """So much is written, up to this event time."""
        self._say(
            lambda elapsed_s: (
                f"writing: {samples:,} samples, {events // 2:,} sessions, {samples / elapsed_s:,.0f} samples/s, "
                f"event time {_shown(at)}"
            )
        )

    def working(self, position: Position, sessions: int, elapsed_s: float) -> None:
        """So far is the worker."""
        self._say(
            lambda _: (
                f"working: {position.orders:,} of {sessions:,} sessions, {position.committed:,} of "
                f"{position.inputs:,} records, {position.committed / max(elapsed_s, 1e-3):,.0f} records/s, "
                f"event time {_shown(position.event_time)}"
            )
        )

    def reading(self, topic: str, read: int, total: int) -> None:
        """So much of a topic is read back."""
        self._say(lambda _: f"reading back {topic}: {read:,} of {total:,}")


def _shown(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if at > 0 else "not known yet"
