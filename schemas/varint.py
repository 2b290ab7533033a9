"""Avro's long: a zigzag varint. Written and read by hand, since these few lines carry the hot path."""

from typing import Final

#: The encodings of -8192 to 8191, of at most two bytes: lengths, counts, money and energy of a moment.
TABLE_REACH: Final = 8192


def _encode(zigzag: int) -> bytes:
    out = bytearray()
    while zigzag >= 0x80:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


TABLE: Final = [_encode(_zigzag(value)) for value in range(-TABLE_REACH, TABLE_REACH)]
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1

#: Longer ones are joined from 14 bits at a time: two bytes with more behind them, and the last one or two.
_MORE: Final = [bytes((bits & 0x7F | 0x80, bits >> 7 | 0x80)) for bits in range(1 << 14)]
_LAST: Final = [_encode(bits) for bits in range(1 << 14)]


def write_long(value: int) -> bytes:
    """An integer as an Avro long. Raises OverflowError beyond 64 bits."""
    if -TABLE_REACH <= value < TABLE_REACH:
        return TABLE[value + TABLE_REACH]
    zigzag = (value << 1) ^ (value >> 63)
    if zigzag < 1 << 28:  # registers and offsets
        return _MORE[zigzag & 0x3FFF] + _LAST[zigzag >> 14]
    if zigzag < 1 << 42:  # instants
        return _MORE[zigzag & 0x3FFF] + _MORE[zigzag >> 14 & 0x3FFF] + _LAST[zigzag >> 28]
    if not _LONG_MIN <= value <= _LONG_MAX:
        raise OverflowError(f"{value} has more than 64 bits")
    return _encode(zigzag)


def read_long(payload: bytes, at: int) -> tuple[int, int]:
    """The Avro long that begins at `at`, and the position behind it. Raises IndexError at the payload's end."""
    byte = payload[at]
    value = byte & 0x7F
    shift = 7
    while byte & 0x80:
        at += 1
        byte = payload[at]
        value |= (byte & 0x7F) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), at + 1
