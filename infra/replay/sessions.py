"""A charging session as the file has it, and the StartChargeSeq under which it is replayed."""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal

from infra.simulator.fleet.sequences import OPERATOR_ID

_SEQ_DIGITS = 18
#: What is filled up with zeros and can still be told from another: it begins with none of its own.
_SHORT_ID = re.compile(rf"[1-9A-Za-z][0-9A-Za-z]{{0,{_SEQ_DIGITS - 1}}}")


@dataclass(frozen=True, slots=True)
class Session:
    """One row of the file, which begins on `line`. Instants are UTC milliseconds."""

    line: int
    session: str
    seq: str
    station: str
    user: str
    plugged_in_at: int
    started_at: int
    ended_at: int
    unplugged_at: int
    energy_kwh: Decimal

    @property
    def arrives_at(self) -> int:
        """From when on the session needs its connector, UTC ms."""
        return min(self.plugged_in_at, self.started_at)

    @property
    def leaves_at(self) -> int:
        """Until when the session needs its connector, UTC ms."""
        return max(self.unplugged_at, self.ended_at)


def start_charge_seq(session: str) -> str:
    """The StartChargeSeq of a session: OperatorID and 18 characters, the session's id if it fits, else a hash of it."""
    if _SHORT_ID.fullmatch(session):
        return OPERATOR_ID + session.rjust(_SEQ_DIGITS, "0")
    return OPERATOR_ID + hashlib.sha256(session.encode()).hexdigest()[:_SEQ_DIGITS].upper()
