"""Tells of something that is away once, and of its return."""

import logging
import threading
import time
from collections.abc import Callable


class Outage:
    """Of one server, which `what` names, for any number of threads that meet it."""

    def __init__(self, what: str, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._log = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether it was away when it was last met."""
        return self._since is not None

    def began(self, reason: str) -> None:
        """It was found away; told if it was there before."""
        with self._lock:
            if self._since is None:
                self._since = self._clock()
                self._log.warning("%s is waited for: %s", self._what, reason)

    def over(self) -> None:
        """It was found there; told if it was away before."""
        with self._lock:
            if self._since is not None:
                self._log.warning("%s is back after %.0f s", self._what, self._clock() - self._since)
                self._since = None
