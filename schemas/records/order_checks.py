"""What the nightly check fixes before it asks a platform, and how that ended. Instants are UTC milliseconds."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order as a request reports it: kWh and CNY."""

    start_charge_seq: str
    connector_id: str
    energy_kwh: Decimal
    total_money: Decimal


@dataclass(frozen=True, slots=True)
class OrderCheckPlanned:
    """One request of check_charge_orders (Beijing V1.1 §1.1.15), which is sent as it is here or not at all.

    `day` is yyyy-MM-dd in Beijing; `number` counts the platform's requests of that day from 1; `late` says that its
    orders turned up after the day's requests had been fixed. The span is both ends included, to the second.
    """

    platform: str
    day: str
    number: int
    check_order_seq: str
    started_at: int
    ended_at: int
    late: bool
    planned_at: int
    orders: tuple[PlannedOrder, ...]


@dataclass(frozen=True, slots=True)
class OrderCheckEnded:
    """One request is over: `outcome` is DONE, DISPUTED, or DEAD_LETTER, with the reason in `detail`, if it is given
    up."""

    platform: str
    day: str
    check_order_seq: str
    outcome: str
    disputes: int
    detail: str
    ended_at: int
