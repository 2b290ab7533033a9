"""check_charge_orders (Beijing V1.1 §1.1.15): a day's orders for reconciliation, and the disputes in the answer.

Which orders and which day is decided by the nightly run, not here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import DONE, Outcome, Verdict
from connectors.protocol import fields
from connectors.protocol.beijing_time import wire_time
from connectors.protocol.errors import BadPayload

INTERFACE = "check_charge_orders"
FIELDS = (
    *("CheckOrderSeq", "StartTime", "EndTime", "OrderCount", "TotalOrderPower", "TotalOrderMoney"),
    *("ChargeOrders", "StartChargeSeq", "TotalPower", "TotalMoney"),
)


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """What an order is compared by: kWh and CNY."""

    start_charge_seq: str
    energy_kwh: Decimal
    total_money: Decimal


@dataclass(frozen=True, slots=True)
class OrderCheck:
    """One check: the span it covers in UTC milliseconds, and its orders."""

    check_order_seq: str
    started_at: int
    ended_at: int
    orders: Sequence[CheckedOrder]


RECORD = OrderCheck


@dataclass(frozen=True, slots=True)
class OrderDispute:
    """An order the platform sees otherwise: 1 unknown to it, 2 wrong money, 3 wrong energy, 4 to 99 its own."""

    start_charge_seq: str
    energy_kwh: Decimal
    total_money: Decimal
    reason: int


def payload(record: OrderCheck, dialect: Dialect) -> dict[str, object]:
    """Totals are the exact sums of what the list says. Raises Unreportable."""
    orders: list[dict[str, object]] = []
    power = money = Decimal(0)
    for order in record.orders:
        order_power = dialect.amount("TotalPower", order.energy_kwh)
        order_money = dialect.amount("TotalMoney", order.total_money)
        power += order_power
        money += order_money
        seq = dialect.identifier("StartChargeSeq", order.start_charge_seq)
        orders.append({"StartChargeSeq": seq, "TotalPower": order_power, "TotalMoney": order_money})
    return dialect.apply(
        INTERFACE,
        {
            "CheckOrderSeq": dialect.identifier("CheckOrderSeq", record.check_order_seq),
            "StartTime": wire_time(record.started_at),
            "EndTime": wire_time(record.ended_at),
            "OrderCount": len(orders),
            "TotalOrderPower": dialect.amount("TotalOrderPower", power),
            "TotalOrderMoney": dialect.amount("TotalOrderMoney", money),
            "ChargeOrders": orders,
        },
    )


def outcome(response: Mapping[str, object]) -> Outcome:
    """DONE without disputes, otherwise DISPUTED with their number. Raises BadPayload."""
    listed = len(disputes(response))
    named = fields.find(response, "TotalDisputeOrder")
    count = max(listed, fields.integer(response, "TotalDisputeOrder") if named is not None else 0)
    if named is None and fields.find(response, "CheckOrderSeq") is None:
        raise BadPayload("is missing", "CheckOrderSeq")
    return Outcome(Verdict.DISPUTED, count) if count else DONE


def disputes(response: Mapping[str, object]) -> tuple[OrderDispute, ...]:
    """The disputed orders; none where the list is absent or null. Raises BadPayload."""
    return tuple(
        OrderDispute(
            start_charge_seq=fields.text(item, "StartChargeSeq"),
            energy_kwh=fields.amount(item, "TotalPower"),
            total_money=fields.amount(item, "TotalMoney"),
            reason=fields.integer(item, "DisputeReason"),
        )
        for item in _objects(fields.find(response, "DisputeOrders"))
    )


def _objects(value: object) -> Iterator[dict[str, object]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise BadPayload("is not a list", "DisputeOrders")
    for item in value:
        if not isinstance(item, dict):
            raise BadPayload("holds something that is no object", "DisputeOrders")
        yield item
