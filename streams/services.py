"""What the topologies share: settings, the output queue, the trackers, and the one way in which a worker fails."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass

import faust

from streams.catalog import CatalogReader
from streams.output import OutputQueue
from streams.settings import StreamsSettings
from streams.tracking import Tracking

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Services:
    """Made once per worker."""

    app: faust.App
    settings: StreamsSettings
    output: OutputQueue
    tracking: Tracking
    catalog: CatalogReader
    failure: BaseException | None = None

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
