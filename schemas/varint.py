"""Avro's long: a zigzag varint. Written and read by hand, since these few lines carry the hot path."""

#: The encodings of -8192 to 8191, of at most two bytes: lengths, counts, money and energy of a moment.
TABLE_REACH = 8192


def _encode(value: int) -> bytes:
    zigzag = (value << 1) ^ (value >> 63)
    out = bytearray()
    while zigzag >= 0x80:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


TABLE = [_encode(value) for value in range(-TABLE_REACH, TABLE_REACH)]
_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1


def write_long(value: int) -> bytes:
    """An integer as an Avro long. Raises OverflowError beyond 64 bits."""
    if -TABLE_REACH <= value < TABLE_REACH:
        return TABLE[value + TABLE_REACH]
    zigzag = (value << 1) ^ (value >> 63)
    if zigzag < 1 << 21:
        return ((zigzag & 0x7F | 0x80) | (zigzag >> 7 & 0x7F | 0x80) << 8 | (zigzag >> 14) << 16).to_bytes(3, "little")
    low = (zigzag & 0x7F | 0x80) | (zigzag >> 7 & 0x7F | 0x80) << 8 | (zigzag >> 14 & 0x7F | 0x80) << 16
    if zigzag < 1 << 28:  # registers and offsets
        return (low | (zigzag >> 21) << 24).to_bytes(4, "little")
    low |= (zigzag >> 21 & 0x7F | 0x80) << 24
    if zigzag < 1 << 35:
        return (low | (zigzag >> 28) << 32).to_bytes(5, "little")
    if zigzag < 1 << 42:  # instants
        return (low | (zigzag >> 28 & 0x7F | 0x80) << 32 | (zigzag >> 35) << 40).to_bytes(6, "little")
    if not _LONG_MIN <= value <= _LONG_MAX:
        raise OverflowError(f"{value} has more than 64 bits")
    return _encode(value)


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
