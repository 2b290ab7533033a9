"""The HTTP transport beneath httpx: kept HTTP/1.1 connections in the event loop itself, answers read by httptools.

httpx's own pool costs twenty times as much. A client with threads of its own has to ask for the interpreter's lock at
every answer, which a loop that is busy sealing gives up only every 5 ms.
"""

import asyncio
import socket
import ssl
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import cast

import httptools
import httpx

from connectors.policies import Timeouts

#: A connection that nobody has used for so long is closed: a firewall may have forgotten it.
_IDLE_S = 60.0

#: An answer's header may have so many bytes.
_HEAD_MAX_BYTES = 65_536

#: Names that are looked up at once.
_RESOLVING = 2

#: What a header's value must not contain: it would begin another header.
_FORBIDDEN = (b"\r", b"\n", b"\0")

#: How often the answers that are waited for are looked at, s: two timers of each would cost as much as its cipher.
_LOOK_S = 0.02

Host = tuple[bool, str, int]
Address = tuple[str, int]


class HttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests over at most `connections` kept connections. Follows no redirect, keeps no cookie, asks for
    no compression, uses no proxy.

    Answers are read whole, up to `answer_max_bytes` and one. A kept connection that the peer closes before it answers
    with a single byte is replaced once. Time-outs are kept to 20 ms. Raises httpx's exceptions and no others.
    """

    def __init__(self, timeouts: Timeouts, connections: int, answer_max_bytes: int) -> None:
        self._timeouts = timeouts
        self._answer_max_bytes = answer_max_bytes
        self._places = asyncio.Semaphore(connections)
        self._idle: dict[Host, deque[_Connection]] = {}
        self._all: set[_Connection] = set()
        self._asked: set[_Connection] = set()
        self._watch: asyncio.TimerHandle | None = None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @cached_property
    def _resolver(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_RESOLVING, thread_name_prefix="resolve")

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request and its whole answer."""
        try:
            status, content = await self._answered(_host(request.url), _message(request))
        except TimeoutError as error:
            raise httpx.TimeoutException(str(error), request=request) from error
        except _ConnectionRefused as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except (OSError, httptools.HttpParserError, _Broken) as error:
            raise httpx.TransportError(f"{type(error).__name__.lstrip('_')}: {error}", request=request) from error
        return httpx.Response(status, stream=httpx.ByteStream(content), request=request)

    async def _answered(self, host: Host, message: bytes) -> tuple[int, bytes]:
        until = self._loop.time() + self._timeouts.total_s
        await self._place(until)
        try:
            kept = self._kept(host)
            if kept is not None:
                try:
                    return await self._exchange(kept, host, message, until)
                except _Unanswered:
                    pass
            return await self._exchange(await self._connect(host, until), host, message, until)
        finally:
            self._places.release()

    async def _place(self, until: float) -> None:
        if not self._places.locked():
            await self._places.acquire()  # at once
            return
        try:
            async with asyncio.timeout_at(until):
                await self._places.acquire()
        except TimeoutError as error:
            raise self._too_late() from error

    def _too_late(self) -> TimeoutError:
        return TimeoutError(f"no answer within {self._timeouts.total_s:g} s")

    def _kept(self, host: Host) -> "_Connection | None":
        idle = self._idle.get(host)
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            if connection.is_open and now - connection.idle_since < _IDLE_S:
                return connection
            self._drop(connection)
        return None

    async def _connect(self, host: Host, until: float) -> "_Connection":
        tls, name, port = host
        at_last = self._loop.time() + self._timeouts.connect_s
        try:
            async with asyncio.timeout_at(min(at_last, until)):
                _, connection = await self._connected(await self._addresses(name, port), name if tls else None)
        except TimeoutError as error:
            if until < at_last:
                raise self._too_late() from error
            raise TimeoutError(f"no connection within {self._timeouts.connect_s:g} s") from error
        except (OSError, UnicodeError) as error:
            raise _ConnectionRefused(str(error)) from error
        self._all.add(connection)
        return connection

    async def _addresses(self, name: str, port: int) -> list[Address]:
        """On threads of its own: names that take long would keep the loop's few for all other platforms."""
        found = await self._loop.run_in_executor(
            self._resolver, partial(socket.getaddrinfo, name, port, type=socket.SOCK_STREAM)
        )
        return [(str(address[0]), int(address[1])) for *_, address in found]

    async def _connected(
        self, addresses: list[Address], tls_name: str | None
    ) -> "tuple[asyncio.Transport, _Connection]":
        """To the first that takes it."""
        refusal: OSError = OSError("the name has no address")
        for host, port in addresses:
            try:
                return await self._loop.create_connection(
                    lambda: _Connection(self._answer_max_bytes),
                    host,
                    port,
                    ssl=self._tls if tls_name else None,
                    server_hostname=tls_name,
                )
            except OSError as error:
                refusal = error
        raise refusal

    async def _exchange(self, connection: "_Connection", host: Host, message: bytes, until: float) -> tuple[int, bytes]:
        self._asked.add(connection)
        if self._watch is None:
            self._watch = self._loop.call_later(_LOOK_S, self._look)
        try:
            answer = await connection.ask(message, until)
        except BaseException:
            self._drop(connection)
            raise
        finally:
            connection.over()
            self._asked.discard(connection)
        if connection.is_open:
            connection.idle_since = self._loop.time()
            self._idle.setdefault(host, deque()).append(connection)
        else:
            self._drop(connection)
        return answer

    def _look(self) -> None:
        """Ends what has taken too long, and looks again while anything is waited for."""
        now, read_s = self._loop.time(), self._timeouts.read_s
        for connection in list(self._asked):
            if now >= connection.until:
                connection.fail(self._too_late())
            elif now - connection.heard_at >= read_s:
                connection.fail(TimeoutError(f"nothing came for {read_s:g} s"))
        self._watch = self._loop.call_later(_LOOK_S, self._look) if self._asked else None

    def _drop(self, connection: "_Connection") -> None:
        connection.close()
        self._all.discard(connection)

    async def aclose(self) -> None:
        """Closes the connections."""
        for connection in list(self._all):
            self._drop(connection)
        self._idle.clear()
        if "_resolver" in vars(self):
            self._resolver.shutdown(wait=False, cancel_futures=True)
            del self._resolver
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


def _host(url: httpx.URL) -> Host:
    tls = url.scheme == "https"
    return tls, url.host, url.port or (443 if tls else 80)


def _message(request: httpx.Request) -> bytes:
    content, headers = request.read(), request.headers.raw
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines.extend([b"%s: %s" % header for header in headers])
    names = {name.lower() for name, _ in headers}
    if b"host" not in names:
        lines.append(b"Host: %s" % request.url.netloc)
    if b"content-length" not in names:
        lines.append(b"Content-Length: %d" % len(content))
    head = b"\r\n".join((*lines, b"", b""))
    if head.count(b"\n") + head.count(b"\r") != 2 * len(lines) + 2 or b"\0" in head:
        broken = next((name for name, value in headers if any(bad in name + value for bad in _FORBIDDEN)), b"")
        raise httpx.LocalProtocolError(f"header {broken.decode()} has a line break", request=request)
    return head + content


class _Broken(Exception):
    """The answer is none that can be used, or the connection ended within it."""


class _Unanswered(_Broken):
    """The connection ended before the first byte of an answer."""


class _ConnectionRefused(Exception):
    """There is no connection."""


class _Connection(asyncio.Protocol):
    """One connection, on which one request is under way at most."""

    def __init__(self, answer_max_bytes: int) -> None:
        self._answer_max_bytes = answer_max_bytes
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.idle_since = 0.0
        #: When an answer must be whole, in the loop's time.
        self.until = 0.0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._size = 0
        self._head_size = 0
        self._in_body = False
        self._measured = False
        self._whole = False
        self.heard_at = self._loop.time()

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, message: bytes, until: float) -> "asyncio.Future[tuple[int, bytes]]":
        """Sends a request. The answer is status and body, of which at most one byte more than is allowed, or one of
        _Broken, OSError, HttpParserError and what `fail` was told. Raises _Unanswered if the connection is closed."""
        if not self.is_open:
            raise _Unanswered("the connection is closed")
        assert self._transport is not None
        self._begin()
        self.until = until
        self._answer = self._loop.create_future()
        self._transport.write(message)
        return self._answer

    def over(self) -> None:
        """Nobody waits for an answer any more."""
        self._answer = None

    def close(self) -> None:
        """Ends the connection, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: BaseException) -> None:
        """The answer is this error."""
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
        self.heard_at = self._loop.time()
        if not self._in_body:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail(_Broken("the peer changes the protocol"))
        except httptools.HttpParserError as error:
            self.fail(error)
        else:
            if not self._in_body and self._head_size > _HEAD_MAX_BYTES:
                self.fail(_Broken(f"the header has more than {_HEAD_MAX_BYTES} bytes"))

    def eof_received(self) -> bool:
        if self._in_body and not self._measured and self._answer is not None:
            self._succeed(keep=False)  # its end is the connection's
        return False

    def connection_lost(self, error: Exception | None) -> None:
        reason = str(error) if error is not None else "the peer closed the connection"
        unanswered = not self._head_size
        self.fail(_Unanswered(reason) if unanswered else _Broken(reason))
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
