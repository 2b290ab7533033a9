"""How far a running charge is: its state as the streams keep it, brought up to the connector's newest sample."""

from collections.abc import Sequence

from connectors.gateway.views.known_state import KnownCharge, KnownState
from schemas.charge_periods import periods_of
from schemas.records.derived import ChargeProgress, ProgressKind
from schemas.records.station import TariffPeriod
from schemas.records.telemetry import Telemetry
from schemas.telemetry_layout import AHEAD_MS, EARLIEST_MS, LATEST_MS, METER_MAX_WH

_DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000


def progress_of(
    state: KnownState, charge: KnownCharge, newest: Telemetry | None, tariff: Sequence[TariffPeriod]
) -> ChargeProgress:
    """The charge as the streams would push it now; it must have started. `newest` is the connector's newest sample.

    A sample behind a tariff boundary that the state does not know yet is left alone: where the register stood at the
    boundary is for the streams to say, and a moment later they have.
    """
    assert charge.started_at is not None
    at, meter_wh, sample = _reading(state, charge)
    if charge.ended_at is not None and charge.meter_end_wh is not None:
        at, meter_wh = charge.ended_at, charge.meter_end_wh + charge.rebase_wh
    elif newest is not None and _goes_on(charge, at, newest) and same_period(tariff, at, newest.sampled_at):
        at, meter_wh, sample = newest.sampled_at, max(meter_wh, newest.meter_wh + charge.rebase_wh), newest
    marks = [mark for mark in charge.marks if mark.at <= at] or list(charge.marks[:1])
    at = max(at, charge.started_at)
    periods = periods_of(marks, at, max(meter_wh, marks[-1].meter_wh))
    return ChargeProgress(
        start_charge_seq=charge.start_charge_seq,
        connector_id=state.connector_id,
        station_id=state.station_id,
        charge_model=charge.charge_model,
        started_at=charge.started_at,
        kind=ProgressKind.PERIODIC if charge.ended_at is None else ProgressKind.STOPPED,
        due_at=at,
        observed_at=at,
        connector_status=state.status,
        energy_wh=sum(period.energy_wh for period in periods),
        elec_money_fen=sum(period.elec_money_fen for period in periods),
        service_money_fen=sum(period.service_money_fen for period in periods),
        periods=tuple(periods),
        sample=sample,
    )


def _reading(state: KnownState, charge: KnownCharge) -> tuple[int, int, Telemetry | None]:
    """The newest reading that the state has of the charge (UTC ms, Wh), and its sample if that shows the charge."""
    sample = state.sample
    if sample is None or sample.start_charge_seq != charge.start_charge_seq:
        return charge.reading_at, charge.reading_wh, None
    if state.reading_at < charge.reading_at:
        return charge.reading_at, charge.reading_wh, sample
    return state.reading_at, state.reading_wh, sample


def _goes_on(charge: KnownCharge, at: int, newest: Telemetry) -> bool:
    return newest.start_charge_seq == charge.start_charge_seq and newest.sampled_at > at


def is_plausible(sample: Telemetry, connector_id: str, now_ms: int) -> bool:
    """Whether the streams would take the sample, too: what they refuse, platforms are not told."""
    return (
        sample.connector_id == connector_id
        and 0 <= sample.meter_wh <= METER_MAX_WH
        and EARLIEST_MS <= sample.sampled_at <= min(now_ms + AHEAD_MS, LATEST_MS)
    )


def same_period(tariff: Sequence[TariffPeriod], earlier: int, later: int) -> bool:
    """Whether no period of the tariff begins behind `earlier` and up to `later` (UTC ms)."""
    if len(tariff) < 2:
        return True
    if later - earlier >= _DAY_MS:
        return False
    since = (earlier + _BEIJING_MS) % _DAY_MS
    until = since + later - earlier
    for period in tariff:
        begins = period.starts_at_s * 1000
        if since < begins <= until or since < begins + _DAY_MS <= until:
            return False
    return True
