"""ChargeDetails and SumPeriod: one entry per tariff period, in every interface that reports a charge's money.

Each entry is rounded as the difference of two rounded running sums, so that entries add up to the rounded
sum of all. Periods that do not add up to the totals are reported as they are.
"""

from collections.abc import Sequence
from decimal import Decimal

from connectors.interfaces import figures
from connectors.interfaces.dialect import Dialect
from connectors.protocol.beijing_time import wire_time
from schemas.records.derived import OrderPeriod, ProgressPeriod

FIELDS = (
    "DetailStartTime",
    "DetailEndTime",
    "ElecPrice",
    "SevicePrice",
    "DetailPower",
    "DetailElecMoney",
    "DetailSeviceMoney",
)

_ZERO = Decimal(0)


def of_progress(periods: Sequence[ProgressPeriod], dialect: Dialect) -> list[dict[str, object]]:
    """Details from integers: 1/10000 CNY/kWh, Wh, CNY 0.01."""
    if len(periods) > dialect.limits["SumPeriod"]:
        return []
    power = _Units(dialect.scales["DetailPower"], 3)
    elec = _Units(dialect.scales["DetailElecMoney"], 2)
    service = _Units(dialect.scales["DetailSeviceMoney"], 2)
    return [
        {
            "DetailStartTime": wire_time(period.started_at),
            "DetailEndTime": wire_time(period.ended_at),
            "ElecPrice": dialect.scaled("ElecPrice", period.elec_price_e4, 4),
            "SevicePrice": dialect.scaled("SevicePrice", period.service_price_e4, 4),
            "DetailPower": power.share(period.energy_wh),
            "DetailElecMoney": elec.share(period.elec_money_fen),
            "DetailSeviceMoney": service.share(period.service_money_fen),
        }
        for period in periods
    ]


def of_order(periods: Sequence[OrderPeriod], dialect: Dialect) -> list[dict[str, object]]:
    """Details from decimals: CNY/kWh, kWh, CNY. More periods than SumPeriod can say (32) go unsaid.

    ChargeDetails are optional in the standard, and an order must not fail for them.
    """
    if len(periods) > dialect.limits["SumPeriod"]:
        return []
    power = _Amounts("DetailPower", dialect)
    elec = _Amounts("DetailElecMoney", dialect)
    service = _Amounts("DetailSeviceMoney", dialect)
    return [
        {
            "DetailStartTime": wire_time(period.started_at),
            "DetailEndTime": wire_time(period.ended_at),
            "ElecPrice": dialect.amount("ElecPrice", period.elec_price),
            "SevicePrice": dialect.amount("SevicePrice", period.service_price),
            "DetailPower": power.share(period.energy_kwh),
            "DetailElecMoney": elec.share(period.elec_money),
            "DetailSeviceMoney": service.share(period.service_money),
        }
        for period in periods
    ]


class _Units:
    """Shares of a running sum of integers."""

    __slots__ = ("_places", "_rounded", "_scale", "_total")

    def __init__(self, scale: int, places: int) -> None:
        self._scale = scale
        self._places = places
        self._total = 0
        self._rounded = 0

    def share(self, units: int) -> Decimal:
        self._total += units
        rounded = figures.rescaled(self._total, self._places, self._scale)
        share = rounded - self._rounded
        self._rounded = rounded
        return figures.fixed(share, self._scale)


class _Amounts:
    """Shares of a running sum of decimals."""

    __slots__ = ("_dialect", "_field", "_rounded", "_total")

    def __init__(self, field: str, dialect: Dialect) -> None:
        self._field = field
        self._dialect = dialect
        self._total = _ZERO
        self._rounded = dialect.amount(field, _ZERO)

    def share(self, value: Decimal) -> Decimal:
        self._total += value
        rounded = self._dialect.amount(self._field, self._total)
        share = rounded - self._rounded
        self._rounded = rounded
        return share
