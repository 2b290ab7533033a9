"""Tells people how far a large catalog is; of a small one there is nothing to tell."""

import time
from collections.abc import Callable

from infra.local.progress import Progress

_TELL_EVERY_S = 2.0


class Telling:
    """Says something every two seconds at most."""

    def __init__(self, tell: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._told = clock()

    def _say(self, what: str) -> None:
        now = self._clock()
        if now - self._told >= _TELL_EVERY_S:
            self._told = now
            self._tell(what)

    def checked(self, stations: int) -> None:
        """So many of the file's stations are checked."""
        self._say(f"stations checked: {stations:,}")

    def read(self, done: int, total: int) -> None:
        """So much of the topic is read."""
        self._say(f"records of station-catalog read: {done:,} of {total:,}")

    def written(self, done: int, total: int) -> None:
        """So many stations are on the topic."""
        self._say(f"stations written: {done:,} of {total:,}")
