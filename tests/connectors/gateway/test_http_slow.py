"""Slow callers, many at once: others are answered meanwhile, and each of them is closed when its time is over."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from connectors import connection
from connectors.connection import GuardedProtocol, Reply
from connectors.gateway import app
from tests.connectors.gateway.hostile_world import CODEC, World, make_world, station
from tests.connectors.gateway.http_served import PATIENCE_S, Caller, Served, caller, eventually, good_http, http, served

#: What stands for ten seconds and more.
SHORT_S = 0.4

EACH = 36
BIG = "query_stations_info"
HEAD, BODY = http(b"{}" * 500).split(b"\r\n\r\n")


def big_world() -> World:
    """A page of stations is more than 4 MB."""
    world = make_world()
    big = station("BJ1", *(f"BJ1-X{number}" for number in range(24_000)))
    world.views.stations.put(b"BJ1", CODEC.encode(replace(big, changed_at=0)))
    return world


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """All time limits, from now on."""
    for module, name in ((connection, "HEAD_S"), (connection, "SEND_S"), (app, "BODY_S")):
        monkeypatch.setattr(module, name, SHORT_S)


async def no_head(platform: Caller, world: World) -> None:
    """Not a byte."""


async def slow_head(platform: Caller, world: World) -> None:
    """A byte now and then."""
    await trickle(platform, HEAD)


async def no_body(platform: Caller, world: World) -> None:
    """A head, and no more."""
    await platform.send(HEAD, b"\r\n\r\n")


async def slow_body(platform: Caller, world: World) -> None:
    """A head, then a byte now and then."""
    await platform.send(HEAD, b"\r\n\r\n")
    await trickle(platform, BODY)


async def no_reading(platform: Caller, world: World) -> None:
    """Asks for much and takes a little of it."""
    await platform.send(good_http(world, BIG))


async def half_a_line(platform: Caller, world: World) -> None:
    """Is answered, and begins again with what is no head yet."""
    await platform.send(good_http(world))
    await platform.answer()
    await platform.send(b"\r\n")


async def trickle(platform: Caller, content: bytes) -> None:
    """Fewer bytes than are needed in time."""
    for at in range(len(content)):
        if platform.reader.at_eof() or platform.reader.exception():
            return
        platform.writer.write(content[at : at + 1])
        await asyncio.sleep(SHORT_S / 8)


Slow = Callable[[Caller, World], Coroutine[None, None, None]]
SLOW: list[Slow] = [no_head, slow_head, no_body, slow_body, no_reading, half_a_line]


@pytest.mark.parametrize("slow", SLOW)
def test_a_slow_caller_is_closed(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)
    world = big_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            going_on = asyncio.create_task(asyncio.wait_for(slow(platform, world), PATIENCE_S))
            await all_closed_but(gateway, 0)
            await going_on
            rest = await platform.ended()
            if slow in (no_body, slow_body):
                assert rest.startswith(b"HTTP/1.1 408 ")
                assert b"the body did not come in time" in rest
            elif slow is no_reading:
                assert 0 < len(rest) < 1_000_000
            else:
                assert rest == b""

    asyncio.run(test())


@pytest.mark.parametrize("until_closed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_hundreds_of_slow_callers_do_not_hinder_a_quick_one(
    until_closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SEND_S", connection.HEAD_S)
    if not until_closed:  # none is closed before the quick one is done, however slow the machine
        for module, name in ((connection, "HEAD_S"), (connection, "SEND_S"), (app, "BODY_S")):
            monkeypatch.setattr(module, name, 200.0)
    world = big_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as quick, AsyncExitStack() as stack:
            slow_ones: list[asyncio.Task[None]] = []
            for slow in SLOW * EACH:
                platform = await stack.enter_async_context(caller(gateway.port))
                slow_ones.append(asyncio.create_task(slow(platform, world)))
            for number in range(20):
                await quick.send(good_http(world, "query_equip_auth", f"{number:04d}"))
                (await quick.answer()).assert_good()
            assert len(gateway.server.server_state.connections) == len(slow_ones) + 1
            if until_closed:
                await all_closed_but(gateway, 1)
                await quick.send(good_http(world))
                (await quick.answer()).assert_good()
            for one in slow_ones:
                one.cancel()

    asyncio.run(test())


def test_a_caller_that_takes_its_time_is_given_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = big_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(good_http(world, BIG))
            await asyncio.sleep(0.1)  # enough for everything to be full
            answer = await platform.answer()
            answer.assert_good()
            assert len(answer.body) > 4_000_000
            shorten(monkeypatch)
            await asyncio.sleep(2 * SHORT_S)
            await platform.send(good_http(world))
            (await platform.answer()).assert_good()

    asyncio.run(test())


class Sized:
    """Answers with as many bytes as its path says."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        size = int(scope["path"].removeprefix("/"))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": b"x" * size})

    def malformed(self) -> Reply:
        """Nothing is."""
        raise AssertionError


def test_what_little_of_an_answer_nobody_takes_is_not_kept_either(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)

    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with served(Sized()) as gateway:
            deaf = []
            for size in range(40_000, 400_000, 20_000):  # with some of them only a little does not fit into the system
                one = socket.socket()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
                one.setblocking(False)
                await loop.sock_connect(one, ("127.0.0.1", gateway.port))
                await loop.sock_sendall(one, http(path=f"/{size}"))
                deaf.append(one)
            state = gateway.server.server_state
            await eventually(lambda: state.total_requests == len(deaf))
            await eventually(lambda: not any(c.transport.get_write_buffer_size() for c in state.connections))
            assert 0 < len(state.connections) < len(deaf)
            for one in deaf:
                one.close()

    asyncio.run(test())


def test_one_who_leaves_in_the_middle_of_an_answer_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    world = big_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(good_http(world, BIG), http())
            await platform.reader.readexactly(1_000)
            platform.writer.transport.abort()
            state = gateway.server.server_state
            await eventually(lambda: not state.connections and not state.tasks)
            assert state.total_requests == 0

    asyncio.run(test())
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("rest", [10, 200_000])
def test_an_answer_that_was_taken_is_not_watched_any_longer(rest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_S", 2 * PATIENCE_S)
    world = big_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(good_http(world, BIG))
            size = len((await platform.answer()).body)
            # What is left for the last part fits into the system, or it does not.
            monkeypatch.setattr(app, "PART", size - rest)
            await platform.send(good_http(world, BIG))
            [one] = gateway.server.server_state.connections
            assert isinstance(one, GuardedProtocol)
            await eventually(lambda: one._taken_due is not None)
            await platform.answer()
            await eventually(lambda: one._taken_due is None)

    asyncio.run(test())


def test_a_connection_may_rest_between_two_calls_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()

    async def test() -> None:
        monkeypatch.setattr(connection, "REST_S", 5 * SHORT_S)
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            shorten(monkeypatch)
            for _ in range(2):
                await platform.send(good_http(world))
                (await platform.answer()).assert_good()
                await asyncio.sleep(2 * SHORT_S)
            assert await platform.ended() == b""

    asyncio.run(test())


async def all_closed_but(gateway: Served, number: int) -> None:
    """Waits until the server has had connections and has closed them."""
    state = gateway.server.server_state
    await eventually(lambda: state.connections or state.total_requests)
    await eventually(lambda: len(state.connections) <= number)
