"""Whether a charge's progress records came at the right event times, each once.

There are millions, so a record is not decoded: its beginning is compared with that of the charge's first one,
and the few figures behind it are read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.replay.charges import Charge
from schemas.codec import HEADER_SIZE, Codec
from schemas.errors import UndecodableRecord
from schemas.records.derived import ChargeProgress, ProgressKind
from schemas.varint import read_long
from streams.domain.policy import TrackingPolicy

_PUSH_MS = TrackingPolicy().push_ms
_KINDS = tuple(ProgressKind)
_SEQ_LENGTH = 27
_SEQ_AT = HEADER_SIZE + 1  # behind the header and the string's length


@dataclass(slots=True, eq=False)
class _Account:
    """What has come of one charge; bit n of `seen` stands for the push n times 50 s behind the start."""

    charge: Charge
    head: bytes = b"\xff"
    seen: int = 0
    records: int = 0
    stopped: int = 0
    problem: str = ""


class ProgressLedger:
    """Takes progress records in any order and says for which sessions they are not as they should be."""

    def __init__(self, codec: Codec, charges: Iterable[Charge]) -> None:
        self._codec = codec
        self._accounts = {charge.session.seq.encode(): _Account(charge) for charge in charges}
        self.counts = dict.fromkeys((kind.value for kind in _KINDS), 0)
        self.unexpected: list[str] = []

    def take(self, payload: bytes, recorded_at: int) -> None:
        """One record's value and Kafka timestamp (UTC ms)."""
        account = self._accounts.get(payload[_SEQ_AT : _SEQ_AT + _SEQ_LENGTH])
        if account is None:
            self.unexpected.append(payload[_SEQ_AT : _SEQ_AT + _SEQ_LENGTH].decode("utf-8", "replace"))
            return
        try:
            if not payload.startswith(account.head):
                self._learn(account, payload)
            index, at = read_long(payload, len(account.head))
            due_at, at = read_long(payload, at)
            observed_at, at = read_long(payload, at)
            _, at = read_long(payload, at)
            energy_wh, at = read_long(payload, at)
            kind = _KINDS[index]
        except (UndecodableRecord, IndexError) as error:
            account.problem = account.problem or f"can't be decoded: {error}"
            return
        self.counts[kind.value] += 1
        account.records += 1
        problem = _enter(account, kind, due_at, observed_at, energy_wh)
        if recorded_at != due_at:
            problem = problem or f"{kind}: its Kafka timestamp is {recorded_at}, it was due at {due_at}"
        account.problem = account.problem or problem

    def _learn(self, account: _Account, payload: bytes) -> None:
        """Decodes a record and keeps the bytes of what a charge's records have in common."""
        progress = self._codec.decode_as(ChargeProgress, payload)
        session, place = account.charge.session, account.charge.place
        common = {
            "start_charge_seq": session.seq,
            "connector_id": place.connector_id,
            "station_id": place.station_id,
            "charge_model": int(account.charge.model),
            "started_at": session.started_at,
        }
        found = {name: getattr(progress, name) for name in common}
        if found != common:
            account.problem = account.problem or f"{progress.kind}: has {found}, the session {common}"
        account.head = self._codec.encode_head(ChargeProgress, found)

    def mismatches(self) -> list[dict[str, str]]:
        """One entry for every session with a progress record that is wrong, missing or there twice."""
        found: list[dict[str, str]] = []
        for account in self._accounts.values():
            problem = account.problem or _incomplete(account)
            if problem:
                found.append({"session": account.charge.session.session, "problem": problem})
        return found


def _enter(account: _Account, kind: ProgressKind, due_at: int, observed_at: int, energy_wh: int) -> str:
    """Books one record; returns what is wrong with it."""
    charge = account.charge
    session = charge.session
    if not 0 <= energy_wh <= charge.energy_wh:
        return f"{kind}: {energy_wh} Wh of {charge.energy_wh}"
    if kind is ProgressKind.STOPPED:
        account.stopped += 1
        if (due_at, observed_at, energy_wh) != (session.ended_at, session.ended_at, charge.energy_wh):
            return f"STOPPED: {energy_wh} Wh due at {due_at}, observed at {observed_at}"
        return "STOPPED came twice" if account.stopped > 1 else ""
    number, beside = divmod(due_at - session.started_at, _PUSH_MS)
    if beside or number < 0 or (kind is ProgressKind.STARTED) != (number == 0):
        return f"{kind}: due {(due_at - session.started_at) / 1000} s behind the start"
    if observed_at != due_at:
        return f"{kind}: due at {due_at} shows the reading of {observed_at}"
    if account.seen >> number & 1:
        return f"{kind} due at {due_at} came twice"
    account.seen |= 1 << number
    return ""


def _incomplete(account: _Account) -> str:
    session = account.charge.session
    pushes = max(-(-(session.ended_at - session.started_at) // _PUSH_MS), 1)
    if account.seen != (1 << pushes) - 1:
        return f"{account.seen.bit_count()} of {pushes} records at the start and every {_PUSH_MS // 1000} s"
    return "" if account.stopped else "no STOPPED"
