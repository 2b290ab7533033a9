"""The process that checks nightly: the platforms' threads, and their health beside them, until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from connectors.reconciliation.service import Nightly
from connectors.reconciliation.settings import NightlySettings
from connectors.server import listen
from connectors.standing import run_until_told, serve_beside
from connectors.warehouse.client import WarehouseClient
from schemas.clock import wall_ms

log = logging.getLogger(__name__)


def run(settings: NightlySettings) -> None:
    """Works until SIGTERM or SIGINT. Raises KafkaRefused, WarehouseRefused, MisconfiguredService."""
    run_until_told(partial(serve, settings))


async def serve(
    settings: NightlySettings,
    stopping: asyncio.Event,
    on_listening: Callable[[str], None] | None = None,
    now_ms: Callable[[], int] = wall_ms,
) -> None:
    """Works until `stopping`; `on_listening` is told where health and metrics are. Raises as `run`."""
    with listen(settings.admin_host, settings.admin_port, "EVCS_NIGHTLY_ADMIN_PORT") as private:
        client = WarehouseClient(settings.warehouse)
        url = f"http://{settings.admin_host}:{private.getsockname()[1]}"
        names = ", ".join(checked.platform.name for checked in settings.checked)
        log.info("the nightly check of %s; health and metrics at %s", names, url)
        if on_listening is not None:
            on_listening(url)
        try:
            await serve_beside(Nightly(settings, client, now_ms), private, stopping)
        finally:
            client.close()
