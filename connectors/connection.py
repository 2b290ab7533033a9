"""One connection, guarded: uvicorn's protocol with a limit on everything that a caller may withhold, pile up, or leave
lying. What is asked and answered on it is the application's."""

import asyncio
import socket
from typing import Any, NamedTuple, Protocol

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

#: The head of a request must be here so long after the connection, or after its own first byte, s; between two
#: requests a connection may rest for longer.
HEAD_S = 10.0
REST_S = 65

#: While a body is on its way its reader is woken so often, to look at the clock, s.
WAKE_S = 1.0

#: An answer must have been taken so long after it first had to wait, s: a page of 4 MB at 1 Mbit/s.
SEND_S = 30.0

#: What a request may have beside its body: the head, the frames of its chunks, a trailer.
HEAD_MAX = 16 * 1024

#: Requests that wait for the answers to those before them; a caller that sends more is not read any further.
PIPELINED_MAX = 16

#: Connections at once, if the system has as many file descriptors; more are closed at once.
CONNECTIONS_MAX = 4_096

_FRAMING = (b"content-length", b"transfer-encoding")


class Reply(NamedTuple):
    """An answer for one connection, which ends with it."""

    status: int
    content_type: bytes
    body: bytes


class MalformedAnswerer(Protocol):
    """What an application has beside ASGI."""

    def malformed(self) -> Reply:
        """The answer to what is not HTTP/1.1, or has too long a head."""
        ...


class Config(uvicorn.Config):
    """uvicorn's; what is answered where no application is reached; how many connections there may be."""

    answerer: MalformedAnswerer
    connections_max: int


class GuardedProtocol(HttpToolsProtocol):
    """Closes connections that keep us waiting for a head or with an answer, and those that are too many. What can't be
    read is answered by the application's `malformed`, behind the answers to what came before it."""

    config: Config
    _head_due: asyncio.TimerHandle | None = None
    _body_due: asyncio.TimerHandle | None = None
    _taken_due: asyncio.TimerHandle | None = None
    #: The request that is being answered; `cycle` is the newest one.
    _answered: RequestResponseCycle | None = None
    #: What the request that is being read has beside its body: fields that are whole, and bytes as they came.
    _fields_size = 0
    _beside_body = 0
    #: Seen in the newest bytes.
    _body_seen = 0
    _completed = False
    _in_body = False
    #: The head is one of our own making, see `_read_on`.
    _resumed = False
    _broken = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection."""
        super().connection_made(transport)
        # asyncio does so for sockets that say they are TCP's, which `socket.create_server` leaves open. The head
        # and the body of an answer are two writes: the body would wait until the head is acknowledged, 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self.config.connections_max:
            transport.abort()
            return
        # `pause_writing` is to tell whether anything waits to be taken. (TLS pauses at the mark, so it can't be 0.)
        transport.set_write_buffer_limits(high=1, low=0)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._head_here()
        self._body_here()
        self._taken()
        if self._answered is not None and not self._answered.response_complete:
            # uvicorn tells the newest request only, and each part of an answer to an older one would be a line in the
            # log.
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        self._unset_keepalive_if_required()
        if self._broken:
            return
        if self._head_due is None and self._rests():
            self._await_head()
        self._body_seen, self._completed = 0, False
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._break_off()
            return
        self._beside_body = 0 if self._completed else self._beside_body + len(data) - self._body_seen
        if self._beside_body > HEAD_MAX:
            self._break_off()
        elif self._in_body and self._body_due is None:
            self._body_due = self.loop.call_later(WAKE_S, self._wake_reader)

    def pause_writing(self) -> None:
        """What was written waits for the caller to take it."""
        super().pause_writing()
        if self._taken_due is None:
            self._taken_due = self.loop.call_later(SEND_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It has been taken; of an answer that is not all written yet the time goes on."""
        super().resume_writing()
        if self._rests():
            self._taken()

    def on_response_complete(self) -> None:
        """An answer is written."""
        super().on_response_complete()
        if not self.flow.write_paused:
            self._taken()

    def on_message_begin(self) -> None:
        """The first bytes of a request."""
        if self._resumed:
            return
        if len(self.pipeline) >= PIPELINED_MAX:
            raise OverflowError("too many requests at once")
        super().on_message_begin()
        self._fields_size = 0
        if self._head_due is None:
            self._await_head()

    def on_url(self, url: bytes) -> None:
        """Some of a request's address."""
        if not self._resumed:
            self._count(len(url))
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; a trailer is not heard."""
        if not self._resumed:
            self._count(len(name) + len(value))
            if not self._in_body:
                super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The whole head of a request."""
        if self._resumed:
            return
        self._in_body = True
        super().on_headers_complete()
        self._head_here()

    def on_body(self, body: bytes) -> None:
        """Some of a request's body."""
        self._body_seen += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The whole of a request; the parser says so too soon of one that would speak another protocol."""
        if self.parser.should_upgrade():
            return
        self._in_body, self._completed = False, True
        self._body_here()
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _count(self, size: int) -> None:
        self._fields_size += size
        if self._fields_size > HEAD_MAX:
            raise OverflowError("too long a head")

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_on(data[upgrade.args[0] :])

    def _read_on(self, rest: bytes) -> None:
        """The body of a request that asks for another protocol, which is not to be had (RFC 9110 §7.8): Java's own
        client asks for HTTP/2. The parser has taken the message for ended, so it is begun again with the same frame."""
        frame = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] in _FRAMING)
        self._resumed = True
        try:
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + frame + b"\r\n")
        finally:
            self._resumed = False
        self._feed(rest)

    def _break_off(self) -> None:
        """Nothing more is read. What was asked before is answered; a request whose body can't be read is none."""
        self._broken = True
        self._body_here()
        newest = self.cycle
        if newest is not None and not newest.response_complete:
            if not newest.more_body:
                newest.keep_alive = False
                return
            newest.disconnected = True
            newest.message_event.set()
            if self.pipeline:
                self.transport.abort()
                return
        status, content_type, body = self.config.answerer.malformed()
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (content_type, len(body))
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    def _rests(self) -> bool:
        """Whether nothing waits for an answer."""
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_S, self.transport.abort)

    def _head_here(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _wake_reader(self) -> None:
        self._body_due = self.loop.call_later(WAKE_S, self._wake_reader)
        if self.cycle is not None:
            self.cycle.message_event.set()

    def _body_here(self) -> None:
        if self._body_due is not None:
            self._body_due.cancel()
            self._body_due = None

    def _taken(self) -> None:
        if self._taken_due is not None:
            self._taken_due.cancel()
            self._taken_due = None
