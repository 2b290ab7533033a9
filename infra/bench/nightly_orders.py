"""What `evcs bench nightly` checks: orders of one day that the platform started, among others of a year. The same ones
in SQL, for the warehouse, and in Python, for the platform that knows them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from connectors.reconciliation.days import DAY_MS, midnight_ms
from infra.simulator.platform.settings import DEMO_OPERATOR_ID

_BEIJING = timezone(timedelta(hours=8))
_HOUR_MS = 3_600_000
_YEAR_MS = 365 * DAY_MS

#: Other orders of one insert.
AT_ONCE = 500_000

#: Amounts repeat after so many orders, in cents of a kWh; a kWh costs 2 CNY.
_AMOUNTS = 5_000

_INSERT = """
INSERT INTO orders (start_charge_seq, connector_id, equipment_id, station_id, charge_model, started_at, ended_at,
    energy_kwh, elec_money, service_money, total_money, stop_reason, billed)
WITH fromUnixTimestamp64Milli({ended}) AS ended
SELECT concat('{prefix}', leftPad(toString(number), 17, '0')), concat('C', toString(number % 10000)), 'E', 'S',
    {model}, subtractHours(ended, 1), ended, toDecimal64(number % {amounts} + 1, 2) / 100 AS energy, energy, energy,
    energy * 2, 0, true
FROM numbers({first}, {count})
"""


def insert_the_days(day: date, count: int) -> str:
    """The statement that puts the day's orders into the warehouse."""
    ended = f"{midnight_ms(day)} + toInt64(intDiv(number * {DAY_MS}, {count}))"
    return _INSERT.format(ended=ended, prefix=f"{DEMO_OPERATOR_ID}0", model=1, amounts=_AMOUNTS, first=0, count=count)


def insert_others(day: date, first: int, count: int) -> str:
    """The same for so many orders from a number on, of card holders, that ended in the year before the day."""
    ended = f"{midnight_ms(day)} - toInt64(cityHash64(number) % {_YEAR_MS}) - 1"
    return _INSERT.format(
        ended=ended, prefix=f"{DEMO_OPERATOR_ID}9", model=2, amounts=_AMOUNTS, first=first, count=count
    )


def energy_kwh(count: int) -> Decimal:
    """Of so many of the day's orders together."""
    return sum((_energy(number) for number in range(count)), Decimal(0))


def known(day: date, count: int) -> Iterator[dict[str, object]]:
    """The day's orders as the platform knows them."""
    for number in range(count):
        ended_at = midnight_ms(day) + number * DAY_MS // count
        energy = _energy(number)
        yield {
            "StartChargeSeq": f"{DEMO_OPERATOR_ID}0{number:017d}",
            "TotalPower": energy,
            "TotalMoney": energy * 2,
            "StartTime": _wire(ended_at - _HOUR_MS),
            "EndTime": _wire(ended_at),
            "ChargeModel": 1,
        }


def _energy(number: int) -> Decimal:
    return Decimal(number % _AMOUNTS + 1).scaleb(-2)


def _wire(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, _BEIJING):%Y-%m-%d %H:%M:%S}"
