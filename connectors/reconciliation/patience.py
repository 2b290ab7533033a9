"""How the nightly check waits: until told to stop, and saying once what for."""

import logging
import threading

from connectors.reconciliation.metrics import Metrics

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The check was told to end before it was done; the next one goes on from where it is."""


class Patience:
    """Of one platform's check. `stopping` may be set from any thread."""

    def __init__(self, platform: str, metrics: Metrics, stopping: threading.Event) -> None:
        self._platform = platform
        self._metrics = metrics
        self._stopping = stopping
        self._said: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Whether to stop."""
        return self._stopping.is_set()

    @property
    def is_waiting(self) -> bool:
        """Whether anything of ours is waited for that has not come yet: that a platform is away is not our doing."""
        return any(what != "platform" for what in self._said)

    def pause(self, seconds: float) -> None:
        """Waits. Raises Stopped."""
        if self._stopping.wait(seconds):
            raise Stopped

    def wait_for(self, what: str, why: str, seconds: float) -> None:
        """Waits for `what` (kafka, sink, warehouse, platform); says so unless it has said just this. Raises Stopped."""
        if self._said.get(what) != why:
            self._said[what] = why
            log.warning("%s: %s. Waiting for it", self._platform, why)
        self._metrics.waits.labels(self._platform, what).set(1)
        self.pause(seconds)

    def needs(self, what: str) -> None:
        """It is asked for; should it not answer, others say so."""
        self._said.setdefault(what, "")
        self._metrics.waits.labels(self._platform, what).set(1)

    def has(self, what: str) -> None:
        """It has come."""
        if self._said.pop(what, ""):
            log.warning("%s: %s is back", self._platform, what)
        self._metrics.waits.labels(self._platform, what).set(0)
