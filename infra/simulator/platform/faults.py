"""How the platform misbehaves on demand, and for which requests; drawn from a seeded generator.

A fault either stands in for the processing (the operator must send again and nothing is there yet) or shows after
it (the ledger has the payload, and what is sent again is a duplicate): `processed` says which.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from infra.simulator.platform.dialect import INTERFACES

MAX_FAULTS = 1000
"""Active at once; a caller that never clears would slow every request."""


class FaultKind(StrEnum):
    """What goes wrong. `expire-tokens` drops every issued token, so that the request itself meets Ret 4002."""

    SLOW = "slow"
    TIMEOUT = "timeout"
    HTTP_500 = "http-500"
    RET_BUSY = "ret-busy"
    RET_500 = "ret-500"
    RET_4001 = "ret-4001"
    RET_4002 = "ret-4002"
    RET_4003 = "ret-4003"
    RET_4004 = "ret-4004"
    BAD_SIGNATURE = "bad-signature"
    GARBAGE = "garbage"
    UNDECRYPTABLE = "undecryptable"
    RESET = "reset"
    REFUSAL = "refusal"
    EXPIRE_TOKENS = "expire-tokens"


RETS = {
    FaultKind.RET_BUSY: -1,
    FaultKind.RET_500: 500,
    FaultKind.RET_4001: 4001,
    FaultKind.RET_4002: 4002,
    FaultKind.RET_4003: 4003,
    FaultKind.RET_4004: 4004,
}

_PROCESSED_UNLESS_TOLD = frozenset(
    {FaultKind.SLOW, FaultKind.BAD_SIGNATURE, FaultKind.GARBAGE, FaultKind.UNDECRYPTABLE}
)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One misbehaviour. Raises ValueError for values that make none.

    `interfaces` empty means all; `probability` per request; `count` ends it after so many hits, `duration_s` after
    so many seconds from `Faults.add`. `delay_s` is how long `slow` waits. `code` is the business refusal's own
    number (Status, FailReason, ConfirmResult). `processed` None means the kind's default: after processing for
    `slow`, `bad-signature`, `garbage` and `undecryptable`, instead of it for the others.
    """

    kind: FaultKind
    interfaces: frozenset[str] = frozenset()
    probability: float = 1.0
    count: int | None = None
    duration_s: float | None = None
    delay_s: float = 0.0
    code: int = 1
    processed: bool | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability {self.probability} is not within 0..1")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count {self.count} is less than 1")
        if self.duration_s is not None and not 0.0 < self.duration_s < math.inf:
            raise ValueError(f"duration_s {self.duration_s} is no number above 0")
        if not 0.0 <= self.delay_s < math.inf:
            raise ValueError(f"delay_s {self.delay_s} is no number from 0")
        unknown = self.interfaces - frozenset(INTERFACES)
        if unknown:
            raise ValueError(f"no such interface: {', '.join(sorted(unknown))}")

    @property
    def shows_after_processing(self) -> bool:
        """Whether the payload is in the ledger when the fault shows."""
        return self.kind in _PROCESSED_UNLESS_TOLD if self.processed is None else self.processed


@dataclass(slots=True)
class _Active:
    fault: Fault
    until: float
    left: float


class Faults:
    """The faults in force. Adding and clearing is safe from any thread; drawing belongs to the server's."""

    def __init__(self, seed: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._random = random.Random(seed)
        self._clock = clock
        self._lock = threading.Lock()
        self._active: tuple[_Active, ...] = ()

    def add(self, *faults: Fault) -> None:
        """Put faults in force, after those already there."""
        now = self._clock()
        forever = float("inf")
        fresh = tuple(
            _Active(
                fault,
                until=forever if fault.duration_s is None else now + fault.duration_s,
                left=forever if fault.count is None else fault.count,
            )
            for fault in faults
        )
        with self._lock:
            if len(self._active) + len(fresh) > MAX_FAULTS:
                raise ValueError(f"more than {MAX_FAULTS} faults at once")
            self._active += fresh

    def inject(
        self,
        kind: FaultKind | str,
        *interfaces: str,
        probability: float = 1.0,
        count: int | None = None,
        duration_s: float | None = None,
        delay_s: float = 0.0,
        code: int = 1,
        processed: bool | None = None,
    ) -> None:
        """`add` for one fault, spelt out; without interfaces it hits all."""
        hit = frozenset(interfaces)
        self.add(Fault(FaultKind(kind), hit, probability, count, duration_s, delay_s, code, processed))

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._active = ()

    def draw(self, interface: str) -> list[Fault]:
        """The faults that hit a request of this interface: any number of `slow`, then at most one other."""
        if not self._active:
            return []
        hits: list[Fault] = []
        with self._lock:
            now = self._clock()
            self._active = tuple(active for active in self._active if active.until > now and active.left > 0)
            for active in self._of(interface):
                if active.fault.probability < 1.0 and self._random.random() >= active.fault.probability:
                    continue
                active.left -= 1
                hits.append(active.fault)
                if active.fault.kind is not FaultKind.SLOW:
                    break
        return hits

    def _of(self, interface: str) -> Iterable[_Active]:
        return (
            active for active in self._active if not active.fault.interfaces or interface in active.fault.interfaces
        )
