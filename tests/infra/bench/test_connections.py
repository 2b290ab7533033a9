"""The benchmark's connections read answers however they arrive, and take nothing else for one."""

import socket
from collections.abc import Iterator

import pytest

from infra.bench.connections import Connection, answered
from infra.errors import OperatorError

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 10\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and the server's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours), theirs


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"0123456789",),
        (HEAD, b"0123456789"),
        (HEAD[:20], HEAD[20:] + b"01234", b"56789"),
        (HEAD[:-3], HEAD[-3:], b"0", b"123456789"),
    ],
)
def test_an_answer_may_come_in_parts(pair: tuple[Connection, socket.socket], parts: tuple[bytes, ...]) -> None:
    connection, theirs = pair
    for _ in range(2):  # the connection is used again
        connection.send(b"asked")
        assert theirs.recv(100) == b"asked"
        *first, last = parts
        for part in first:
            theirs.sendall(part)
            assert list(answered([connection], 10.0)) == []
        theirs.sendall(last)
        assert list(answered([connection], 10.0)) == [(connection, b"0123456789")]


def test_an_exchange_is_a_whole_one(pair: tuple[Connection, socket.socket]) -> None:
    connection, theirs = pair
    theirs.sendall(HEAD + b"0123456789")
    assert connection.exchange(b"asked") == b"0123456789"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", b"what?\r\n\r\n"])
def test_another_status_is_an_error(pair: tuple[Connection, socket.socket], answer: bytes) -> None:
    connection, theirs = pair
    theirs.sendall(answer)
    with pytest.raises(OperatorError, match="an answer begins with"):
        connection.receive()


def test_an_end_is_no_answer(pair: tuple[Connection, socket.socket]) -> None:
    connection, theirs = pair
    theirs.sendall(HEAD + b"0")
    assert connection.receive() is None
    theirs.close()
    with pytest.raises(OperatorError, match="closed"):
        connection.receive()


def test_time_passes_without_an_answer() -> None:
    assert list(answered([], 0.001)) == []
