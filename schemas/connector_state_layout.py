"""How a connector state's bytes are laid out, so that many states are indexed without a decode of each.

Avro writes fields in order: ids, statuses and StartChargeSeqs come first, and what a reader of all states does not ask
for, most of the bytes, lies behind them. What a charge is like is left to `Codec.decode_as`.
"""

from typing import NamedTuple

from schemas.codec import HEADER_SIZE, Codec
from schemas.records.connector_state import ConnectorState
from schemas.varint import read_long

#: The longest long, and the limit of its values.
_LONG_SIZE, _LONG_LIMIT = 10, 1 << 63

#: Bits of a long's first byte: sizes and counts below 64 have neither.
_LONGER_OR_NEGATIVE = 0x81


class StateHead(NamedTuple):
    """A connector, its station, its statuses as reported to platforms and since when (UTC ms), and the StartChargeSeqs
    of its closed charges, its failed starts and its open charges, each as long and in the order as in the state.

    An open charge may be one of the failed starts as well, and may have ended or not begun yet.
    """

    connector_id: str
    equipment_id: str
    station_id: str
    status: int
    park_status: int
    lock_status: int
    status_since: int
    closed_seqs: tuple[str, ...]
    failed_seqs: tuple[str, ...]
    charge_seqs: tuple[str, ...]


def read_head(codec: Codec, payload: bytes | None) -> StateHead:
    """The head of a state in the wire format, of any version; raises as `codec.decode_as(ConnectorState, payload)`.

    Only what is not usual is decoded whole: a state of an older version, of several open charges, or with long ids, and
    bytes that our encoders never write. Of a usual state what lies behind the head is not looked at: it may be damaged,
    and if it has one open charge, a second one in another block of the array, as only others may write it, is not seen.
    """
    if payload is not None and payload.startswith(codec.header(ConnectorState)):
        try:
            head = _read_usual(payload)
        except (IndexError, ValueError):
            head = None  # most likely damaged: the decode says how
        if head is not None:
            return head
    state = codec.decode_as(ConnectorState, payload)
    return StateHead(
        state.connector_id,
        state.equipment_id,
        state.station_id,
        state.status,
        state.park_status,
        state.lock_status,
        state.status_since,
        state.closed_seqs,
        state.failed_seqs,
        tuple(charge.start_charge_seq for charge in state.charges),
    )


def _read_usual(payload: bytes) -> StateHead | None:
    """The head of a newest-version state with one open charge at most, None for several.

    Raises IndexError or ValueError for bytes that are damaged or not as our encoders write them.
    """
    (connector_id, equipment_id, station_id), at = _texts(payload, HEADER_SIZE, 3)
    status, at = _long(payload, at)
    park_status, at = _long(payload, at)
    lock_status, at = _long(payload, at)
    status_since, at = _long(payload, at)
    closed_seqs, at = _array(payload, at)
    failed_seqs, at = _array(payload, at)
    charges = _count(payload, at)
    if charges > 1:
        return None
    charge_seqs, _ = _texts(payload, at + 1, charges)
    return StateHead(
        connector_id,
        equipment_id,
        station_id,
        status,
        park_status,
        lock_status,
        status_since,
        closed_seqs,
        failed_seqs,
        charge_seqs,
    )


def _long(payload: bytes, at: int) -> tuple[int, int]:
    """A long, and the position behind it."""
    byte = payload[at]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    value, size = read_long(payload[at : at + _LONG_SIZE], 0)
    if not -_LONG_LIMIT <= value < _LONG_LIMIT:
        raise ValueError("more than 64 bits")
    return value, at + size


def _count(payload: bytes, at: int) -> int:
    """The long at this position, which is not negative and has one byte."""
    byte = payload[at]
    if byte & _LONGER_OR_NEGATIVE:
        raise ValueError(f"{byte:#x} is no small count")
    return byte >> 1


def _texts(payload: bytes, at: int, count: int) -> tuple[tuple[str, ...], int]:
    """So many short strings, and the position behind them."""
    found: list[str] = []
    for _ in range(count):
        byte = payload[at]  # as `_count` has it, without a call
        if byte & _LONGER_OR_NEGATIVE:
            raise ValueError(f"{byte:#x} is no small size")
        begin = at + 1
        at = begin + (byte >> 1)
        found.append(payload[begin:at].decode())
    if at > len(payload):
        raise IndexError("the last string ends too early")
    return tuple(found), at


def _array(payload: bytes, at: int) -> tuple[tuple[str, ...], int]:
    """An array of a few short strings in one block, and the position behind it."""
    count = _count(payload, at)
    if not count:
        return (), at + 1
    found, at = _texts(payload, at + 1, count)
    if payload[at]:
        raise ValueError("a second block")
    return found, at + 1
