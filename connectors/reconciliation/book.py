"""What is known of a platform's checks: the requests that were fixed, and how they ended. Pure: what lies on the topic
makes it, in its order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.codec import Codec
from schemas.records.order_checks import OrderCheckEnded, OrderCheckPlanned


@dataclass(slots=True)
class Request:
    """One request, kept as the bytes of its record, some 70 an order; `place` is where that lies, partition and
    offset, since `recorded_at`."""

    check_order_seq: str
    number: int
    count: int
    late: bool
    value: bytes
    place: tuple[int, int]
    recorded_at: int
    ended: OrderCheckEnded | None = None


@dataclass(slots=True)
class DayBook:
    """One day's requests by their CheckOrderSeq, in the order of their numbers."""

    requests: dict[str, Request] = field(default_factory=dict)

    @property
    def open(self) -> list[Request]:
        """What is not over."""
        return [request for request in self.requests.values() if request.ended is None]

    @property
    def next_number(self) -> int:
        """Of the request to come."""
        return 1 + max((request.number for request in self.requests.values()), default=0)


@dataclass(frozen=True, slots=True)
class Sums:
    """A day in figures: kWh, CNY; `refused` are requests that were given up, `disputes` contested orders."""

    orders: int
    late_orders: int
    requests: int
    open: int
    refused: int
    disputes: int
    energy_kwh: Decimal
    total_money: Decimal


class Book:
    """One platform's days."""

    def __init__(self, platform: str, codec: Codec) -> None:
        self.platform = platform
        self._codec = codec
        self._days: dict[date, DayBook] = {}

    @property
    def days(self) -> list[date]:
        """The days of which anything was fixed."""
        return sorted(self._days)

    def day(self, day: date) -> DayBook:
        """A day's requests; empty where there are none."""
        return self._days.get(day) or DayBook()

    def planned(self, record: OrderCheckPlanned, value: bytes, place: tuple[int, int], recorded_at: int) -> None:
        """A request was fixed. One that comes again, as a dead letter that is sent again does, is open again."""
        day = self._days.setdefault(date.fromisoformat(record.day), DayBook())
        known = day.requests.get(record.check_order_seq)
        if known is not None:
            known.ended = None
            return
        day.requests[record.check_order_seq] = Request(
            record.check_order_seq, record.number, len(record.orders), record.late, value, place, recorded_at
        )

    def ended(self, record: OrderCheckEnded) -> None:
        """A request is over."""
        request = self.day(date.fromisoformat(record.day)).requests.get(record.check_order_seq)
        if request is not None:
            request.ended = record

    def seqs(self, days: Iterable[date]) -> set[str]:
        """The StartChargeSeqs that requests of these days hold."""
        return {order.start_charge_seq for day in days for check in self._checks(day) for order in check.orders}

    def sums(self, day: date) -> Sums:
        """The day in figures."""
        requests = list(self.day(day).requests.values())
        energy = money = Decimal("0.00")
        for check in self._checks(day):
            energy += sum((order.energy_kwh for order in check.orders), Decimal(0))
            money += sum((order.total_money for order in check.orders), Decimal(0))
        ended = [request.ended for request in requests if request.ended is not None]
        return Sums(
            orders=sum(request.count for request in requests),
            late_orders=sum(request.count for request in requests if request.late),
            requests=len(requests),
            open=len(requests) - len(ended),
            refused=sum(one.outcome == "DEAD_LETTER" for one in ended),
            disputes=sum(one.disputes for one in ended),
            energy_kwh=energy,
            total_money=money,
        )

    def _checks(self, day: date) -> Iterator[OrderCheckPlanned]:
        for request in self.day(day).requests.values():
            yield self._codec.decode_as(OrderCheckPlanned, request.value)
