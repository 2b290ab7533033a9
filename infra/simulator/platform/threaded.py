"""The platform in a thread with its own event loop, for callers that have none: tests, demos."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from infra.simulator.platform.faults import Faults
from infra.simulator.platform.ledger import Ledger
from infra.simulator.platform.server import CityPlatform
from infra.simulator.platform.settings import PlatformSettings

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0


class PlatformThread:
    """`with PlatformThread(settings) as city:` — listening inside the block, at `city.base_url`."""

    def __init__(
        self,
        settings: PlatformSettings | None = None,
        faults: Faults | None = None,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.platform = CityPlatform(settings, faults, ledger, clock)
        self._thread = threading.Thread(target=self._run, name="city-platform", daemon=True)
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._done: asyncio.Event

    @property
    def base_url(self) -> str:
        """See CityPlatform."""
        return self.platform.base_url

    @property
    def control_url(self) -> str:
        """See CityPlatform."""
        return self.platform.control_url

    @property
    def ledger(self) -> Ledger:
        """What has arrived."""
        return self.platform.ledger

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        return self.platform.faults

    def expire_tokens(self) -> None:
        """See CityPlatform."""
        self.platform.expire_tokens()

    def go_down(self) -> None:
        """Stop listening: connections are refused until `come_up`; the ledger stays."""
        self._in_loop(self.platform.stop)

    def come_up(self) -> None:
        """Listen again on the same port."""
        self._in_loop(self.platform.start)

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop.result(START_TIMEOUT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.result(0).call_soon_threadsafe(self._done.set)
        self._thread.join(STOP_TIMEOUT_S)

    def _in_loop(self, action: Callable[[], Awaitable[None]]) -> None:
        async def act() -> None:
            await action()

        asyncio.run_coroutine_threadsafe(act(), self._loop.result(0)).result(STOP_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._loop.done():
                raise
            self._loop.set_exception(error)

    async def _serve(self) -> None:
        self._done = asyncio.Event()
        await self.platform.start()
        self._loop.set_result(asyncio.get_running_loop())
        await self._done.wait()
        await self.platform.stop()
