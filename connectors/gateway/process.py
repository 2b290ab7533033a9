"""The process that serves: the views' follower, the watch over starts, and two servers, until it is told to stop."""

import asyncio
import gc
import logging
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from confluent_kafka import Message

from connectors.admin import AdminApp
from connectors.gateway.answers import Answers
from connectors.gateway.app import GatewayApp
from connectors.gateway.command_desk import CommandDesk
from connectors.gateway.metrics import Metrics
from connectors.gateway.reception import Reception
from connectors.gateway.sender import CommandSender
from connectors.gateway.settings import GatewaySettings, routes
from connectors.gateway.statistics import NoStatistics, Statistics
from connectors.gateway.unanswered import UnansweredStarts
from connectors.gateway.views.ended import KEPT_S
from connectors.gateway.views.follower import Follower, Source
from connectors.gateway.views.sight import Views
from connectors.server import Server, listen, raise_file_limit, server, tls_context
from connectors.standing import run_until_told
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.statistics import LIMIT_S, WarehouseStatistics
from schemas.clock import wall_ms
from schemas.codec import Codec, codec_for
from schemas.freed_memory import give_back

log = logging.getLogger(__name__)

#: What a process that listens writes to its log; it answers more than query_token once `views.follower.READY` follows.
LISTENS = "the gateway listens"


class Service(Protocol):
    """What has a thread of its own: `run` blocks until `stop`."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running instance listens."""

    url: str
    admin_url: str


def run(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT. Raises KafkaRefused, MisconfiguredService."""
    raise_file_limit()
    run_until_told(partial(serve, settings))


async def serve(
    settings: GatewaySettings,
    stopping: asyncio.Event,
    on_listening: Callable[[Addresses], None] | None = None,
    statistics: Statistics | None = None,
) -> None:
    """Serves until `stopping`; `on_listening` is told where. Raises KafkaRefused, MisconfiguredService."""
    codec = codec_for(settings.cluster.schema_registry_url)
    views = Views.empty(codec)
    listening = settings.listening
    tls = tls_context(listening.tls_certificate, listening.tls_key)
    with (
        listen(listening.host, listening.port, "EVCS_GATEWAY_PORT or EVCS_GATEWAY_HOST") as public,
        listen(listening.admin_host, listening.admin_port, "EVCS_GATEWAY_ADMIN_PORT") as private,
    ):
        follower = Follower(settings.cluster, sources(views), on_read=lambda: settle(views))
        metrics = Metrics(follower.age_s, view_sizes(views))
        unanswered = _unanswered(settings, codec, views, metrics)
        sender = CommandSender(settings.cluster, codec)
        desk = CommandDesk(sender.put, views.commands, wall_ms)
        facts = statistics or _statistics(settings.warehouse)
        answers = {peer.name: Answers(peer, views, desk, facts, wall_ms) for peer in settings.peers}
        reception = Reception(answers, metrics, lambda: follower.ready)
        servers = [
            server(GatewayApp(reception, routes(settings.peers)), tls),
            server(AdminApp(metrics.text, lambda: follower.ready and not stopping.is_set())),
        ]
        scheme = "http" if tls is None else "https"
        addresses = Addresses(
            f"{scheme}://{listening.host}:{public.getsockname()[1]}",
            f"http://{listening.admin_host}:{private.getsockname()[1]}",
        )
        names = ", ".join(peer.name for peer in settings.peers)
        log.info("%s at %s for %s; health and metrics at %s", LISTENS, addresses.url, names, addresses.admin_url)
        if on_listening is not None:
            on_listening(addresses)
        try:
            await until_told(stopping, [follower, unanswered], list(zip(servers, (public, private), strict=True)))
        finally:
            sender.close()


def sources(views: Views) -> list[Source]:
    """What each view is fed from."""

    def ended(message: Message) -> None:
        views.ended.put(message.value() or b"", message.timestamp()[1], time.time_ns() // 1_000_000)

    return [
        Source("station-catalog", lambda message: views.stations.put(message.key() or b"", message.value())),
        Source("connector-state", lambda message: views.connectors.put(message.key() or b"", message.value())),
        Source("charger-telemetry", lambda message: views.samples.put(message.key() or b"", message.value() or b""), 0),
        Source("charger-commands", lambda message: views.commands.put(message.value() or b"")),
        Source("charge-orders", ended, since_ms=KEPT_S * 1000),
    ]


def settle(views: Views) -> None:
    """Once all has been read, views are put in order. What they hold stays, and the garbage collector would walk it
    again and again while answers wait; what reading took was nearly as much, and goes back to the system."""
    views.stations.settle()
    views.connectors.settle()
    gc.collect()
    gc.freeze()
    give_back()


def view_sizes(views: Views) -> dict[str, Callable[[], int]]:
    """How much each view holds, by its name in the metrics."""
    return {
        "stations": views.stations.__len__,
        "connectors": views.connectors.__len__,
        "samples": views.samples.__len__,
        "ended_charges": views.ended.__len__,
        "commands": views.commands.__len__,
    }


def _unanswered(settings: GatewaySettings, codec: Codec, views: Views, metrics: Metrics) -> UnansweredStarts:
    def place_of(connector_id: str) -> tuple[str, str]:
        station = views.stations.of_connector(connector_id)
        if station is None:
            return "", ""
        equipment = (one.equipment_id for one in station.equipment if connector_id in one.connector_ids)
        return next(equipment, ""), station.station_id

    return UnansweredStarts(settings.cluster, codec, place_of, metrics.unanswered.inc, wall_ms, time.monotonic)


def _statistics(warehouse: Warehouse | None) -> Statistics:
    if warehouse is None:
        return NoStatistics()
    return WarehouseStatistics(WarehouseClient(warehouse, timeout_s=LIMIT_S))


async def until_told(
    stopping: asyncio.Event, threads: Sequence[Service], servers: Sequence[tuple[Server, socket.socket]]
) -> None:
    """Runs all of it until told to stop, or until a part of it ends; the servers end in their order, and before the
    threads. Raises what ended it."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(threads), "gateway") as pool:
        running = [loop.run_in_executor(pool, thread.run) for thread in threads]
        serving = [asyncio.create_task(one.serve([listener])) for one, listener in servers]
        told = asyncio.create_task(stopping.wait())
        parts: set[asyncio.Future[Any]] = {told, *running, *serving}
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        stopping.set()
        # While calls in progress are answered, /readyz says that no more should come.
        for (one, _), served in zip(servers, serving, strict=True):
            one.should_exit = True
            await asyncio.wait([served])
        for thread in threads:
            thread.stop()
        ended = await asyncio.gather(*running, *serving, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error
