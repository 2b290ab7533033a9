"""temporary"""

from typing import NamedTuple

from schemas.codec import Codec
from schemas.records.connector_state import ConnectorState


class StateHead(NamedTuple):
    status: int
    park_status: int
    lock_status: int
    charge_seqs: tuple[str, ...]


def read_head(payload: bytes, codec: Codec) -> StateHead:
    s = codec.decode_as(ConnectorState, payload)
    return StateHead(s.status, s.park_status, s.lock_status, tuple(c.start_charge_seq for c in s.charges))
