"""The process that fills the warehouse: the sink on a thread, and its health beside it, until it is told to stop."""

import asyncio
import gc
import logging
from collections.abc import Callable
from functools import partial

from connectors.server import listen
from connectors.standing import run_until_told, serve_beside
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.sink.service import Sink
from connectors.warehouse.sink.settings import SinkSettings

log = logging.getLogger(__name__)

#: An insert that is not answered by then is sent again, with its token.
_INSERT_S = 60.0

#: Young objects before the collector runs: records live for seconds, and none is in a circle.
GC_THRESHOLD = 50_000


def run(settings: SinkSettings) -> None:
    """Works until SIGTERM or SIGINT. Raises KafkaRefused, WarehouseRefused, MisconfiguredService."""
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    run_until_told(partial(serve, settings))


async def serve(
    settings: SinkSettings, stopping: asyncio.Event, on_listening: Callable[[str], None] | None = None
) -> None:
    """Works until `stopping`; `on_listening` is told where health and metrics are. Raises as `run`."""
    with listen(settings.admin_host, settings.admin_port, "EVCS_SINK_ADMIN_PORT") as private:
        client = WarehouseClient(settings.warehouse, timeout_s=_INSERT_S)
        url = f"http://{settings.admin_host}:{private.getsockname()[1]}"
        log.info("the sink fills %s; health and metrics at %s", settings.warehouse.url, url)
        if on_listening is not None:
            on_listening(url)
        try:
            await serve_beside(Sink(settings, client), private, stopping)
        finally:
            client.close()
