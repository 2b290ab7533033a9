"""The record of what arrived: accepted payloads, repeats, violations, refusals. It judges nothing but repetition.

Written by the server's thread, readable from any; a listener is called in the server's thread.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from infra.simulator.platform import dialect as names
from infra.simulator.platform.envelope import CHINA
from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.settings import MAX_REMEMBERED
from infra.simulator.platform.sightings import Sightings
from infra.simulator.platform.wire_json import Payload

MAX_KEPT = 1_000_000
"""Receipts, violations and refusals kept in full, each; beyond it only the counts grow."""
MAX_KEPT_BARE = 1000
"""Violations and refusals kept in full when only counts are wanted."""
OWN_TIME = {
    names.START_RESULT: "StartTime",
    names.CHARGE_STATUS: "EndTime",
    names.ORDER: "EndTime",
    names.BONUS_ORDER: "EndTime",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted push: `arrival` in seconds of the platform's clock, `times` 1 for the first of its content."""

    interface: str
    key: str
    payload: Payload
    arrival: float
    times: int

    @property
    def duplicate(self) -> bool:
        """Whether the same content had come before."""
        return self.times > 1


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the standard does not allow, refused or only noted."""

    kind: Kind
    interface: str
    key: str
    field: str
    message: str
    arrival: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not processed: the Ret, the Msg, and the injected fault if it was no fault of the sender.

    `ret` is None where the fault left no answer, and 0 for a business refusal.
    """

    interface: str
    ret: int | None
    message: str
    arrival: float
    fault: str | None = None


class Ledger:
    """See the module. `counts_only` keeps no payloads, for long benches: counts, repeats and kinds stay exact."""

    def __init__(self, *, counts_only: bool = False, max_remembered: int = MAX_REMEMBERED) -> None:
        self.counts_only = counts_only
        self._max_remembered = max_remembered
        self._changed = threading.Condition()
        self._waiters = 0
        self._listeners: tuple[Callable[[Receipt], None], ...] = ()
        self.clear()

    def clear(self) -> None:
        """Forget everything received; listeners stay."""
        self.receipts: list[Receipt] = []
        self.violations: list[Violation] = []
        self.refused: list[Refusal] = []
        self.orders: dict[str, Payload] = {}
        self.statuses: dict[str, Payload] = {}
        self.violation_counts: Counter[str] = Counter()
        self.refused_counts: Counter[str] = Counter()
        self.faults_shown: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._repeated: Counter[str] = Counter()
        self._sightings = Sightings(self._max_remembered, every_content=not self.counts_only)

    # What the server writes

    def see(self, interface: str, key: str, content: int, now: float) -> int:
        """How often this content has now come; `content` is its fingerprint."""
        return self._sightings.see(interface, key, content, now)

    def accept(self, interface: str, key: str, payload: Payload, times: int, now: float) -> None:
        """Note an accepted push, seen `times` with this content; what it violates is noted before."""
        receipt = Receipt(interface, key, payload, now, times)
        self._accepted[interface] += 1
        if times > 1:
            self._repeated[interface] += 1
        if not self.counts_only:
            self._keep(receipt)
        for listener in self._listeners:
            listener(receipt)
        self._notify()

    def violate(self, interface: str, key: str, flaws: Iterable[Flaw], now: float) -> None:
        """Note what is wrong with a push, refused or not."""
        kept = MAX_KEPT_BARE if self.counts_only else MAX_KEPT
        for flaw in flaws:
            self.violation_counts[flaw.kind] += 1
            if len(self.violations) < kept:
                self.violations.append(Violation(flaw.kind, interface, key, flaw.field, flaw.message, now))
        self._notify()

    def refuse(self, refusal: Refusal) -> None:
        """Note a request that was not processed."""
        self.refused_counts["none" if refusal.ret is None else str(int(refusal.ret))] += 1
        if len(self.refused) < (MAX_KEPT_BARE if self.counts_only else MAX_KEPT):
            self.refused.append(refusal)
        self._notify()

    def show(self, fault: str) -> None:
        """Note an injected fault that a request met."""
        self.faults_shown[fault] += 1
        self._notify()

    # What others read

    def subscribe(self, listener: Callable[[Receipt], None]) -> None:
        """Call `listener` for every accepted push, in the server's thread: it must be quick and must not raise."""
        self._listeners = (*self._listeners, listener)

    def count(self, interface: str) -> int:
        """Accepted pushes, repeats included."""
        return self._accepted[interface]

    def duplicates(self, interface: str) -> int:
        """Accepted pushes whose content had come before."""
        return self._repeated[interface]

    def unique(self, interface: str) -> int:
        """Accepted pushes less the repeats."""
        return self.count(interface) - self.duplicates(interface)

    def times(self, interface: str, key: str) -> int:
        """How many pushes about this key were accepted."""
        return self._sightings.times(interface, key)

    def received(self, interface: str, key: str | None = None) -> list[Receipt]:
        """The accepted pushes in order of arrival, of one key if given; empty when only counts are kept."""
        return [
            receipt for receipt in self.receipts.copy() if receipt.interface == interface and key in (None, receipt.key)
        ]

    def violations_of(self, *kinds: str) -> list[Violation]:
        """The violations of these kinds."""
        return [violation for violation in self.violations.copy() if violation.kind in kinds]

    def delays(self, interface: str) -> list[float]:
        """Seconds from the time inside the payload to its first arrival; stationStatus carries none."""
        name = OWN_TIME[interface]
        return [
            receipt.arrival - datetime.fromisoformat(receipt.payload[name]).replace(tzinfo=CHINA).timestamp()
            for receipt in self.received(interface)
            if not receipt.duplicate
        ]

    def wait_for(self, condition: Callable[[Ledger], bool], timeout_s: float = 10.0) -> bool:
        """Wait in another thread until the condition holds; False when the time is up first."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._waiters += 1
            try:
                while not condition(self):
                    if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                        return condition(self)
                return True
            finally:
                self._waiters -= 1

    def summary(self) -> dict[str, object]:
        """Everything countable, for a display."""
        met = [interface for interface in names.INTERFACES if self._accepted[interface]]
        return {
            "accepted": {interface: self._accepted[interface] for interface in met},
            "duplicates": {interface: self._repeated[interface] for interface in met},
            "violations": dict(self.violation_counts),
            "refused": dict(self.refused_counts),
            "faults_shown": dict(self.faults_shown),
        }

    def _keep(self, receipt: Receipt) -> None:
        if len(self.receipts) < MAX_KEPT:
            self.receipts.append(receipt)
        if receipt.interface == names.STATION_STATUS:
            self.statuses[receipt.key] = receipt.payload["ConnectorStatusInfo"]
        elif receipt.interface in names.ORDERS:
            self.orders[receipt.key] = {**self.orders.get(receipt.key, {}), **receipt.payload}

    def _notify(self) -> None:
        if self._waiters:
            with self._changed:
                self._changed.notify_all()
