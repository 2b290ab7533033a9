"""Kept HTTP/1.1 connections for ready requests, as lean as Python can be, so that a load generator is not what is
measured: blocking sockets, one `select`, and of an answer only its length and its body are looked at."""

import select
import socket
from collections.abc import Iterator
from typing import Self

from infra.errors import OperatorError

_RECEIVED_MAX = 1 << 18
_LENGTH = b"content-length:"


class Connection:
    """One request is under way at most. Raises OperatorError for what is no answer with status 200."""

    __slots__ = ("_left", "_parts", "_socket")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._parts: list[bytes] = []
        self._left = -1

    @classmethod
    def to(cls, host: str, port: int) -> Self:
        """A new one."""
        connected = socket.create_connection((host, port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connected)

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, request: bytes) -> None:
        """Begins an exchange."""
        self._socket.sendall(request)

    def receive(self) -> bytes | None:
        """Takes what has come: the body once it is whole, else None."""
        data = self._socket.recv(_RECEIVED_MAX)
        if not data:
            raise OperatorError("a connection was closed instead of an answer")
        if self._left < 0:
            if self._parts:
                data = b"".join((*self._parts, data))
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._parts = [data]
                return None
            head, data = data[:end].lower(), data[end + 4 :]
            if not head.startswith(b"http/1.1 200 "):
                raise OperatorError(f"an answer begins with {head[:80]!r}")
            length = head[head.index(_LENGTH) + len(_LENGTH) :].split(b"\r\n", 1)[0]
            self._left, self._parts = int(length), []
        self._left -= len(data)
        if self._left > 0:
            self._parts.append(data)
            return None
        body = b"".join((*self._parts, data)) if self._parts else data
        self._left, self._parts = -1, []
        return body

    def exchange(self, request: bytes) -> bytes:
        """The answer's body."""
        self.send(request)
        while (body := self.receive()) is None:
            pass
        return body

    def close(self) -> None:
        """Ends it."""
        self._socket.close()


def answered(busy: list[Connection], timeout_s: float | None) -> Iterator[tuple[Connection, bytes]]:
    """Those whose answer is here by then; without any to wait for, the time passes."""
    ready: list[Connection]
    ready, _, _ = select.select(busy, (), (), timeout_s)
    for connection in ready:
        body = connection.receive()
        if body is not None:
            yield connection, body
