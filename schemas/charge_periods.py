"""What a charge has cost up to a reading, by the tariff marks that its state keeps: the streams push it, the gateway
answers with it. Where a mark lies is decided by the streams."""

from collections.abc import Sequence
from typing import Protocol

from schemas.records.derived import ProgressPeriod

#: Wh times 1/10000 CNY/kWh, for one fen.
_FEN = 100_000


class Mark(Protocol):
    """What is asked of a `TariffMark`."""

    @property
    def at(self) -> int: ...
    @property
    def meter_wh(self) -> int: ...
    @property
    def elec_price_e4(self) -> int: ...
    @property
    def service_price_e4(self) -> int: ...


def to_fen(watt_hour_prices: int) -> int:
    """Energy (Wh) times price (1/10000 CNY/kWh), rounded half up to CNY 0.01."""
    return (watt_hour_prices + _FEN // 2) // _FEN


def periods_of(marks: Sequence[Mark], at: int, meter_wh: int) -> list[ProgressPeriod]:
    """The tariff periods up to a reading (UTC ms, Wh), with energy and money; sums of money are rounded cumulatively,
    so that the periods always add up to the totals."""
    result: list[ProgressPeriod] = []
    elec_sum = service_sum = elec_fen = service_fen = 0
    for index, mark in enumerate(marks):
        following = marks[index + 1] if index + 1 < len(marks) else None
        end, end_wh = (following.at, following.meter_wh) if following else (at, meter_wh)
        energy = end_wh - mark.meter_wh
        elec_sum += energy * mark.elec_price_e4
        service_sum += energy * mark.service_price_e4
        result.append(
            ProgressPeriod(
                mark.at,
                max(end, mark.at),
                mark.elec_price_e4,
                mark.service_price_e4,
                energy,
                to_fen(elec_sum) - elec_fen,
                to_fen(service_sum) - service_fen,
            )
        )
        elec_fen, service_fen = to_fen(elec_sum), to_fen(service_sum)
    return result
