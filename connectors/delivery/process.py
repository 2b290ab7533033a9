"""The process that delivers: router, retry scheduler and the lanes of some platforms, all of them or one part only,
until it is told to stop."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, get_args

from confluent_kafka import Producer

from connectors.delivery.clock import BrokerClock
from connectors.delivery.outbox import outbox_producer
from connectors.delivery.parts import Parts, PlatformLanes
from connectors.delivery.retries import RetryScheduler, RetrySettings
from connectors.delivery.routing.router import Router
from connectors.delivery.routing.settings import RouterSettings
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings, all_settings
from connectors.errors import KafkaRefused, MisconfiguredService
from connectors.standing import run_until_told
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)

Part = Literal["router", "retries", "lanes"]
PARTS: tuple[Part, ...] = get_args(Part)

#: Pauses before a platform's delivery that has failed begins again, s; the last goes on.
_RESTART_S = (1, 5, 15, 60)

#: What has run for so long, s, has not failed for the reason of before: its pauses begin anew.
_SETTLED_S = 600.0


class Service(Protocol):
    """`run` blocks until `stop`."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What one process does: the lanes of these platforms, and a router and a retry scheduler if it has one."""

    cluster: KafkaCluster
    lanes: tuple[DeliverySettings, ...]
    router: RouterSettings | None
    retries: RetrySettings | None

    @classmethod
    def from_env(cls, names: Sequence[str], parts: Sequence[Part], environ: Mapping[str, str]) -> "ProcessSettings":
        """Of these platforms (all with a profile, if none is named) and parts (all, if none is named).

        Raises MisconfiguredService, MisconfiguredSchemas, BadProfile or BadCredentials.
        """
        wanted = parts or PARTS
        return cls(
            cluster=KafkaCluster.from_env(environ),
            lanes=tuple(all_settings(names, environ)) if "lanes" in wanted else (),
            router=RouterSettings.from_env(names, environ) if "router" in wanted else None,
            retries=RetrySettings.from_env(names, environ) if "retries" in wanted else None,
        )


def run(settings: ProcessSettings, parts: Parts) -> None:
    """Works until SIGTERM or SIGINT; `parts` tell how it fares. Raises KafkaRefused, MisconfiguredService."""
    run_until_told(partial(work, settings, parts))


async def work(settings: ProcessSettings, parts: Parts, stopping: asyncio.Event) -> None:
    """Runs all parts side by side until `stopping`. Raises KafkaRefused, MisconfiguredService."""
    loop = asyncio.get_running_loop()
    clock = BrokerClock(settings.cluster)
    services: list[Service] = []
    if settings.router is not None:
        router = Router(settings.router)
        services.append(router)
        parts.forwarders["router"] = router.forwarder
    if settings.retries is not None:
        scheduler = RetryScheduler(settings.retries, clock.now_ms)
        services.append(scheduler)
        parts.forwarders["retries"] = scheduler.forwarder
    with clock, ThreadPoolExecutor(max(1, len(services)), "delivery") as pool:
        tasks: list[asyncio.Future[None]] = [loop.run_in_executor(pool, service.run) for service in services]
        if settings.lanes:
            producer = outbox_producer(settings.cluster)
            for one in settings.lanes:
                lanes = parts.platforms[one.platform.name] = PlatformLanes()
                running = _kept_running(one, lanes, producer, clock.now_ms, stopping)
                tasks.append(asyncio.create_task(running))
        told = asyncio.create_task(_told(stopping))
        parts.working = True
        await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        parts.working = False
        stopping.set()
        for service in services:
            service.stop()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error


async def _told(stopping: asyncio.Event) -> None:
    await stopping.wait()


async def _kept_running(
    settings: DeliverySettings,
    lanes: PlatformLanes,
    producer: Producer,
    now_ms: Callable[[], int],
    stopping: asyncio.Event,
) -> None:
    """One platform's delivery; what fails in it is begun again, and costs the other platforms nothing."""
    loop = asyncio.get_running_loop()
    failures = 0
    while not stopping.is_set():
        delivery = lanes.delivery = Delivery(settings, producer, now_ms=now_ms, tally=lanes.tally)
        began = loop.time()
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
        except Exception as failure:
            lanes.delivery = None
            lanes.restarts += 1
            failures = 1 if loop.time() - began > _SETTLED_S else failures + 1
            pause_s = _RESTART_S[min(failures, len(_RESTART_S)) - 1]
            known = isinstance(failure, MisconfiguredService)
            what = f": {failure}" if known else ""
            log.error(
                "delivery to %s has failed%s; it begins again in %d s",
                settings.platform.name,
                what,
                pause_s,
                exc_info=None if known else failure,
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause_s)
