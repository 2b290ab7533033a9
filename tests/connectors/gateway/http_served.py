"""A gateway's servers on 127.0.0.1 in the test's own event loop, and a caller that sends whatever bytes it is given."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any

from connectors.server import App, Server, listen, server
from tests.connectors.gateway import hostile_calls as calls
from tests.connectors.gateway.hostile_calls import CRYPTO, good_request
from tests.connectors.gateway.hostile_world import BASE, BEIJING, World

START_ORDER = {"StartChargeSeq": BEIJING.operator_id + "9" * 18, "ConnectorID": "BJ1-C0"}

#: No test asks that something comes within this; it only ends one that would wait for ever, s.
PATIENCE_S = 30.0


Fields = Mapping[str, str]
_NONE: Fields = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens; `stop` tells it to end, and returns when it has."""

    port: int
    server: Server
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def served(app: App, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """The application served until the context ends."""
    one = server(app, tls)
    with listen("127.0.0.1", 0, "PORT") as listener:
        # Connections inherit it, so that an answer does not disappear into the system's buffers.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
        serving = asyncio.create_task(one.serve([listener]))

        async def stop() -> None:
            one.should_exit = True
            await asyncio.wait([serving])

        try:
            yield Served(listener.getsockname()[1], one, stop)
        finally:
            await stop()
    serving.result()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def sealed(self) -> dict[str, Any]:
        """Its JSON; fails unless it has the standard's four fields."""
        fields: dict[str, Any] = json.loads(self.body)
        assert list(fields) == ["Ret", "Msg", "Data", "Sig"]
        return fields

    def assert_good(self) -> None:
        """Beijing's call was answered."""
        ret, msg, data, sig = self.sealed.values()
        assert (self.status, ret) == (200, 0)
        assert sig == CRYPTO[BEIJING.operator_id].sign_response(ret, msg, data)


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        """Bytes, in order."""
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def answer(self, body: bool = True) -> HttpAnswer:
        """The next answer; of one to HEAD there is no body."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            size = int(headers.get("content-length", "0")) if body else 0
            return HttpAnswer(int(head[0].split()[1]), headers, await self.reader.readexactly(size))

    async def ended(self) -> bytes:
        """Whatever comes until the other side has closed."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return bytes(self.reader._buffer)  # type: ignore[attr-defined]


@asynccontextmanager
async def caller(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Caller]:
    """A connection to the server."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    client.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        hostname = "127.0.0.1" if tls else None
        reader, writer = await asyncio.open_connection(sock=client, ssl=tls, server_hostname=hostname)
    except BaseException:
        client.close()
        raise
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()


def http(
    body: bytes = b"", path: str = BASE + calls.TOKEN, method: str = "POST", *, fields: Fields = _NONE, **more: str
) -> bytes:
    """A request; `content_length` and so on replace what would be right, "" leaves it out."""
    fields = {"host": "gateway", "content-length": str(len(body)), **fields}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def good_http(
    world: World, interface: str = calls.TOKEN, seq: str = "0001", *, fields: Fields = _NONE, **more: str
) -> bytes:
    """A call of Beijing's with which nothing is wrong; one for a start is obeyed."""
    payload = START_ORDER if interface == calls.START else calls.good_payload(interface, BEIJING, Random(1))
    request = good_request(world, BEIJING, interface, payload, seq)
    headers = {name.decode(): value.decode() for name, value in request.headers}
    return http(request.body, request.path, fields={**headers, **fields}, **more)


async def eventually(condition: Callable[[], object]) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)
