"""How a telemetry record's bytes are laid out, so that most samples need no decode.

Avro writes fields in order and each is self-delimiting: if a payload starts with the same bytes as the
connector's last one, none of the leading fields has changed. `sampled_at` and `meter_wh` follow right
behind that routing prefix.
"""

import struct
from typing import Final

from schemas.codec import HEADER_SIZE
from schemas.errors import UndecodableRecord
from schemas.varint import read_long, write_long

#: Bytes of `sampled_at` for instants from 1987 to 2039: a zigzag varint of six 7-bit groups.
INSTANT_SIZE: Final = 6

#: The only instants that are taken for real (UTC ms), of those whose order codes compare as they do: from 2010, since a
#: charger whose clock was reset tells of 1970, 1980 or 2000, and nobody reported to a platform then; to 2039.
EARLIEST_MS: Final = 1_262_304_000_000
LATEST_MS: Final = (1 << 41) - 1

#: A sample may be so far ahead of the clock, ms: chargers' clocks are off by minutes.
AHEAD_MS = 300_000

#: A register beyond this is no register: a thousand megawatts for a century, in Wh.
METER_MAX_WH: Final = 10**12

#: Three currents and three voltages, four bytes each, between the state of charge and the ids.
_PHASES: Final = struct.Struct("<6f")
_FLOATS_SIZE: Final = _PHASES.size

#: The commonest middle is read at once, in pairs of bytes: six of `sampled_at`, four of `meter_wh` (1 to 134 MWh), one
#: or two of `soc_pct`. Bit 7 of a byte tells that another follows it; bit 0 of a number's first one is its sign.
_COMMON: Final = struct.Struct("<6H")
_BOTH_FOLLOWED: Final = 0x8080
_FIRST_FOLLOWED: Final = 0x0080

#: The 14 bits that a pair of bytes holds without the two bits 7.
_IN_PAIR: Final = [(pair & 0x7F) | (pair >> 1 & 0x3F80) for pair in range(1 << 16)]

#: Larger than the order code of any instant that `INSTANT_SIZE` covers.
NEVER: Final = 1 << 48


def routing_prefix(payload: bytes) -> bytes:
    """The bytes up to and including `charge_model`. Raises IndexError when the payload is too short."""
    end = HEADER_SIZE
    for _ in range(3):
        end = _behind_varint(payload, end)
    size, end = read_long(payload, end)
    return payload[: _behind_varint(payload, end + size)]


def id_suffix(connector_id: str, equipment_id: str, station_id: str) -> bytes:
    """The bytes that a record with these ids ends with."""
    encoded = (text.encode() for text in (connector_id, equipment_id, station_id))
    return b"".join(write_long(len(text)) + text for text in encoded)


def read_middle(payload: bytes, prefix_size: int, suffix_size: int) -> tuple[int, int]:
    """`sampled_at` and `meter_wh` of a payload whose routing prefix and ids are known to be right.

    Raises UndecodableRecord unless what lies between them is exactly a record's middle.
    """
    if prefix_size + _COMMON.size <= len(payload):
        t0, t1, t2, m0, m1, soc = _COMMON.unpack_from(payload, prefix_size)
        if (
            t0 & 0x8081 == m0 & 0x8081 == t1 & 0x8080 == _BOTH_FOLLOWED
            and t2 & 0x8080 == m1 & 0x8080 == _FIRST_FOLLOWED
            and soc & 0x8080 != _BOTH_FOLLOWED
        ):
            soc_size = 2 if soc & _FIRST_FOLLOWED else 1
            if prefix_size + 10 + soc_size + _FLOATS_SIZE + suffix_size != len(payload):
                raise UndecodableRecord("Telemetry: too short or too long")
            bits = _IN_PAIR
            return (bits[t0] | bits[t1] << 14 | bits[t2] << 28) >> 1, (bits[m0] | bits[m1] << 14) >> 1
    try:
        sampled_at, at = read_long(payload, prefix_size)
        meter_wh, at = read_long(payload, at)
        at = _behind_varint(payload, at)
    except IndexError as error:
        raise UndecodableRecord("Telemetry: ends too early") from error
    if at + _FLOATS_SIZE + suffix_size != len(payload):
        raise UndecodableRecord("Telemetry: too short or too long")
    return sampled_at, meter_wh


def read_phases(payload: bytes, suffix_size: int) -> tuple[float, float, float, float, float, float]:
    """The currents, A, and then the voltages, V, of phases A, B and C; DC has A alone. Of a whole payload only."""
    return _PHASES.unpack_from(payload, len(payload) - suffix_size - _FLOATS_SIZE)


def _behind_varint(payload: bytes, at: int) -> int:
    while payload[at] & 0x80:
        at += 1
    return at + 1


def order_code(instant_ms: int) -> int:
    """A number that compares as `sampled_at` does: its varint's bytes, read as one little-endian integer.

    All instants from 1987 to 2039 have varints of one length, whose integers compare like the instants, so
    samples are put in order without decoding one. Instants outside compare as earlier or later than all.
    """
    if instant_ms < EARLIEST_MS:
        return 0
    if instant_ms > LATEST_MS:
        return NEVER
    return int.from_bytes(write_long(instant_ms), "little")
