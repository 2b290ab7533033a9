"""The transport against a real server: kept connections, time-outs, broken answers, and no exception but httpx's."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from connectors.delivery.transport import HttpTransport
from connectors.policies import Timeouts
from tests.connectors.delivery.certificate import write_certificate

MAX_BYTES = 1000
PATIENT = Timeouts(60, 60, 60)

#: Ends a test that would hang; no answer is expected within it.
GUARD_S = 120

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One POST of the tests, whose bodies are short."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    return head + await reader.readexactly(length)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """aiohttp's server at an address of its own."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/x/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_raw(handler: RawHandler) -> AsyncIterator[str]:
    """A server that writes what it likes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x/"
    finally:
        server.close()


@asynccontextmanager
async def transport(timeouts: Timeouts = PATIENT, connections: int = 8) -> AsyncIterator[HttpTransport]:
    made = HttpTransport(timeouts, connections, MAX_BYTES)
    try:
        yield made
    finally:
        await made.aclose()


async def post(by: HttpTransport, url: str, body: bytes = b"{}") -> httpx.Response:
    headers = {"Content-Type": "application/json;charset=utf-8", "Authorization": "Bearer x"}
    response = await by.handle_async_request(httpx.Request("POST", url, content=body, headers=headers))
    await response.aread()
    return response


def test_request_and_answer_arrive_as_they_are() -> None:
    seen: list[tuple[str, str, bytes, dict[str, str]]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.method, request.path_qs, await request.read(), dict(request.headers)))
        return web.Response(body="好".encode(), status=201)

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            response = await post(by, base + "query_token", "请".encode())
            assert (response.status_code, response.content) == (201, "好".encode())

    asyncio.run(scenario())
    ((method, path, body, headers),) = seen
    assert (method, path, body) == ("POST", "/x/query_token", "请".encode())
    assert headers["Content-Type"] == "application/json;charset=utf-8"
    assert headers["Authorization"] == "Bearer x"
    assert headers["Content-Length"] == "3"
    assert {name.lower() for name in headers} == {"host", "content-type", "authorization", "content-length"}


def test_connections_are_kept_and_limited() -> None:
    peers: set[object] = set()
    at_once = [0, 0]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        at_once[0] += 1
        at_once[1] = max(at_once)
        await asyncio.sleep(0)
        at_once[0] -= 1
        return web.Response(body=b"ok")

    async def scenario() -> None:
        async with serving(handler) as base, transport(connections=4) as by:
            for _ in range(10):
                await post(by, base)
            assert len(peers) == 1
            await asyncio.gather(*(post(by, base) for _ in range(40)))
            assert len(peers) <= 4

    asyncio.run(scenario())


def test_cookies_are_not_kept() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert "Cookie" not in request.headers
        return web.Response(headers={"Set-Cookie": "a=b; Path=/"})

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            for _ in range(2):
                assert (await post(by, base)).status_code == 200

    asyncio.run(scenario())


def test_redirects_are_not_followed() -> None:
    paths: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            assert (await post(by, base)).status_code == 302

    asyncio.run(scenario())
    assert paths == ["/x/"]


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"direct")

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            assert (await post(by, base)).content == b"direct"

    asyncio.run(scenario())


@pytest.mark.parametrize("chunks", [[b"a" * 10] * 3, [b"a"] * 200, [b"a" * MAX_BYTES], []])
def test_chunked_answers_are_read_whole(chunks: list[bytes]) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            for _ in range(2):
                assert (await post(by, base)).content == b"".join(chunks)

    asyncio.run(scenario())


def test_an_answer_that_ends_with_its_connection() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        await writer.drain()

    async def scenario() -> None:
        async with serving_raw(handler) as base, transport() as by:
            assert (await post(by, base)).content == b"until the end"

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [MAX_BYTES, MAX_BYTES + 1, MAX_BYTES * 1000])
def test_no_more_is_read_than_an_answer_may_have(size: int) -> None:
    """One byte more than the limit, so that the caller sees that there was more."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"a" * size)

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            assert len((await post(by, base)).content) == min(size, MAX_BYTES + 1)
            # What was left unread does not spoil the next answer.
            assert len((await post(by, base)).content) == min(size, MAX_BYTES + 1)

    asyncio.run(scenario())


def test_an_endless_answer_is_left() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"a" * 100)

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by:
            assert len((await post(by, base)).content) == MAX_BYTES + 1

    asyncio.run(scenario())


class TestTimeouts:
    @staticmethod
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    @staticmethod
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    @staticmethod
    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\na")
        await reader.read()

    @pytest.mark.parametrize(
        ("handler", "timeouts", "told"),
        [
            (never, Timeouts(0.2, 0.2, 300), "nothing came for 0.2 s"),
            (never, Timeouts(0.2, 0.3, 0.3), "no answer within 0.3 s"),
            (stalls, Timeouts(0.2, 0.2, 300), "nothing came for 0.2 s"),
            (drips, Timeouts(0.2, 0.3, 0.3), "no answer within 0.3 s"),
        ],
        ids=["no answer, read", "no answer, total", "half an answer, read", "drips, total"],
    )
    def test_an_answer(self, handler: RawHandler, timeouts: Timeouts, told: str) -> None:
        async def scenario() -> None:
            async with serving_raw(handler) as base, transport(timeouts) as by:
                async with asyncio.timeout(GUARD_S):
                    with pytest.raises(httpx.TimeoutException, match=told):
                        await post(by, base)

        asyncio.run(scenario())

    def test_each_has_its_own(self) -> None:
        """Of two calls that wait at once the one that was sent first ends first, and neither before its time."""

        async def scenario() -> list[float]:
            loop, took = asyncio.get_running_loop(), []

            async def call(by: HttpTransport, base: str, after_s: float) -> None:
                await asyncio.sleep(after_s)
                began = loop.time()
                with pytest.raises(httpx.TimeoutException):
                    await post(by, base)
                took.append(loop.time() - began)

            async with serving_raw(self.never) as base, transport(Timeouts(0.5, 0.5, 0.5)) as by:
                async with asyncio.timeout(GUARD_S):
                    await asyncio.gather(call(by, base, 0), call(by, base, 0.3))
            return took

        took = asyncio.run(scenario())
        assert len(took) == 2
        assert min(took) >= 0.5

    def test_a_place_among_the_connections(self) -> None:
        """Who waits behind a call that is slow waits no longer than a call may take."""

        async def scenario() -> None:
            async with serving_raw(self.drips) as base, transport(Timeouts(0.5, 0.5, 0.5), connections=1) as by:
                async with asyncio.timeout(GUARD_S):
                    answers = await asyncio.gather(*(post(by, base) for _ in range(3)), return_exceptions=True)
            assert [type(answer) for answer in answers] == [httpx.TimeoutException] * 3
            assert {str(answer) for answer in answers} == {"no answer within 0.5 s"}

        asyncio.run(scenario())

    def test_a_connection(self) -> None:
        """A full backlog takes no more connections, as a host behind a firewall that drops does."""

        async def scenario(port: int) -> None:
            async with transport(Timeouts(0.2, 300, 300)) as by, asyncio.timeout(GUARD_S):
                with pytest.raises(httpx.TimeoutException):
                    await post(by, f"http://127.0.0.1:{port}/")

        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            fillers = [socket.socket() for _ in range(4)]
            try:
                for filler in fillers:
                    filler.setblocking(False)
                    filler.connect_ex(("127.0.0.1", port))
                asyncio.run(scenario(port))
            finally:
                for filler in fillers:
                    filler.close()

    def test_the_next_request_is_served(self) -> None:
        slow = [True]

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            if slow and slow.pop():
                await asyncio.sleep(600)
            return web.Response(body=b"ok")

        async def served(by: HttpTransport, base: str) -> bytes:
            """The first answer that comes in time: a machine that stalls may miss some."""
            while True:
                with contextlib.suppress(httpx.TimeoutException):
                    return (await post(by, base)).content

        async def scenario() -> None:
            async with serving(handler) as base, transport(Timeouts(0.5, 0.5, 300)) as by:
                with pytest.raises(httpx.TimeoutException):
                    await post(by, base)
                async with asyncio.timeout(GUARD_S):
                    assert await served(by, base) == b"ok"

        asyncio.run(scenario())


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "binary": bytes(range(256)),
    "status line only": b"HTTP/1.1 200 OK\r\n",
    "odd status": b"HTTP/1.1 abc OK\r\n\r\n",
    "odd header": b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "odd length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
    "odd chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_broken_answers_are_transport_errors(answer: bytes, reset: bool) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        if reset:
            writer.transport.abort()

    async def scenario() -> None:
        async with serving_raw(handler) as base, transport() as by, asyncio.timeout(GUARD_S):
            with pytest.raises(httpx.TransportError):
                await post(by, base)

    asyncio.run(scenario())


def test_names_that_take_long_to_look_up_hold_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = threading.Event(), []
    look_up = socket.getaddrinfo

    def slow(host: str, *arguments: Any, **more: Any) -> Any:
        if host.endswith(".slow"):
            asked.append(host)
            found.wait(GUARD_S)
            raise socket.gaierror("no such name")
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"ok")

    async def scenario() -> None:
        hasty = transport(Timeouts(0.3, 1, 1), connections=50)
        async with serving(handler) as base, hasty as waiting, transport() as by, asyncio.timeout(GUARD_S):
            lookups = [asyncio.create_task(post(waiting, f"http://{number}.slow/")) for number in range(50)]
            while not asked:  # noqa: ASYNC110  another thread tells
                await asyncio.sleep(0.01)
            assert (await post(by, base.replace("127.0.0.1", "localhost"))).content == b"ok"
            assert not found.is_set()
            answers = await asyncio.gather(*lookups, return_exceptions=True)
            assert {str(answer) for answer in answers} == {"no connection within 0.3 s"}
            found.set()

    asyncio.run(scenario())


def test_a_port_where_nobody_listens() -> None:
    async def scenario() -> None:
        async with serving_raw(TestTimeouts.never) as base:
            pass
        async with transport() as by:
            with pytest.raises(httpx.ConnectError):
                await post(by, base)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url",
    ["http://no-such-host.invalid/", "https://127.0.0.1:1/", "ftp://127.0.0.1/", "http://x..y/", f"http://{'a' * 70}/"],
)
def test_an_address_that_leads_nowhere(url: str) -> None:
    async def scenario() -> None:
        async with transport() as by, asyncio.timeout(GUARD_S):
            with pytest.raises(httpx.TransportError):
                await post(by, url)

    asyncio.run(scenario())


def test_https_to_a_server_that_speaks_http() -> None:
    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response()

    async def scenario() -> None:
        async with serving(handler) as base, transport() as by, asyncio.timeout(GUARD_S):
            with pytest.raises(httpx.TransportError):
                await post(by, base.replace("http:", "https:"))

    asyncio.run(scenario())


def test_a_server_that_closes_kept_connections() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async def scenario() -> None:
        async with serving_raw(handler) as base, transport() as by:
            for _ in range(10):
                try:
                    served.append((await post(by, base)).content == b"ok")
                except httpx.TransportError:  # the request may meet the closing of the last one's connection
                    served.append(False)

    served: list[bool] = []
    asyncio.run(scenario())
    # A new connection is served, and one that proved to be closed is not used twice.
    assert served[0]
    assert all(before or after for before, after in pairwise(served))


def test_closing_twice_and_before_the_first_request() -> None:
    async def scenario() -> None:
        left = asyncio.Event()

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
            await reader.read()
            left.set()

        async with serving_raw(handler) as base, transport() as by, asyncio.timeout(GUARD_S):
            await by.aclose()
            assert (await post(by, base)).content == b"ok"
            assert not left.is_set()
            await by.aclose()
            await by.aclose()
            await left.wait()

    asyncio.run(scenario())


def test_cancelling_a_request_frees_its_connection() -> None:
    answers = False

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if not answers:
            await reader.read()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async def scenario() -> None:
        nonlocal answers
        async with serving_raw(handler) as base, transport(connections=1) as by:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await post(by, base)
            answers = True
            async with asyncio.timeout(GUARD_S):
                assert (await post(by, base)).content == b"ok"

    asyncio.run(scenario())


class TestTls:
    @staticmethod
    def ask(folder: Path) -> httpx.Response:
        """One request to a server that shows its own certificate."""
        certificate, key = write_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsealed")
            await writer.drain()
            writer.close()

        async def scenario() -> httpx.Response:
            server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
            try:
                async with transport() as by:
                    return await post(by, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            finally:
                server.close()

        return asyncio.run(scenario())

    def test_a_server_whose_certificate_is_trusted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert self.ask(tmp_path).content == b"sealed"

    def test_a_server_whose_certificate_is_not(self, tmp_path: Path) -> None:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            self.ask(tmp_path)


@pytest.mark.parametrize("value", [b"Bearer x\r\nHost: elsewhere", b"Bearer x\n", b"\0"])
def test_a_header_that_would_begin_another_is_refused(value: bytes) -> None:
    async def scenario() -> None:
        async with transport() as by:
            request = httpx.Request("POST", "http://127.0.0.1:9/", headers=[(b"Authorization", value)], content=b"")
            with pytest.raises(httpx.LocalProtocolError, match="Authorization has a line break"):
                await by.handle_async_request(request)

    asyncio.run(scenario())


def test_an_answer_that_is_announced_first() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async def scenario() -> None:
        async with serving_raw(handler) as base, transport() as by, asyncio.timeout(GUARD_S):
            answer = await post(by, base)
            assert (answer.status_code, answer.content) == (200, b"ok")

    asyncio.run(scenario())


def test_what_follows_an_answer_unasked_belongs_to_no_other_request() -> None:
    """A second answer in one segment with the first: the connection that brought it is not used again."""
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_request(reader)
            first = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
            writer.write(first + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
            await writer.drain()

    async def scenario() -> None:
        async with serving_raw(handler) as base, transport() as by, asyncio.timeout(GUARD_S):
            for _ in range(3):
                assert (await post(by, base)).content == b"first"

    asyncio.run(scenario())
    assert connections == 3


def test_a_kept_connection_that_ends_as_it_is_used_again_is_replaced() -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        await reader.read(1)  # the next request has begun to come: too late

    async def scenario() -> None:
        async with serving_raw(handler) as base, transport() as by, asyncio.timeout(GUARD_S):
            for _ in range(3):
                assert (await post(by, base)).content == b"ok"

    asyncio.run(scenario())
    assert connections == 3
