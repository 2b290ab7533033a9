"""What a topology is given: settings, the output queue, upkeep between records, and the one way in which to fail."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import faust
from prometheus_client.core import Metric

from streams.output import OutputQueue
from streams.settings import StreamsSettings

log = logging.getLogger(__name__)

#: What the log says once all assigned partitions are recovered and records are taken.
READY = "ready: samples and events are taken"

#: How long to wait before the output queue is looked at again.
_WAIT_S = 0.005


def _nothing() -> None:
    pass


def _no_figures() -> Iterable[Metric]:
    return ()


@dataclass(slots=True)
class Services:
    """Made once per worker. The topology sets `tick`, called ten times a second, and `save`, called before partitions
    go: it submits all that still waits, acks included; and, if it has any, `figures` of its own for /metrics, called on
    another thread than the worker's. `partitions` are those whose records are taken, None while they are given out."""

    app: faust.App
    settings: StreamsSettings
    output: OutputQueue
    tick: Callable[[], None] = _nothing
    save: Callable[[], None] = _nothing
    figures: Callable[[], Iterable[Metric]] = _no_figures
    partitions: frozenset[int] | None = None
    failure: BaseException | None = None

    def takes(self, partitions: Iterable[int]) -> None:
        """The topology is ready for records of these partitions, which are all that this worker has."""
        self.partitions = frozenset(partitions)
        log.info("%s of partitions %s", READY, sorted(self.partitions))

    async def room(self) -> None:
        """Returns once the broker has taken enough for more input to be taken."""
        self.output.poll()
        while self.output.congested():
            self.output.poll()
            await asyncio.sleep(_WAIT_S)

    async def guarded(self, step: Awaitable[None]) -> None:
        """Runs one step of an agent; an exception stops the worker before the step's input is acked.

        Faust acks a record whose agent raised, so none may get out of an agent.
        """
        try:
            await step
        except Exception as error:
            await self.fail(error)

    async def fail(self, error: BaseException) -> None:
        """Stops the worker with this error, and never returns: nothing more is processed or acked."""
        if self.failure is None:
            self.failure = error
            log.critical("the worker stops: %s: %s", type(error).__name__, error, exc_info=error)
            await self.app.crash(error)
        await asyncio.Event().wait()
