"""The orders the platform has confirmed: whether a new one may join them, and what a day's check disputes.

An order received again unchanged is confirmed again; one that contradicts what was confirmed is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum

from infra.simulator.platform.answers import check_answer
from infra.simulator.platform.checks import Checks, Contested
from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.wire_json import Payload

STARTED_BY_PLATFORM = 1
"""ChargeModel 市级平台启动: the only orders check_charge_orders is about, Beijing V1.1 §1.1.15."""


class Dispute(IntEnum):
    """DisputeReason of T/CEC 102.3 check_charge_orders."""

    UNKNOWN_ORDER = 1
    WRONG_MONEY = 2
    WRONG_POWER = 3


@dataclass(slots=True)
class _Confirmed:
    power: Decimal
    money: Decimal
    start: str
    end: str
    model: int | None = None
    contents: dict[str, int] = field(default_factory=dict)


class ConfirmedOrders:
    """At most `most` orders by StartChargeSeq, the oldest forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._orders: dict[str, _Confirmed] = {}

    def confirm(self, interface: str, payload: Payload, content: int) -> Flaw | None:
        """Confirm the order, or say how it contradicts an earlier one of either order interface.

        `content` is the fingerprint of the payload.
        """
        seq = payload["StartChargeSeq"]
        known = self._orders.get(seq)
        if known is None:
            known = self._orders[seq] = _Confirmed(
                payload["TotalPower"], payload["TotalMoney"], payload["StartTime"], payload["EndTime"]
            )
            if len(self._orders) > self._most:
                del self._orders[next(iter(self._orders))]
        elif known.contents.get(interface, content) != content:
            return Flaw(Kind.ORDER_CHANGED, "StartChargeSeq", "was confirmed with another content")
        elif (known.power, known.money) != (payload["TotalPower"], payload["TotalMoney"]):
            return Flaw(Kind.ORDER_CHANGED, "TotalPower", "differs from what the other order interface said")
        known.contents[interface] = content
        known.model = payload.get("ChargeModel", known.model)
        return None

    def know(self, order: Payload) -> None:
        """An order that need not be pushed: StartChargeSeq, TotalPower, TotalMoney, StartTime, EndTime, ChargeModel."""
        self._orders[order["StartChargeSeq"]] = _Confirmed(
            Decimal(order["TotalPower"]),
            Decimal(order["TotalMoney"]),
            order["StartTime"],
            order["EndTime"],
            order["ChargeModel"],
        )

    def reconcile(self, payload: Payload, contested: Contested) -> Payload:
        """The answer to a check_charge_orders: what is listed and is unknown, of other money or power, or contested."""
        disputes = []
        for order in payload["ChargeOrders"]:
            reason = contested.reason(order["StartChargeSeq"]) or self._dispute(order)
            if reason:
                disputes.append({**order, "DisputeReason": int(reason)})
        return check_answer(payload, disputes)

    def unlisted(self, payload: Payload, checks: Checks) -> list[Flaw]:
        """Orders started by the platform, wholly inside the checked time, that the operator left out of all its checks
        so far.

        An order across an edge is left alone: whose day it belongs to is not stated anywhere.
        """
        return [
            Flaw(Kind.UNLISTED, "ChargeOrders", f"{seq} is missing")
            for seq, order in self._orders.items()
            if order.model == STARTED_BY_PLATFORM
            and order.start >= payload["StartTime"]
            and order.end <= payload["EndTime"]
            and not checks.listed(seq)
        ]

    def _dispute(self, order: Payload) -> Dispute | None:
        known = self._orders.get(order["StartChargeSeq"])
        if known is None:
            return Dispute.UNKNOWN_ORDER
        if known.money != order["TotalMoney"]:
            return Dispute.WRONG_MONEY
        if known.power != order["TotalPower"]:
            return Dispute.WRONG_POWER
        return None
