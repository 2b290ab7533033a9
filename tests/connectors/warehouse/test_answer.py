"""Answers that end well, with an error behind their rows, or too early."""

from collections.abc import Iterator

import pytest

from connectors.warehouse.answer import BrokenOff, whole

TAG = "PU1FNUFH98xyzabc"
REASON = "Code: 159. DB::Exception: Timeout exceeded:\nelapsed 5 s. (TIMEOUT_EXCEEDED) (version 26.9.2.1)"


def tail(reason: str = REASON, tag: str = TAG) -> bytes:
    """What a server of 25.11 and later writes behind rows."""
    return f"\r\n__exception__\r\n{tag}\r\n{reason}\n{len(reason)} {tag}\r\n__exception__\r\n".encode()


def cut(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("tag", ["", TAG])
@pytest.mark.parametrize("size", [1, 100, 7_000, 10**6])
def test_rows_come_as_they_are(size: int, tag: str) -> None:
    for data in (b"", b"1\n2\n", bytes(range(256)) * 1_000):
        assert b"".join(whole(cut(data, max(size, len(data) // 1_000)), tag)) == data


def test_rows_come_before_all_are_there() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise AssertionError("the first rows were not passed on")

    assert len(next(whole(pieces(), TAG))) > 50_000


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("rows", [0, 10, 100_000])
def test_an_error_behind_rows_is_told_and_is_no_row(rows: int, size: int) -> None:
    found = bytearray()
    with pytest.raises(BrokenOff, match=r"^Timeout exceeded:\nelapsed 5 s\.") as failed:
        for piece in whole(cut(b"r" * rows + tail(), size if rows < 1_000 else 999), TAG):
            found += piece
    assert failed.value.code == 159
    assert b"__exception__" not in found
    assert set(found) <= {ord("r")}


def test_the_longest_error_is_found() -> None:
    with pytest.raises(BrokenOff) as failed:
        list(whole(cut(b"r" * 100_000 + tail("Code: 1. DB::Exception: " + "x" * 16_000), 5_000), TAG))
    assert failed.value.code == 1


def test_an_error_of_no_code_is_one_all_the_same() -> None:
    with pytest.raises(BrokenOff, match=r"^no code$") as failed:
        list(whole([tail("no code")], TAG))
    assert failed.value.code is None


def test_rows_that_look_like_an_error_of_another_tag_are_rows() -> None:
    data = tail(tag="another")
    assert b"".join(whole([data], TAG)) == data
    assert b"".join(whole([data], "")) == data


def test_what_breaks_off() -> None:
    def pieces(end: bytes) -> Iterator[bytes]:
        yield b"rows" + end
        raise ConnectionError("gone")

    with pytest.raises(BrokenOff, match=r"^the answer broke off: gone$") as failed:
        list(whole(pieces(b""), TAG))
    assert failed.value.code is None
    with pytest.raises(BrokenOff, match=r"^Timeout exceeded"):
        list(whole(pieces(tail()), TAG))
