"""Content codings of bodies and answers: gzip, deflate, lz4 and zstd, as clickhouse-connect negotiates them.

Bodies may be several compressed frames one after the other, and are decompressed piece by piece, so that none can
grow beyond what its reader allows.
"""

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import lz4.frame

from infra.local.clickhouse.refusals import Code, Refusal

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What one step of decompression gives at most.
_PIECE_BYTES = 1024**2

#: Loopback is faster than any better ratio.
_FASTEST = 1


class _Decompressor(Protocol):
    """As the standard library's for bz2."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zlib:
    """zlib's decompressor in the manner of the others. `wbits` 47 takes gzip's header and zlib's own."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=47)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


_DECOMPRESSORS: Mapping[str, Callable[[], _Decompressor]] = {
    "gzip": _Zlib,
    "deflate": _Zlib,
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
}


class Decoder:
    """Decompresses a body of the given Content-Encoding. Raises Refusal for one that is not known, or not so."""

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        if self._coding and self._coding != "identity" and self._coding not in _DECOMPRESSORS:
            raise Refusal.of(
                Code.NOT_IMPLEMENTED, f"Content-Encoding {coding} is not known: use {', '.join(_DECOMPRESSORS)}"
            )
        self._make = _DECOMPRESSORS.get(self._coding)
        self._frame: _Decompressor | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """The pieces that follow from the next `data`."""
        if self._make is None:
            yield data
            return
        while data or (self._frame is not None and not self._frame.needs_input):
            self._frame = self._frame or self._make()
            try:
                piece = self._frame.decompress(data, _PIECE_BYTES)
            except (zlib.error, RuntimeError, zstd.ZstdError, EOFError) as error:
                raise Refusal.of(Code.CANNOT_DECOMPRESS, f"the body is not {self._coding}: {error}") from error
            data = b""
            if self._frame.eof:
                data, self._frame = bytes(self._frame.unused_data or b""), None
            if piece:
                yield piece

    def end(self) -> None:
        """Raises Refusal for a body that breaks off inside a frame."""
        if self._frame is not None:
            raise Refusal.of(Code.CANNOT_DECOMPRESS, f"the body's {self._coding} breaks off")


_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": lambda data: zstd.compress(data, _FASTEST),
    "gzip": lambda data: _zlib(data, 31),
    "deflate": lambda data: _zlib(data, 15),
}


def accepted(accept_encoding: str) -> str:
    """The coding for an answer whose asker accepts these: the fastest that we know, or "" for none."""
    offered = {part.partition(";")[0].strip().lower() for part in accept_encoding.split(",")}
    return next((coding for coding in _COMPRESS if coding in offered), "")


def encoded(data: bytes, coding: str) -> bytes:
    """`data` in this coding, one of those that `accepted` gives."""
    return _COMPRESS[coding](data) if coding else data


def _zlib(data: bytes, wbits: int) -> bytes:
    packer = zlib.compressobj(_FASTEST, wbits=wbits)
    return packer.compress(data) + packer.flush()
