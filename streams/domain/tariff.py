"""Which price holds when: a station's tariff as periods of the Beijing day."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.records.station import TariffPeriod

_DAY_MS = 86_400_000
#: China has one time zone and no daylight saving since 1991.
_BEIJING_OFFSET_MS = 8 * 3_600_000

#: An instant that no charge reaches.
END_OF_TIME: Final = 1 << 62

#: Prices are kept as whole 1/10000 CNY per kWh: exact, since the wire has four decimals.
PRICE_SCALE = 10_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices by time of day. `starts_ms` counts from Beijing midnight and ascends; prices in 1/10000 CNY/kWh."""

    starts_ms: tuple[int, ...]
    prices: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, periods: Sequence[TariffPeriod]) -> "Tariff":
        """The tariff of these periods; without any, everything is free and there is no boundary."""
        ordered = sorted(periods, key=lambda p: p.starts_at_s)
        return cls(
            tuple(p.starts_at_s * 1000 for p in ordered),
            tuple((int(p.elec_price * PRICE_SCALE), int(p.service_price * PRICE_SCALE)) for p in ordered),
        )

    def price_at(self, at: int) -> tuple[int, int]:
        """Electricity and service price at an instant; before the day's first period the last one still holds."""
        if not self.prices:
            return (0, 0)
        return self.prices[bisect_right(self.starts_ms, (at + _BEIJING_OFFSET_MS) % _DAY_MS) - 1]

    def next_boundary(self, at: int) -> int:
        """The first instant after `at` where another price begins; END_OF_TIME if the price never changes."""
        if len(self.prices) < 2:
            return END_OF_TIME
        in_day = (at + _BEIJING_OFFSET_MS) % _DAY_MS
        midnight = at - in_day
        following = bisect_right(self.starts_ms, in_day)
        if following < len(self.starts_ms):
            return midnight + self.starts_ms[following]
        return midnight + _DAY_MS + self.starts_ms[0]


FREE = Tariff((), ())
