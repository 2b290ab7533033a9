"""A process with one service on a thread, and its health beside it, until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol

from connectors.admin import AdminApp
from connectors.server import server


class MetricsText(Protocol):
    """A service's metrics."""

    def text(self) -> bytes:
        """As Prometheus reads them."""
        ...


class Standing(Protocol):
    """A service: `run` blocks until `stop`, which, like the rest, is for any thread."""

    @property
    def metrics(self) -> MetricsText:
        """All there are."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it does its work."""
        ...

    def run(self) -> None: ...
    def stop(self) -> None: ...


def run_until_told(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs `serve`, whose event is set by SIGTERM and SIGINT. Raises what it raises."""

    async def main() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        await serve(stopping)

    asyncio.run(main())


async def serve_beside(service: Standing, private: socket.socket, stopping: asyncio.Event) -> None:
    """Works until `stopping`, with health and metrics on `private`. Raises what the service raises."""
    admin = server(AdminApp(service.metrics.text, lambda: service.ready))
    serving = asyncio.create_task(admin.serve([private]))
    working = asyncio.create_task(asyncio.to_thread(service.run))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, working, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    service.stop()
    try:
        await working
    finally:
        admin.should_exit = True
        await serving
