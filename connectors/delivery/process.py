"""The process that delivers: the lanes of some platforms in one event loop, until it is told to stop."""

import asyncio
import contextlib
import itertools
import logging
import signal
from collections.abc import Mapping, Sequence

from confluent_kafka import Producer

from connectors.delivery.outbox import outbox_producer
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.errors import KafkaRefused, MisconfiguredDelivery
from connectors.platform import load_platforms
from connectors.protocol.errors import Misconfigured

log = logging.getLogger(__name__)

#: Pauses before a platform's delivery that has failed begins again, s; the last goes on.
_RESTART_S = (1, 5, 15, 60)


def all_settings(names: Sequence[str], environ: Mapping[str, str]) -> list[DeliverySettings]:
    """Of these platforms, or of every platform that has a profile and its secrets.

    Platforms that were named must all be right; otherwise one that is not is told of and left out. Raises
    MisconfiguredDelivery, BadProfile or BadCredentials.
    """
    if names:
        return [DeliverySettings.from_env(name, environ) for name in dict.fromkeys(names)]
    found = []
    for name in load_platforms().platforms:
        try:
            found.append(DeliverySettings.from_env(name, environ))
        except (Misconfigured, MisconfiguredDelivery) as error:
            log.error("%s is left out: %s", name, error)
    for fault in load_platforms().faults:
        log.error("left out: %s", fault)
    if not found:
        raise MisconfiguredDelivery("no platform can be delivered to: see the errors above, or `evcs platforms check`")
    return found


def run_lanes(settings: Sequence[DeliverySettings]) -> None:
    """Delivers to these platforms until SIGTERM or SIGINT. Raises KafkaRefused."""

    async def main() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        await deliver(settings, stopping)

    asyncio.run(main())


async def deliver(settings: Sequence[DeliverySettings], stopping: asyncio.Event) -> None:
    """Runs the platforms' deliveries side by side until `stopping`. Raises KafkaRefused."""
    producer = outbox_producer(settings[0].cluster)
    tasks = [asyncio.create_task(_kept_running(one, producer, stopping)) for one in settings]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stopping.set()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


async def _kept_running(settings: DeliverySettings, producer: Producer, stopping: asyncio.Event) -> None:
    """One platform's delivery; what fails in it is begun again, and costs the other platforms nothing."""
    pauses = itertools.chain(_RESTART_S, itertools.repeat(_RESTART_S[-1]))
    while not stopping.is_set():
        delivery = Delivery(settings, producer)
        log.info("delivering to %s (%s)", settings.platform.name, settings.target)
        running = asyncio.create_task(delivery.run())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        delivery.stop()
        try:
            await running
        except KafkaRefused:
            raise
        except Exception:
            pause_s = next(pauses)
            log.exception("delivery to %s has failed; it begins again in %d s", settings.platform.name, pause_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause_s)
