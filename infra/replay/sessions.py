"""A charging session as the file has it, and the StartChargeSeq under which it is replayed."""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal

from infra.simulator.fleet.sequences import OPERATOR_ID

_SEQ_DIGITS = 18
_SHORT_ID = re.compile(rf"[0-9A-Za-z]{{1,{_SEQ_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Session:
    """One row of the file, found on `line`. Instants are UTC milliseconds."""

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
    """The StartChargeSeq of a session: OperatorID and 18 characters, which show the session's id if it fits."""
    if _SHORT_ID.fullmatch(session):
        return OPERATOR_ID + session.rjust(_SEQ_DIGITS, "0")
    return OPERATOR_ID + hashlib.sha256(session.encode()).hexdigest()[:_SEQ_DIGITS].upper()
