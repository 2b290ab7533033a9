"""The finalized order of a charge that has ended (Beijing V1.1 §1.1.13, §1.1.14)."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from schemas.records.charge_events import BillIssued
from schemas.records.derived import Order, OrderPeriod
from schemas.values import StopReason
from streams.domain.charge import Charge
from streams.domain.connector import Connector
from streams.domain.tariff import PRICE_SCALE

_CENT = Decimal("0.01")
_PRICE = Decimal("0.0001")


def to_kwh(watt_hours: int) -> Decimal:
    """Wh as kWh with two decimals, rounded half up (half away from zero below zero)."""
    sign = -1 if watt_hours < 0 else 1
    return Decimal(sign * ((abs(watt_hours) + 5) // 10)).scaleb(-2)


def cost(price: Decimal, energy_kwh: Decimal) -> Decimal:
    """Price (CNY/kWh) times energy (kWh) in CNY, rounded half up to two decimals."""
    return (price * energy_kwh).quantize(_CENT, ROUND_HALF_UP)


def finalize(charge: Charge, connector: Connector, power_kw: Decimal) -> Order:
    """The order of a charge whose start, end and registers are known and whose marks are closed.

    A bill's amounts are taken as they are; otherwise energy is split by tariff period, and the periods add up to
    the totals to the cent.
    """
    assert charge.started_at is not None and charge.ended_at is not None
    start_wh, end_wh = charge.marks[0].meter_wh, charge.end_wh
    bill = charge.bill
    computed = computed_periods(charge)
    if bill is None:
        periods = computed
        energy = to_kwh(end_wh - start_wh)
        elec, service = _sum(p.elec_money for p in periods), _sum(p.service_money for p in periods)
        total = elec + service
    else:
        periods = billed_periods(bill) or computed
        energy, elec, service, total = bill.energy_kwh, bill.elec_money, bill.service_money, bill.total_money
    return Order(
        start_charge_seq=charge.seq,
        connector_id=connector.connector_id,
        equipment_id=connector.equipment_id,
        station_id=connector.station_id,
        charge_model=charge.model,
        started_at=charge.started_at,
        ended_at=charge.ended_at,
        energy_kwh=energy,
        elec_money=elec,
        service_money=service,
        total_money=total,
        stop_reason=StopReason.NOT_REPORTED if charge.stop_reason is None else charge.stop_reason,
        periods=periods,
        user_name=charge.user_name,
        connector_power_kw=power_kw,
        meter_start_kwh=to_kwh(start_wh),
        meter_end_kwh=to_kwh(end_wh),
        billed=bill is not None,
        flags=tuple(sorted(charge.flags)),
    )


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal("0.00"))


def computed_periods(charge: Charge) -> tuple[OrderPeriod, ...]:
    """The order's tariff periods from the charge's readings.

    Energy is rounded cumulatively, so that the periods' adds up to the registers'; a period's money is its price
    times its energy as they stand in the order, so that everyone who reads it can check it.
    """
    assert charge.ended_at is not None
    periods: list[OrderPeriod] = []
    energy_sum = 0
    energy_kwh = Decimal("0.00")
    for p in charge.periods(charge.ended_at, charge.end_wh):
        energy_sum += p.energy_wh
        until_here = to_kwh(energy_sum)
        energy = until_here - energy_kwh
        elec_price = (Decimal(p.elec_price_e4) / PRICE_SCALE).quantize(_PRICE)
        service_price = (Decimal(p.service_price_e4) / PRICE_SCALE).quantize(_PRICE)
        elec, service = cost(elec_price, energy), cost(service_price, energy)
        periods.append(OrderPeriod(p.started_at, p.ended_at, elec_price, service_price, energy, elec, service))
        energy_kwh = until_here
    return tuple(periods)


def billed_periods(bill: BillIssued) -> tuple[OrderPeriod, ...]:
    """The bill's own tariff periods, untouched."""
    return tuple(
        OrderPeriod(
            p.started_at, p.ended_at, p.elec_price, p.service_price, p.energy_kwh, p.elec_money, p.service_money
        )
        for p in bill.periods
    )


def disagreements(order: Order) -> list[str]:
    """Where an order's sums do not agree, each with its figures; empty when they all do.

    The order goes out as billed all the same: a sum that is wrong is reported, never altered.
    """
    found: list[str] = []

    def compare(what: str, total: Decimal, parts: Decimal) -> None:
        if abs(total - parts) >= _CENT:
            found.append(f"{what}: {total} against {parts}")

    compare("total_money and its parts", order.total_money, order.elec_money + order.service_money)
    register_energy = order.meter_end_kwh - order.meter_start_kwh
    if abs(order.energy_kwh - register_energy) > _CENT:  # both registers are rounded, hence a cent of slack
        found.append(f"energy_kwh and the registers: {order.energy_kwh} against {register_energy}")
    if order.periods:
        compare("energy_kwh and the periods", order.energy_kwh, _sum(p.energy_kwh for p in order.periods))
        compare("elec_money and the periods", order.elec_money, _sum(p.elec_money for p in order.periods))
        compare("service_money and the periods", order.service_money, _sum(p.service_money for p in order.periods))
    return found
