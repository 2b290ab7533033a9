"""What must hold inside one payload once its fields are sound: times, sums, meters, periods.

Each rule yields flaws; a payload with one is refused like a wrong field, since its receiver could not bill it.
What must hold between payloads is decided in `sequence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from infra.simulator.platform import dialect as names
from infra.simulator.platform.dialect import Dialect
from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.wire_json import Payload

Rule = Callable[[Payload], Iterator[Flaw]]

METER_TOLERANCE_KWH = Decimal("0.01")
DURATION_TOLERANCE_S = 1
CENT = Decimal("0.01")


def seconds_between(start: str, end: str) -> float:
    """Seconds from one `yyyy-MM-dd HH:mm:ss` to another; negative when they are the wrong way round."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def ends_after_start(payload: Payload) -> Iterator[Flaw]:
    """EndTime is not before StartTime."""
    if payload["EndTime"] < payload["StartTime"]:
        yield Flaw(Kind.TIME, "EndTime", f"{payload['EndTime']} is before StartTime {payload['StartTime']}")


def lasts_as_said(payload: Payload) -> Iterator[Flaw]:
    """ChargeLast is the time between StartTime and EndTime, within a second."""
    lasted = seconds_between(payload["StartTime"], payload["EndTime"])
    if abs(lasted - payload["ChargeLast"]) > DURATION_TOLERANCE_S:
        yield Flaw(Kind.ARITHMETIC, "ChargeLast", f"{payload['ChargeLast']} but EndTime-StartTime is {lasted:.0f}")


def meter_agrees(payload: Payload) -> Iterator[Flaw]:
    """The meter advanced by TotalPower, within a hundredth of a kWh."""
    advanced = payload["MeterValueEnd"] - payload["MeterValueStart"]
    if abs(advanced - payload["TotalPower"]) > METER_TOLERANCE_KWH:
        yield Flaw(
            Kind.ARITHMETIC,
            "MeterValueEnd",
            f"the meter advanced {advanced}, TotalPower is {payload['TotalPower']}",
        )


def money_adds_up(elec: str, service: str) -> Rule:
    """TotalMoney is the electricity's money plus the service's, exactly, where all three are given."""

    def rule(payload: Payload) -> Iterator[Flaw]:
        if elec in payload and service in payload and "TotalMoney" in payload:
            total = payload[elec] + payload[service]
            if total != payload["TotalMoney"]:
                yield Flaw(Kind.ARITHMETIC, "TotalMoney", f"{payload['TotalMoney']} but {elec}+{service} is {total}")

    return rule


def periods_counted(payload: Payload) -> Iterator[Flaw]:
    """SumPeriod is the number of ChargeDetails."""
    given, details = payload.get("SumPeriod"), payload.get("ChargeDetails")
    if given is not None and details is not None and given != len(details):
        yield Flaw(Kind.ARITHMETIC, "SumPeriod", f"{given} but ChargeDetails has {len(details)}")


def periods_join(payload: Payload) -> Iterator[Flaw]:
    """The periods follow each other without a gap or an overlap, inside StartTime and EndTime."""
    details = payload.get("ChargeDetails") or []
    reached = payload["StartTime"]
    for index, detail in enumerate(details):
        start, end = detail["DetailStartTime"], detail["DetailEndTime"]
        where = f"ChargeDetails[{index}]"
        if end < start:
            yield Flaw(Kind.TIME, f"{where}.DetailEndTime", f"{end} is before DetailStartTime {start}")
        if index and start != reached:
            yield Flaw(Kind.TIME, f"{where}.DetailStartTime", f"{start} but the period before ends {reached}")
        if not index and start < reached:
            yield Flaw(Kind.TIME, f"{where}.DetailStartTime", f"{start} is before StartTime {reached}")
        if end > payload["EndTime"]:
            yield Flaw(Kind.TIME, f"{where}.DetailEndTime", f"{end} is after EndTime {payload['EndTime']}")
        reached = end


def periods_sum(part: str, total: str, unit: Decimal = CENT) -> Rule:
    """The periods' parts sum to the total, exactly; with no periods or a part missing, nothing is claimed."""

    def rule(payload: Payload) -> Iterator[Flaw]:
        details = payload.get("ChargeDetails")
        if not details or total not in payload or any(part not in detail for detail in details):
            return
        summed = sum((detail[part] for detail in details), Decimal(0)).quantize(unit)
        if summed != payload[total]:
            yield Flaw(Kind.ARITHMETIC, total, f"{payload[total]} but {part} sums to {summed}")

    return rule


def orders_sum(payload: Payload) -> Iterator[Flaw]:
    """The head of check_charge_orders states the count and the sums of its list."""
    orders = payload["ChargeOrders"]
    if payload["OrderCount"] != len(orders):
        yield Flaw(Kind.ARITHMETIC, "OrderCount", f"{payload['OrderCount']} but ChargeOrders has {len(orders)}")
    for total, part in (("TotalOrderPower", "TotalPower"), ("TotalOrderMoney", "TotalMoney")):
        summed = sum((order[part] for order in orders), Decimal(0))
        if summed != payload[total]:
            yield Flaw(Kind.ARITHMETIC, total, f"{payload[total]} but ChargeOrders sum to {summed}")
    if len({order["StartChargeSeq"] for order in orders}) != len(orders):
        yield Flaw(Kind.ARITHMETIC, "ChargeOrders", "an order is listed twice")


def build_rules(dialect: Dialect) -> dict[str, tuple[Rule, ...]]:
    """The rules of every interface in the dialect's spelling."""
    spell = dialect.spell
    periods = (periods_counted, periods_join)
    order: tuple[Rule, ...] = (
        ends_after_start,
        money_adds_up("TotalElecMoney", spell("TotalSeviceMoney")),
        *periods,
        periods_sum("DetailPower", "TotalPower"),
        periods_sum("DetailElecMoney", "TotalElecMoney"),
        periods_sum(spell("DetailSeviceMoney"), spell("TotalSeviceMoney")),
    )
    return {
        names.CHARGE_STATUS: (
            ends_after_start,
            money_adds_up("ElecMoney", spell("SeviceMoney")),
            *periods,
            periods_sum("DetailPower", "TotalPower"),
            periods_sum("DetailElecMoney", "ElecMoney"),
            periods_sum(spell("DetailSeviceMoney"), spell("SeviceMoney")),
        ),
        names.ORDER: order,
        names.BONUS_ORDER: (*order, lasts_as_said, meter_agrees),
        names.CHECK_ORDERS: (ends_after_start, orders_sum),
    }
