"""How a day's orders are laid out in requests of check_charge_orders. Pure: the same orders give the same requests.

The requests divide the day by time, so that a platform which looks for what is missing within a request's span finds
all of it in there.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.reconciliation.days import DAY_MS, midnight_ms
from schemas.records.order_checks import OrderCheckPlanned, PlannedOrder

_SECOND_MS = 1_000

#: Requests of a platform and day that CheckOrderSeq has room for.
_NUMBER_MAX = 999_999


@dataclass(frozen=True, slots=True)
class DayOrder:
    """An order of a day: `at` is the time by which it belongs to it, UTC ms; kWh and CNY."""

    start_charge_seq: str
    connector_id: str
    station_id: str
    energy_kwh: Decimal
    total_money: Decimal
    at: int

    @property
    def planned(self) -> PlannedOrder:
        """As a request reports it."""
        return PlannedOrder(self.start_charge_seq, self.connector_id, self.energy_kwh, self.total_money)


@dataclass(frozen=True, slots=True)
class Planning:
    """What the requests of one look at a day have in common: `first_number` follows the day's requests so far;
    `operator_id` is ours at this platform."""

    platform: str
    operator_id: str
    day: date
    first_number: int
    late: bool
    planned_at: int
    orders_per_request: int


def check_order_seq(operator_id: str, platform: str, day: date, number: int) -> str:
    """OperatorID and 18 characters: the day, four of the platform's, six digits. Raises ValueError beyond those."""
    if not 1 <= number <= _NUMBER_MAX:
        raise ValueError(f"{number} is no number of a request")
    mark = hashlib.sha256(platform.encode()).hexdigest()[:4].upper()
    return f"{operator_id}{day:%Y%m%d}{mark}{number:06d}"


def requests(orders: Iterable[DayOrder], planning: Planning) -> Iterator[OrderCheckPlanned]:
    """The requests, each with at most `orders_per_request` of the orders, which come in the order of their times.

    A request ends where a second ends, unless more orders than it may have fall into one second. Without `late` the
    spans cover the day without a gap, and without orders there is one request for the whole of it; late ones cover
    what their orders need, and without orders there is none.
    """
    begin, end = midnight_ms(planning.day), midnight_ms(planning.day) + DAY_MS - _SECOND_MS
    number, held = planning.first_number, []
    for order in orders:
        held.append(order)
        if len(held) > planning.orders_per_request:
            cut = _cut(held)
            yield _request(held[:cut], planning, number, begin, _second(held[cut - 1]))
            number, begin, held = number + 1, _next_begin(held, cut), held[cut:]
    if held or (number == planning.first_number and not planning.late):
        yield _request(held, planning, number, begin, end)


def _request(orders: list[DayOrder], planning: Planning, number: int, begin: int, end: int) -> OrderCheckPlanned:
    if planning.late:
        begin, end = _second(orders[0]), _second(orders[-1])
    return OrderCheckPlanned(
        platform=planning.platform,
        day=planning.day.isoformat(),
        number=number,
        check_order_seq=check_order_seq(planning.operator_id, planning.platform, planning.day, number),
        started_at=begin,
        ended_at=end,
        late=planning.late,
        planned_at=planning.planned_at,
        orders=tuple(order.planned for order in orders),
    )


def _cut(orders: list[DayOrder]) -> int:
    """How many of these, less one, are a request: as many as end with a second, all where none does."""
    for cut in range(len(orders) - 1, 0, -1):
        if _second(orders[cut - 1]) != _second(orders[cut]):
            return cut
    return len(orders) - 1


def _next_begin(orders: list[DayOrder], cut: int) -> int:
    before, behind = _second(orders[cut - 1]), _second(orders[cut])
    return behind if behind == before else before + _SECOND_MS


def _second(order: DayOrder) -> int:
    return order.at // _SECOND_MS * _SECOND_MS
