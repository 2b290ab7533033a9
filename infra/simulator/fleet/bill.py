"""How the simulated back office bills a charge: energy by tariff period, money by its prices, to the cent.

Written apart from the rules that compute orders, so that each can be held against the other.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from schemas.records.charge_events import BillIssued, BillPeriod
from schemas.records.station import TariffPeriod

_CENT = Decimal("0.01")
_DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000

#: A moment (UTC ms) and the register then, Wh.
Reading = tuple[int, int]


def boundaries(tariff: Sequence[TariffPeriod], after_ms: int, until_ms: int) -> list[int]:
    """The moments behind one and up to another (UTC ms) at which a period of the tariff begins, in order."""
    midnight = (after_ms + _BEIJING_MS) // _DAY_MS * _DAY_MS - _BEIJING_MS
    found: list[int] = []
    while midnight <= until_ms:
        begins = (midnight + period.starts_at_s * 1000 for period in tariff)
        found += [moment for moment in begins if after_ms < moment <= until_ms]
        midnight += _DAY_MS
    return found


def period_at(tariff: Sequence[TariffPeriod], moment_ms: int) -> TariffPeriod:
    """The tariff period that holds at a moment (UTC ms); before the day's first one, the day's last."""
    second = (moment_ms + _BEIJING_MS) % _DAY_MS // 1000
    return next((p for p in reversed(tariff) if p.starts_at_s <= second), tariff[-1])


def bill(
    start_charge_seq: str,
    connector_id: str,
    tariff: Sequence[TariffPeriod],
    readings: Sequence[Reading],
    issued_at: int,
) -> BillIssued:
    """The bill of a charge whose register was read at its start, at every tariff boundary, and at its end.

    Energies are rounded so that they add up to the charge's energy in kWh with two decimals; the totals are
    the sums of the periods' rounded amounts. `tariff` is not empty.
    """
    first_wh = readings[0][1]
    periods: list[BillPeriod] = []
    billed_kwh = Decimal("0.00")
    for (started_at, _), (ended_at, meter_wh) in pairwise(readings):
        until_kwh = _rounded(Decimal(meter_wh - first_wh) / 1000)
        energy_kwh, billed_kwh = until_kwh - billed_kwh, until_kwh
        prices = period_at(tariff, started_at)
        periods.append(
            BillPeriod(
                started_at=started_at,
                ended_at=ended_at,
                elec_price=prices.elec_price,
                service_price=prices.service_price,
                energy_kwh=energy_kwh,
                elec_money=_rounded(energy_kwh * prices.elec_price),
                service_money=_rounded(energy_kwh * prices.service_price),
            )
        )
    elec_money = sum((p.elec_money for p in periods), Decimal("0.00"))
    service_money = sum((p.service_money for p in periods), Decimal("0.00"))
    return BillIssued(
        start_charge_seq=start_charge_seq,
        connector_id=connector_id,
        issued_at=issued_at,
        energy_kwh=billed_kwh,
        elec_money=elec_money,
        service_money=service_money,
        total_money=elec_money + service_money,
        periods=tuple(periods),
    )


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
