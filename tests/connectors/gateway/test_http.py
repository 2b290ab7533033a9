"""The gateway over real HTTP/1.1: what a caller may do, and what every other request is told."""

import asyncio

import pytest

from tests.connectors.gateway.hostile_calls import CRYPTO, INTERFACES
from tests.connectors.gateway.hostile_world import BASE, make_world
from tests.connectors.gateway.http_served import HttpAnswer, caller, good_http, http, served

UPGRADES = {
    # What Java's own client sends with every request to an http address.
    "h2c": {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAEAAEAAAAIAAAABAAMAAABk"},
    "websocket": {"connection": "Upgrade", "upgrade": "websocket"},
}


def assert_refused(answer: HttpAnswer, status: int, detail: str) -> None:
    """Signed, by nobody's secret."""
    ret, msg, data, sig = answer.sealed.values()
    assert (answer.status, ret, data) == (status, 4003, "")
    assert msg == f"POST参数不合法: {detail}"
    assert sig not in [crypto.sign_response(ret, msg, data) for crypto in CRYPTO.values()]


@pytest.mark.parametrize("interface", INTERFACES)
def test_every_interface_on_one_connection_again_and_again(interface: str) -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            for number in range(3):
                await platform.send(good_http(world, interface, f"{number:04d}"))
                answer = await platform.answer()
                answer.assert_good()
                assert answer.headers["content-type"] == "application/json;charset=utf-8"
                assert "connection" not in answer.headers
                assert "server" not in answer.headers

    asyncio.run(test())


def test_calls_that_do_not_wait_for_each_others_answers_are_answered_in_their_order() -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            nowhere = http(b"{}", "/nowhere")
            await platform.send(good_http(world), nowhere, good_http(world, seq="0002"), nowhere)
            answers = [await platform.answer() for _ in range(4)]
            assert [answer.status for answer in answers] == [200, 404, 200, 404]
            answers[2].assert_good()

    asyncio.run(test())


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_another_method_is_told_that_it_is_post(method: str) -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            await platform.send(http(method=method))
            answer = await platform.answer(body=method != "HEAD")
            assert (answer.status, answer.headers["allow"]) == (405, "POST")
            if method != "HEAD":
                assert_refused(answer, 405, "POST only")
            await platform.send(good_http(world))
            (await platform.answer()).assert_good()

    asyncio.run(test())


@pytest.mark.parametrize(
    "path", ["/", "/evcs", BASE, BASE + "query_token/", BASE + "Query_Token", "//x", "/%ff%00", "*"]
)
def test_a_path_that_there_is_not(path: str) -> None:
    async def test() -> None:
        world = make_world()
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            # Its body is taken all the same, so the connection goes on.
            await platform.send(http(b"x" * 5_000, path, method="OPTIONS" if path == "*" else "POST"))
            assert_refused(await platform.answer(), 404, "no such interface")
            await platform.send(good_http(world))
            (await platform.answer()).assert_good()

    asyncio.run(test())


def test_one_who_asks_whether_to_go_on_is_told_to() -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            head, body = good_http(world, expect="100-continue").split(b"\r\n\r\n")
            await platform.send(head, b"\r\n\r\n")
            assert (await platform.answer()).status == 100
            await platform.send(body)
            (await platform.answer()).assert_good()

    asyncio.run(test())


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_chunks_and_a_trailer_that_is_not_heard(size: int) -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            call = good_http(world, "query_equip_auth", content_length="", transfer_encoding="chunked")
            head, body = call.split(b"\r\n\r\n")
            parts = [body[at : at + size] for at in range(0, len(body), size)]
            chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts)
            for trailer in (b"", b"Authorization: Bearer another\r\nX: y\r\n"):
                await platform.send(head, b"\r\n\r\n", chunks, b"0\r\n", trailer, b"\r\n")
                (await platform.answer()).assert_good()

    asyncio.run(test())


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
def test_one_who_would_rather_speak_another_protocol_is_answered_in_this_one(upgrade: str, framing: str) -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app) as gateway, caller(gateway.port) as platform:
            for _ in range(2):
                if framing == "length":
                    await platform.send(good_http(world, fields=UPGRADES[upgrade]))
                    (await platform.answer()).assert_good()
                elif framing == "chunked":
                    call = good_http(world, content_length="", transfer_encoding="chunked", fields=UPGRADES[upgrade])
                    head, body = call.split(b"\r\n\r\n")
                    await platform.send(head, b"\r\n\r\n")
                    await platform.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), good_http(world))
                    (await platform.answer()).assert_good()
                    (await platform.answer()).assert_good()
                else:
                    await platform.send(
                        http(method="GET", content_length="", fields=UPGRADES[upgrade]), good_http(world)
                    )
                    assert (await platform.answer()).status == 405
                    (await platform.answer()).assert_good()

    asyncio.run(test())
