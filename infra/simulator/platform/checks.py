"""What must hold between one check_charge_orders and another, and what the platform is told to contest in them.

A CheckOrderSeq is one request, which may come again as it was; an order belongs to one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.wire_json import Payload


class Contested:
    """Orders that the platform contests because it was told to, with the DisputeReason. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, int] = {}

    def add(self, reasons: Mapping[str, int]) -> None:
        """By StartChargeSeq; 0 is content again."""
        with self._lock:
            self._reasons = {seq: reason for seq, reason in {**self._reasons, **reasons}.items() if reason}

    def clear(self) -> None:
        """Content with all."""
        with self._lock:
            self._reasons = {}

    def reason(self, seq: str) -> int:
        """Why an order is contested; 0 if it is not."""
        return self._reasons.get(seq, 0)


class Checks:
    """At most `most` requests and orders are remembered, the oldest forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._contents: dict[str, int] = {}
        self._requests: dict[str, str] = {}

    def observe(self, payload: Payload, content: int) -> list[Flaw]:
        """What is wrong with a request against those before it; `content` is its fingerprint."""
        seq = payload["CheckOrderSeq"]
        if self._contents.setdefault(seq, content) != content:
            return [Flaw(Kind.CHECK_CHANGED, "CheckOrderSeq", "was sent with another content")]
        flaws = []
        for order in payload["ChargeOrders"]:
            in_request = self._requests.setdefault(order["StartChargeSeq"], seq)
            if in_request != seq:
                message = f"{order['StartChargeSeq']} was in {in_request} already"
                flaws.append(Flaw(Kind.CHECKED_TWICE, "ChargeOrders", message))
        self._forget()
        return flaws

    def listed(self, seq: str) -> bool:
        """Whether an order was in any request."""
        return seq in self._requests

    def _forget(self) -> None:
        for kept in (self._contents, self._requests):
            while len(kept) > self._most:
                del kept[next(iter(kept))]
