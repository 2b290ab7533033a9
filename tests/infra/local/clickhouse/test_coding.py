"""Content codings: in pieces, in several frames, cut off, broken, and far larger than they came."""

import gzip
import zlib
from collections.abc import Callable

import lz4.frame
import pytest

from infra.local.clickhouse.coding import Decoder, accepted, encoded
from infra.local.clickhouse.refusals import Refusal

DATA = bytes(range(256)) * 2000
ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": lambda data: encoded(data, "zstd"),
}


def decoded(name: str, body: bytes, step: int) -> bytes:
    decoder = Decoder(name)
    pieces = [piece for at in range(0, len(body), step) for piece in decoder.decode(body[at : at + step])]
    decoder.end()
    return b"".join(pieces)


@pytest.mark.parametrize("step", [1, 1000, 10**6])
@pytest.mark.parametrize("name", sorted(ENCODE))
def test_a_body_in_pieces_and_frames(name: str, step: int) -> None:
    data = DATA[: 3000 if step == 1 else None]
    body = ENCODE[name](data) + ENCODE[name](b"and more")
    assert decoded(name, body, step) == data + b"and more"


@pytest.mark.parametrize("name", ["", "identity"])
def test_no_coding(name: str) -> None:
    assert decoded(name, DATA, 999) == DATA


@pytest.mark.parametrize("name", sorted(ENCODE))
def test_no_piece_is_large_however_small_the_body(name: str) -> None:
    size = 50 * 1024**2
    sizes = [len(piece) for piece in Decoder(name).decode(ENCODE[name](bytes(size)))]
    assert sum(sizes) == size
    assert max(sizes) <= 4 * 1024**2


@pytest.mark.parametrize("name", sorted(ENCODE))
def test_a_body_that_breaks_off(name: str) -> None:
    with pytest.raises(Refusal, match="breaks off"):
        decoded(name, ENCODE[name](DATA)[:-3], 1000)


@pytest.mark.parametrize("name", sorted(ENCODE))
def test_a_body_that_is_something_else(name: str) -> None:
    with pytest.raises(Refusal, match=f"is not {name}") as refused:
        decoded(name, b"INSERT INTO t VALUES (1)", 1000)
    assert refused.value.name == "CANNOT_DECOMPRESS"


def test_a_coding_that_is_not_known() -> None:
    with pytest.raises(Refusal, match="snappy is not known") as refused:
        Decoder("snappy")
    assert refused.value.name == "NOT_IMPLEMENTED"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("lz4,zstd,br,gzip,deflate", "lz4"),
        ("gzip, deflate;q=0.5", "gzip"),
        ("zstd", "zstd"),
        ("br", ""),
        ("", ""),
        ("identity", ""),
    ],
)
def test_the_answers_coding(header: str, expected: str) -> None:
    assert accepted(header) == expected


@pytest.mark.parametrize("name", sorted(ENCODE))
def test_answers_can_be_read_again(name: str) -> None:
    assert decoded(name, encoded(DATA, name), 10**6) == DATA
