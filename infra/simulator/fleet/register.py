"""A connector's energy register: the integral of power over time, never falling, read in whole Wh."""

import random
from collections.abc import Sequence

from infra.simulator.fleet.bill import Reading, boundaries
from infra.simulator.fleet.population import CATALOG_CHANGED_AT, Kind
from schemas.records.station import TariffPeriod

_MS_PER_HOUR = 3_600_000

#: Registers start between these, Wh, plus all that the connector could have given since this moment (UTC ms):
#: so a register never falls, even from one run of the simulator to the next.
_FIRST_METER_WH = (1_000_000, 30_000_000)
_REGISTERS_SINCE = CATALOG_CHANGED_AT
_POSSIBLE_SHARE = 1.1


def first_meter_wh(kind: Kind, now_ms: int, rng: random.Random) -> int:
    """What a connector's register shows when the simulation begins, Wh."""
    hours = max(0, now_ms - _REGISTERS_SINCE) / _MS_PER_HOUR
    return rng.randint(*_FIRST_METER_WH) + int(hours * float(kind.power_kw) * 1000 * _POSSIBLE_SHARE)


class Register:
    """Integrates a power that is constant between two calls of `advance`; keeps a charge's readings for its bill."""

    def __init__(self, meter_wh: int, now_ms: int) -> None:
        self._whole_wh = meter_wh
        self._rest_wh = 0.0
        self._read_at = now_ms
        self._power_w = 0.0
        self._tariff: Sequence[TariffPeriod] = ()
        self._readings: list[Reading] = []

    @property
    def meter_wh(self) -> int:
        """What the register shows, Wh."""
        return self._whole_wh + int(self._rest_wh)

    def advance(self, now_ms: int) -> None:
        """Counts the energy up to `now_ms` (UTC ms)."""
        if self._readings:
            for boundary in boundaries(self._tariff, self._read_at, now_ms):
                self._count(boundary)
                self._readings.append((boundary, self.meter_wh))
        self._count(now_ms)

    def _count(self, now_ms: int) -> None:
        self._rest_wh += self._power_w * (now_ms - self._read_at) / _MS_PER_HOUR
        self._read_at = now_ms

    def carry(self, power_w: float) -> None:
        """From the last `advance` on this power flows, W."""
        self._power_w = power_w

    def open_charge(self, tariff: Sequence[TariffPeriod]) -> int:
        """A charge begins at the last `advance`: what the register shows, Wh."""
        self._tariff = tariff
        self._readings = [(self._read_at, self.meter_wh)]
        return self.meter_wh

    def close_charge(self) -> list[Reading]:
        """The charge ended at the last `advance`: its readings at start, tariff boundaries and end."""
        self._power_w = 0.0
        closed = self._readings
        if closed and closed[-1][0] == self._read_at:
            closed = closed[:-1]
        self._readings = []
        return [*closed, (self._read_at, self.meter_wh)]
