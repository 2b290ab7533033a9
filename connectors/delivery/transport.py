"""The HTTP transport beneath httpx: kept HTTP/1.1 connections in the event loop itself, answers read by httptools.

httpx's own pool costs twenty times as much. A client with threads of its own has to ask for the interpreter's lock at
every answer, which a loop that is busy sealing gives up only every 5 ms.
"""

import asyncio
import ssl
from collections import deque
from functools import cached_property
from typing import cast

import httptools
import httpx

from connectors.policies import Timeouts

#: A connection that nobody has used for so long is closed: a firewall may have forgotten it.
_IDLE_S = 60.0

#: An answer's header may have so many bytes.
_HEAD_MAX_BYTES = 65_536

#: What a header's value must not contain: it would begin another header.
_FORBIDDEN = (b"\r", b"\n", b"\0")

Host = tuple[bool, str, int]


class HttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests over at most `connections` kept connections. Follows no redirect, keeps no cookie, asks for
    no compression, uses no proxy.

    Answers are read whole, up to `answer_max_bytes` and one. A kept connection that the peer closes before it answers
    with a single byte is replaced once. Raises httpx's exceptions and no others.
    """

    def __init__(self, timeouts: Timeouts, connections: int, answer_max_bytes: int) -> None:
        self._timeouts = timeouts
        self._answer_max_bytes = answer_max_bytes
        self._places = asyncio.Semaphore(connections)
        self._idle: dict[Host, deque[_Connection]] = {}
        self._all: set[_Connection] = set()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request and its whole answer."""
        try:
            message = _message(request)
            async with asyncio.timeout(self._timeouts.total_s):
                async with self._places:
                    status, content = await self._exchange(request.url, message)
        except TimeoutError as error:
            what = str(error) or f"no answer within {self._timeouts.total_s:g} s"
            raise httpx.TimeoutException(what, request=request) from error
        except _ConnectionRefused as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except (OSError, httptools.HttpParserError, _Broken) as error:
            raise httpx.TransportError(f"{type(error).__name__.lstrip('_')}: {error}", request=request) from error
        return httpx.Response(status, stream=httpx.ByteStream(content), request=request)

    async def _exchange(self, url: httpx.URL, message: bytes) -> tuple[int, bytes]:
        host: Host = (url.scheme == "https", url.host, url.port or (443 if url.scheme == "https" else 80))
        kept = self._kept(host)
        if kept is not None:
            try:
                return await self._on(kept, host, message)
            except _Unanswered:
                pass
        return await self._on(await self._connect(host), host, message)

    def _kept(self, host: Host) -> "_Connection | None":
        idle = self._idle.get(host)
        now = asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if connection.is_open and now - connection.idle_since < _IDLE_S:
                return connection
            self._drop(connection)
        return None

    async def _connect(self, host: Host) -> "_Connection":
        tls, name, port = host
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._answer_max_bytes, self._timeouts.read_s),
                    name,
                    port,
                    ssl=self._tls if tls else None,
                )
        except TimeoutError as error:
            raise TimeoutError(f"no connection within {self._timeouts.connect_s:g} s") from error
        except (OSError, UnicodeError) as error:
            raise _ConnectionRefused(str(error)) from error
        self._all.add(connection)
        return connection

    async def _on(self, connection: "_Connection", host: Host, message: bytes) -> tuple[int, bytes]:
        try:
            answer = await connection.exchange(message)
        except BaseException:
            self._drop(connection)
            raise
        if connection.is_open:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.setdefault(host, deque()).append(connection)
        else:
            self._drop(connection)
        return answer

    def _drop(self, connection: "_Connection") -> None:
        connection.close()
        self._all.discard(connection)

    async def aclose(self) -> None:
        """Closes the connections."""
        for connection in list(self._all):
            self._drop(connection)
        self._idle.clear()


def _message(request: httpx.Request) -> bytes:
    url, content = request.url, request.read()
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), url.raw_path)]
    names = set()
    for name, value in request.headers.raw:
        if any(bad in value for bad in _FORBIDDEN):
            raise httpx.LocalProtocolError(f"header {name.decode()} has a line break", request=request)
        names.add(name.lower())
        lines.append(b"%s: %s" % (name, value))
    if b"host" not in names:
        lines.append(b"Host: %s" % url.netloc)
    if b"content-length" not in names:
        lines.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join((*lines, b"", content))


class _Broken(Exception):
    """The answer is none that can be used, or the connection ended within it."""


class _Unanswered(_Broken):
    """The connection ended before the first byte of an answer."""


class _ConnectionRefused(Exception):
    """There is no connection."""


class _Connection(asyncio.Protocol):
    """One connection, on which one request is under way at most."""

    def __init__(self, answer_max_bytes: int, read_s: float) -> None:
        self._answer_max_bytes = answer_max_bytes
        self._read_s = read_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._size = 0
        self._head_size = 0
        self._in_body = False
        self._measured = False
        self._whole = False
        self._heard_at = self._loop.time()

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, message: bytes) -> tuple[int, bytes]:
        """Status and body, of which at most one byte more than is allowed. Raises _Broken, TimeoutError, OSError,
        HttpParserError."""
        if not self.is_open:
            raise _Unanswered("the connection is closed")
        assert self._transport is not None
        self._begin()
        self._answer = self._loop.create_future()
        self._timer = self._loop.call_later(self._read_s, self._look)
        try:
            self._transport.write(message)
            return await self._answer
        finally:
            self._timer.cancel()
            self._answer = None

    def close(self) -> None:
        """Ends the connection, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def _look(self) -> None:
        left_s = self._heard_at + self._read_s - self._loop.time()
        if left_s <= 0:
            self._fail(TimeoutError(f"nothing came for {self._read_s:g} s"))
        else:
            self._timer = self._loop.call_later(left_s, self._look)

    def _fail(self, error: BaseException) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()

    def _succeed(self, keep: bool) -> None:
        self._whole = True
        if not keep:
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), b"".join(self._body)))

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked
            return
        self._heard_at = self._loop.time()
        if not self._in_body:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(_Broken("the peer changes the protocol"))
        except httptools.HttpParserError as error:
            self._fail(error)
        else:
            if not self._in_body and self._head_size > _HEAD_MAX_BYTES:
                self._fail(_Broken(f"the header has more than {_HEAD_MAX_BYTES} bytes"))

    def eof_received(self) -> bool:
        if self._in_body and not self._measured and self._answer is not None:
            self._succeed(keep=False)  # its end is the connection's
        return False

    def connection_lost(self, error: Exception | None) -> None:
        reason = str(error) if error is not None else "the peer closed the connection"
        unanswered = not self._head_size
        self._fail(_Unanswered(reason) if unanswered else _Broken(reason))
        self._transport = None

    # What the parser says.

    def on_message_begin(self) -> None:
        """An answer begins: one that nobody has asked for is no good sign."""
        if self._whole:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._measured = True

    def on_headers_complete(self) -> None:
        """The body begins."""
        self._in_body = self._parser.get_status_code() >= httpx.codes.OK

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._whole:
            return
        left = self._answer_max_bytes + 1 - self._size
        self._body.append(data[:left])
        self._size += len(data)
        if self._size > self._answer_max_bytes:
            self._succeed(keep=False)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only announces one."""
        if self._in_body and not self._whole:
            self._succeed(keep=self._parser.should_keep_alive())
