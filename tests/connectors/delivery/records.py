"""Derived records with short ids, many at a time, in the shapes that the platform's tables take."""

from dataclasses import replace
from decimal import Decimal

from schemas.records.derived import (
    ChargeProgress,
    Order,
    OrderPeriod,
    ProgressKind,
    StartResult,
    StatusChange,
    StatusChangeKind,
    StopResult,
)

STARTED = 1_772_589_600_000  # 2026-03-04 10:00:00 in Beijing
HOUR_MS = 3_600_000

Result = StartResult | StopResult


def seq(number: int) -> str:
    """A StartChargeSeq of ours."""
    return f"123456789{number:018d}"


def status(connector_id: str, status: int = 1, observed_at: int = STARTED) -> StatusChange:
    """A change of status."""
    return StatusChange(connector_id, "E1", "S1", StatusChangeKind.CHANGED, status, 0, 0, None, observed_at)


def start(number: int, connector_id: str) -> StartResult:
    """A charge that has started."""
    return StartResult(seq(number), connector_id, "S1", 2, True, 0, STARTED, "", "")


def progress(
    number: int, connector_id: str, kind: ProgressKind = ProgressKind.STARTED, energy_wh: int = 0
) -> ChargeProgress:
    """Its status: at the start, on the way, or at the stop."""
    at = STARTED
    return ChargeProgress(seq(number), connector_id, "S1", 2, at, kind, at, at, 3, energy_wh, 0, 0, (), None)


def stop(number: int, connector_id: str) -> StopResult:
    """Its stop."""
    return StopResult(seq(number), connector_id, "S1", 2, True, 0, STARTED + HOUR_MS)


def order(number: int, connector_id: str, charge_model: int = 2) -> Order:
    """Its bill; of charge model 1 it goes to two interfaces, of the others to one."""
    energy, elec, service = Decimal("10.00"), Decimal("9.00"), Decimal("5.00")
    period = OrderPeriod(STARTED, STARTED + HOUR_MS, Decimal("0.9000"), Decimal("0.5000"), energy, elec, service)
    return Order(
        start_charge_seq=seq(number),
        connector_id=connector_id,
        equipment_id="E1",
        station_id="S1",
        charge_model=charge_model,
        started_at=STARTED,
        ended_at=STARTED + HOUR_MS,
        energy_kwh=energy,
        elec_money=elec,
        service_money=service,
        total_money=elec + service,
        stop_reason=0,
        periods=(period,),
        user_name="",
        connector_power_kw=Decimal("60.0"),
        meter_start_kwh=Decimal("100.00"),
        meter_end_kwh=Decimal("110.00"),
        billed=True,
        flags=(),
    )


def unreportable(record: StatusChange) -> StatusChange:
    """The same of a connector whose id is longer than the standard allows."""
    return replace(record, connector_id="x" * 27)
