"""How it ends, and what the admin's port tells meanwhile."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectors.admin import AdminApp
from connectors.gateway import app
from connectors.gateway.process import until_told
from connectors.server import ENDING_S, listen, server
from tests.connectors.gateway.hostile_calls import START
from tests.connectors.gateway.hostile_world import World, make_world
from tests.connectors.gateway.http_served import (
    PATIENCE_S,
    Caller,
    HttpAnswer,
    caller,
    eventually,
    good_http,
    http,
    served,
)


class Thread:
    """A part with a thread of its own; with a fault it ends by itself."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._stopping = threading.Event()
        self._fault = fault
        self.ended = False

    def run(self) -> None:
        """Until told to stop."""
        if self._fault is not None:
            raise self._fault
        self._stopping.wait()
        self.ended = True

    def stop(self) -> None:
        """Ends `run`."""
        self._stopping.set()


class Process:
    """Both servers and a thread, as the process has them."""

    def __init__(self, world: World, fault: Exception | None = None) -> None:
        self.stopping = asyncio.Event()
        self.thread = Thread(fault)
        self.ready = True
        admin = AdminApp(world.metrics.text, lambda: self.ready and not self.stopping.is_set())
        self.servers = [(server(one), listen("127.0.0.1", 0, "PORT")) for one in (world.app, admin)]
        self.port, self.admin_port = (listener.getsockname()[1] for _, listener in self.servers)
        self.running = asyncio.create_task(until_told(self.stopping, [self.thread], self.servers))

    async def refuses(self, port: int) -> None:
        """Waits until nobody listens there."""
        while True:
            try:
                async with caller(port):
                    await asyncio.sleep(0.01)
            except ConnectionResetError:
                continue  # it came in the moment of the end
            except ConnectionRefusedError:
                return


@asynccontextmanager
async def process(world: World) -> AsyncIterator[Process]:
    """A process until the context ends; it must end in order."""
    one = Process(world)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield one
    finally:
        one.stopping.set()
        await one.running
    assert one.thread.ended


async def get(admin: Caller, path: str, method: str = "GET") -> HttpAnswer:
    """A question at the admin's port."""
    await admin.send(http(path=path, method=method))
    return await admin.answer()


def test_health_readiness_metrics_and_nothing_else() -> None:
    world = make_world()

    async def test() -> None:
        async with process(world) as one, caller(one.admin_port) as admin, caller(one.port) as platform:
            await platform.send(good_http(world))
            await platform.answer()
            for _ in range(2):
                assert (await get(admin, "/healthz")).status == 200
                ready = await get(admin, "/readyz")
                assert (ready.status, ready.body) == ((200, b"ready\n") if one.ready else (503, b"not ready\n"))
                one.ready = False
            metrics = await get(admin, "/metrics")
            assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            told = b'evcs_gateway_requests_total{interface="query_token",platform="beijing",ret="0"} 1.0\n'
            assert told in metrics.body
            for path in ("/", "/metrics/", "/evcs/20160701/query_token"):
                assert (await get(admin, path)).status == 404
            assert (await get(admin, "/healthz", "POST")).status == 200
            await admin.send(b"\x00")
            assert (await admin.answer()).status == 400
            assert await admin.ended() == b""

    asyncio.run(test())


def test_the_platforms_port_has_no_admin() -> None:
    async def test() -> None:
        async with process(make_world()) as one, caller(one.port) as platform:
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await get(platform, path)).status == 404

    asyncio.run(test())


def test_a_call_in_progress_is_answered_while_no_others_are_taken() -> None:
    world = make_world()

    async def test() -> None:
        world.sender.gate = safe = asyncio.Event()
        async with (
            process(world) as one,
            caller(one.admin_port) as admin,
            caller(one.port) as idle,
            caller(one.port) as platform,
        ):
            await platform.send(good_http(world, START))
            await eventually(lambda: world.sender.waiting)
            one.stopping.set()
            await one.refuses(one.port)
            assert await idle.ended() == b""
            # Its port still listens, so that who asks is told.
            assert (await get(admin, "/readyz")).status == 503
            async with caller(one.admin_port) as another:
                assert (await get(another, "/readyz")).status == 503
                assert (await get(another, "/healthz")).status == 200
            assert not one.running.done()
            assert not one.thread.ended
            safe.set()
            answer = await platform.answer()
            answer.assert_good()
            assert answer.headers["connection"] == "close"
            await one.running
            await one.refuses(one.admin_port)

    asyncio.run(test())


def test_a_call_that_does_not_come_to_its_end_is_refused_with_a_signature_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert app.BODY_S < ENDING_S, "or uvicorn answers 500, without a signature"
    monkeypatch.setattr(app, "BODY_S", 0.5)

    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            await platform.send(http(content_length="5"), b"x")
            await eventually(lambda: gateway.server.server_state.tasks)
            stopped = asyncio.create_task(asyncio.wait_for(gateway.stop(), ENDING_S))
            answer = await platform.answer()
            assert (answer.status, answer.sealed["Ret"]) == (408, 4003)
            await stopped

    asyncio.run(test())


def test_a_part_that_fails_ends_the_others_and_is_told() -> None:
    async def test() -> None:
        one = Process(make_world(), fault=RuntimeError("the part"))
        with pytest.raises(RuntimeError, match="the part"):
            await one.running
        assert one.stopping.is_set()
        for _, listener in one.servers:
            assert listener.fileno() == -1

    asyncio.run(test())
