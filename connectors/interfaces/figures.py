"""Numbers at the scale a field has on the wire. Which scale that is, the dialect says.

Halves are rounded away from zero, as bills are.
"""

import math
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from connectors.protocol.errors import Unreportable

#: Above six decimals, `str` of a small Decimal turns to an exponent.
SCALE_MAX = 6

_QUANTA = tuple(Decimal((0, (1,), -scale)) for scale in range(SCALE_MAX + 1))
_TENS: tuple[int, ...] = tuple(10**power for power in range(19))


@lru_cache(maxsize=65_536)
def fixed(units: int, scale: int) -> Decimal:
    """`units` of 10^-scale: fixed(90, 2) is 0.90. Cached, since samples and prices repeat."""
    return Decimal(units).scaleb(-scale)


def rescaled(units: int, places: int, scale: int) -> int:
    """`units` of 10^-places in units of 10^-scale."""
    if scale == places:
        return units
    if scale > places:
        return units * _TENS[scale - places]
    divisor = _TENS[places - scale]
    rounded = (abs(units) + divisor // 2) // divisor
    return rounded if units >= 0 else -rounded


def quantized(field: str, value: Decimal, scale: int) -> Decimal:
    """`value` with exactly `scale` decimals. Raises Unreportable if it is no finite number or too long."""
    try:
        rounded = value.quantize(_QUANTA[scale], ROUND_HALF_UP)
    except ArithmeticError:
        rounded = None
    if rounded is None or not rounded.is_finite():
        raise Unreportable(field, "is no number of the standard's size")
    # Never -0.00.
    return rounded if rounded else rounded.copy_abs()


def measured(value: float, scale: int) -> Decimal:
    """A sensor's reading. One that is no number is 0, since a platform would refuse the whole push for it."""
    units = value * _TENS[scale]
    if not math.isfinite(units):
        return fixed(0, scale)
    return fixed(math.floor(units + 0.5) if units >= 0 else -math.floor(0.5 - units), scale)
