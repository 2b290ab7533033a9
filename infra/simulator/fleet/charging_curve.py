"""What a vehicle draws from a connector: volts and amperes by kind of connector and state of charge.

DC follows CC-CV: full power up to 80 %, then ever less. AC gives the rated current until nearly full.
"""

import random
from dataclasses import dataclass

from infra.simulator.fleet.population import Kind

#: Smallest and largest usable battery capacity, Wh.
BATTERY_WH = (30_000, 100_000)

_DC_TAPER_FROM, _AC_TAPER_FROM = 0.80, 0.97
_TRICKLE = 0.08
_AC_VOLTAGE_V = 220.0
_DC_PACK_V = {Kind.DC_60: (340.0, 420.0), Kind.DC_120: (560.0, 700.0)}
_VOLTAGE_NOISE = 0.005


@dataclass(frozen=True, slots=True)
class Draw:
    """Amperes and volts of the phases A, B, C; DC has A alone."""

    currents_a: tuple[float, float, float]
    voltages_v: tuple[float, float, float]

    @property
    def power_w(self) -> float:
        """What the register integrates, W."""
        return sum(a * v for a, v in zip(self.currents_a, self.voltages_v, strict=True))


NO_DRAW = Draw((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def share_of_power(kind: Kind, soc: float) -> float:
    """How much of the rated power flows at a state of charge of 0 to 1."""
    taper_from = _DC_TAPER_FROM if kind.is_dc else _AC_TAPER_FROM
    if soc <= taper_from:
        return 1.0
    left = max(0.0, (1.0 - soc) / (1.0 - taper_from))
    return _TRICKLE + (1.0 - _TRICKLE) * left


def draw(kind: Kind, soc: float, rng: random.Random) -> Draw:
    """What flows at this state of charge (0 to 1); voltages are noisy, currents never above their rating."""
    share = share_of_power(kind, soc)
    if kind.is_dc:
        empty_v, full_v = _DC_PACK_V[kind]
        volts = _noisy(empty_v + (full_v - empty_v) * min(soc, 1.0), rng)
        amperes = min(float(kind.current_a), float(kind.power_kw) * 1000 * share / volts)
        return Draw((round(amperes, 1), 0.0, 0.0), (volts, 0.0, 0.0))
    amperes = round(kind.current_a * share, 1)
    if kind.phases == 1:
        return Draw((amperes, 0.0, 0.0), (_noisy(_AC_VOLTAGE_V, rng), 0.0, 0.0))
    volts_a, volts_b, volts_c = (_noisy(_AC_VOLTAGE_V, rng) for _ in range(3))
    return Draw((amperes, amperes, amperes), (volts_a, volts_b, volts_c))


def _noisy(volts: float, rng: random.Random) -> float:
    return round(volts * (1 + _VOLTAGE_NOISE * (2 * rng.random() - 1)), 1)
