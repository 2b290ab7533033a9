"""What is too much, or is not HTTP: signed refusals, and connections that end."""

import asyncio
import logging

import pytest

from connectors import connection
from tests.connectors.gateway.hostile_calls import START
from tests.connectors.gateway.hostile_world import World, make_world
from tests.connectors.gateway.http_served import PATIENCE_S, Caller, caller, eventually, good_http, http, served
from tests.connectors.gateway.test_http import assert_refused

KIB = 1024
LONG = "x" * 20 * KIB
UNREADABLE = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 300,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a tunnel": b"CONNECT gateway:443 HTTP/1.1\r\n\r\n",
    "no ASCII": "POST /充电 HTTP/1.1\r\n\r\n".encode(),
    "two lengths": http(content_length="0\r\ncontent-length: 1"),
    "a length and chunks": http(transfer_encoding="chunked"),
    "a negative length": http(content_length="-1"),
    "a folded line": http(host="a\r\n b"),
    "a long path": http(path="/" + LONG),
    "a long field": http(x=LONG),
    "many fields": http(fields={f"x{number}": "y" * 10 for number in range(1_500)}),
}


async def assert_unreadable(platform: Caller) -> None:
    """It is told so, and that is all."""
    answer = await platform.answer()
    assert_refused(answer, 400, "no request of HTTP/1.1")
    assert answer.headers["connection"] == "close"
    assert await platform.ended() == b""


def chunked_start(world: World) -> bytes:
    """A start in one chunk, but for the end of the chunks."""
    head, body = good_http(world, START, content_length="", transfer_encoding="chunked").split(b"\r\n\r\n")
    return head + b"\r\n\r\n%x\r\n%b\r\n" % (len(body), body)


@pytest.mark.parametrize("size", [64 * KIB + 1, 500 * KIB])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(size: int, chunked: bool) -> None:
    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            body = b"x" * size
            if chunked:
                head = http(content_length="", transfer_encoding="chunked")
                await platform.send(head, b"%x\r\n" % size, body, b"\r\n0\r\n\r\n")
            else:
                await platform.send(http(body))
            answer = await platform.answer()
            assert_refused(answer, 413, "larger than 65536 bytes")
            assert answer.headers["connection"] == "close"
            assert await platform.ended() == b""

    asyncio.run(test())


def test_one_who_sends_too_much_is_heard_out_since_he_does_not_listen_before() -> None:
    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            first, rest = b"x" * 100 * KIB, b"x" * 400 * KIB
            await platform.send(http(content_length=str(len(first + rest))), first)
            early = asyncio.create_task(platform.answer())
            await asyncio.wait([early], timeout=0.3)
            assert not early.done()
            await platform.send(rest)
            assert_refused(await early, 413, "larger than 65536 bytes")

    asyncio.run(test())


def test_the_largest_body_that_is_read() -> None:
    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            await platform.send(http(b"{}".ljust(64 * KIB)))
            assert_refused(await platform.answer(), 200, "OperatorID: is missing")

    asyncio.run(test())


def test_a_body_without_end_is_not_read_to_its_end() -> None:
    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            ended = asyncio.create_task(platform.ended())
            await platform.send(http(content_length=str(10**12)))
            sent = 0
            while not ended.done() and sent < 64 * KIB * KIB:
                platform.writer.write(b"x" * 64 * KIB)
                await asyncio.sleep(0)
                sent += 64 * KIB
            await ended
            assert sent < 64 * KIB * KIB

    asyncio.run(test())


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_not_http_is_refused_with_a_signature_and_leaves_no_line_in_the_log(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "uvicorn")
    caplog.set_level(logging.WARNING)

    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            await platform.send(UNREADABLE[name])
            await assert_unreadable(platform)

    asyncio.run(test())
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_call_is_answered_whatever_comes_behind_it() -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(good_http(world, START), good_http(world, seq="0002"), b"\x00garbage\r\n\r\n")
            (await platform.answer()).assert_good()
            last = await platform.answer()
            last.assert_good()
            assert last.headers["connection"] == "close"
            assert await platform.ended() == b""

    asyncio.run(test())
    assert len(world.sender.sent) == 1


@pytest.mark.parametrize("garbage", [b"zz\r\n", b"5;" + LONG.encode(), b"0\r\nx: " + LONG.encode()])
def test_a_call_whose_chunks_can_not_be_read_is_no_call(garbage: bytes) -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(chunked_start(world), garbage)
            await assert_unreadable(platform)

    asyncio.run(test())
    assert world.sender.sent == []


def test_a_call_that_can_not_be_read_behind_another_ends_both() -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(good_http(world), chunked_start(world), b"zz\r\n")
            assert await platform.ended() == b""

    asyncio.run(test())
    assert world.sender.sent == []


def test_requests_that_pile_up_are_answered_up_to_a_number() -> None:
    async def test() -> None:
        async with served(make_world().app) as gateway, caller(gateway.port) as platform:
            await platform.send(http() * 1_000)
            answers = [await platform.answer() for _ in range(connection.PIPELINED_MAX + 1)]
            assert {answer.status for answer in answers} == {200}
            assert [answer.headers.get("connection") for answer in answers] == [None] * 16 + ["close"]
            assert await platform.ended() == b""

    asyncio.run(test())


def test_connections_beyond_the_most_are_closed_and_those_that_there_are_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 2)
    monkeypatch.setattr(connection, "HEAD_S", 2 * PATIENCE_S)
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as one, caller(gateway.port) as two:
            for platform in (one, two):
                await platform.send(good_http(world))
                (await platform.answer()).assert_good()
            async with caller(gateway.port) as third:
                assert await third.ended() == b""
            await one.send(good_http(world))
            (await one.answer()).assert_good()
            two.writer.transport.abort()
            await eventually(lambda: len(gateway.server.server_state.connections) == 1)
            async with caller(gateway.port) as third:
                await third.send(good_http(world))
                (await third.answer()).assert_good()

    asyncio.run(test())
