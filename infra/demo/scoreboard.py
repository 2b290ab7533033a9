"""Who owes what: derived records on their topics against what the platform received. Trusts neither side's word.

A push is due at its derived record's Kafka timestamp; it is confirmed when the platform accepted it. The
n-th record of a connector (or charge) is matched with the n-th push of it; a state that a newer one has replaced
before it went out is owed no more.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.interfaces import equip_charge_status
from connectors.interfaces.registry import Interface, interfaces
from connectors.platform import Platform
from connectors.protocol.beijing_time import wire_time
from infra.simulator.platform.ledger import Receipt
from schemas.records.derived import ChargeProgress, Derived, Order, StartResult, StatusChange, StopResult

#: How long after it was due a push counts as late, s (Beijing V1.1 §1.1.2, §1.1.10, §1.1.12 to §1.1.14; the
#: document's own limits for results and orders are far wider).
LATE_AFTER_S: Mapping[type, float] = {
    StatusChange: 1.0,
    ChargeProgress: 2.0,
    StartResult: 5.0,
    StopResult: 5.0,
    Order: 5.0,
}

_EXAMPLES_KEPT = 10

_PUSHES = frozenset(interfaces())
_PROGRESS = equip_charge_status.INTERFACE

#: Delays kept by interface for the view's percentiles.
_DELAYS_KEPT = 2_000


@dataclass(slots=True)
class Line:
    """One interface: pushes due, confirmed and late, states replaced by newer ones, and the newest delays in s."""

    due: int = 0
    confirmed: int = 0
    late: int = 0
    replaced: int = 0
    delays: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """The delay that this share of the newest pushes stayed below, s."""
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Scoreboard:
    """Takes derived records and receipts from different threads."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], list[tuple[float, float, str]]] = defaultdict(list)
        self._arrived: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
        self.lines: dict[str, Line] = {}
        self.statuses: dict[str, int] = {}
        self.orders: dict[str, Order] = {}
        self.repeated_orders = 0
        self.late_examples: list[str] = []
        self.troubles: Counter[str] = Counter()
        self._orders_confirmed: set[str] = set()

    def record(self, record: Derived, due_at: int) -> None:
        """A derived record, due at `due_at` (UTC ms)."""
        with self._lock:
            if isinstance(record, StatusChange):
                self.statuses[record.connector_id] = record.status
            elif isinstance(record, Order):
                if record.start_charge_seq in self.orders:
                    self.repeated_orders += 1
                self.orders[record.start_charge_seq] = record
            for interface in self._platform.pushes(record):
                self._line(interface).due += 1
                key = (interface.name, key_of(record))
                self._due[key].append((due_at / 1000, LATE_AFTER_S[type(record)], _told_of(record)))
                self._match(key)

    def receipt(self, receipt: Receipt) -> None:
        """A push that the platform accepted; other calls do not count."""
        if receipt.interface not in _PUSHES:
            return
        with self._lock:
            key = (receipt.interface, _key_in(receipt.payload))
            self._arrived[key].append((receipt.arrival, _told_in(receipt)))
            self._match(key)

    def _line(self, interface: Interface) -> Line:
        return self.lines.setdefault(interface.name, Line())

    def _match(self, key: tuple[str, str]) -> None:
        due, arrived = self._due[key], self._arrived[key]
        while due and arrived:
            (arrival, told), line = arrived[0], self.lines[key[0]]
            found = next((index for index, (_, _, owed) in enumerate(due) if owed == told), None)
            if found is None:
                return
            line.replaced += found
            due_at, late_after, _ = due[found]
            del due[: found + 1], arrived[0]
            delay = arrival - due_at
            line.confirmed += 1
            if delay > late_after:
                line.late += 1
                if len(self.late_examples) < _EXAMPLES_KEPT:
                    self.late_examples.append(f"{key[0]} of {key[1]}: {delay:.2f} s after it was due")
            line.delays.append(delay)
            del line.delays[:-_DELAYS_KEPT]
            if key[0].startswith("notification_charge_order"):
                self._orders_confirmed.add(key[1])

    def open(self) -> int:
        """Pushes that are due and not confirmed."""
        with self._lock:
            return sum(line.due - line.confirmed - line.replaced for line in self.lines.values())

    def confirmed_orders(self) -> int:
        """Orders of which every push is confirmed."""
        with self._lock:
            waiting = {
                key[1] for key, due in self._due.items() if due and key[0].startswith("notification_charge_order")
            }
            return len(self._orders_confirmed - waiting)


def key_of(record: Derived) -> str:
    """What the pushes of a record are matched by."""
    return record.connector_id if isinstance(record, StatusChange) else record.start_charge_seq


def _key_in(payload: Mapping[str, object]) -> str:
    status = payload.get("ConnectorStatusInfo")
    if isinstance(status, Mapping):
        return str(status["ConnectorID"])
    return str(payload["StartChargeSeq"])


def _told_of(record: Derived) -> str:
    """What tells the states of one connector, or charge, apart."""
    if isinstance(record, StatusChange):
        return str(record.status)
    return wire_time(record.observed_at) if isinstance(record, ChargeProgress) else ""


def _told_in(receipt: Receipt) -> str:
    status = receipt.payload.get("ConnectorStatusInfo")
    if isinstance(status, Mapping):
        return str(status["Status"])
    return str(receipt.payload["EndTime"]) if receipt.interface == _PROGRESS else ""
