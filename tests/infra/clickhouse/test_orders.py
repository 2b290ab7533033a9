"""Orders as people read them: each once, with its bill, by its day, without the customer's name; and their periods."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.infra.clickhouse.activity import FIRST, SINCE_MS, instant
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import BEIJING, HOUR_MS

pytestmark = pytest.mark.clickhouse


def put(database: Database, seq: str, ended_ms: int, *, billed: bool, money: int) -> None:
    """An order of an hour and a half over two tariff periods, which are parted half an hour before its end."""
    started, parted, ended = (instant(ended_ms - ms) for ms in (5_400_000, 1_800_000, 0))
    database.client.run(
        "INSERT INTO orders (start_charge_seq, connector_id, started_at, ended_at, energy_kwh, total_money, billed, "
        "user_name, `periods.started_at`, `periods.ended_at`, `periods.elec_price`, `periods.service_price`, "
        "`periods.energy_kwh`, `periods.elec_money`, `periods.service_money`) VALUES "
        f"('{seq}', 'C1', {started}, {ended}, 30, {money}, {billed}, 'somebody', [{started}, {parted}], "
        f"[{parted}, {ended}], [0.5, 1.25], [0.3, 0.4], [20, 10], [10, 12.5], [6, 4])"
    )


def test_an_order_is_there_once_with_its_bill_on_the_day_of_its_end(database: Database) -> None:
    midnight = SINCE_MS + 24 * HOUR_MS
    put(database, "A", midnight - 1, billed=True, money=33)
    put(database, "A", midnight - 1, billed=False, money=32)
    put(database, "B", midnight, billed=False, money=34)
    columns = "start_charge_seq, day, duration_s, average_power_kw, total_money, tariff_periods, billed"
    assert database.rows(f"SELECT {columns} FROM charge_orders ORDER BY start_charge_seq") == [
        ("A", FIRST, Decimal(5_400), 20.0, Decimal(33), 2, True),
        ("B", FIRST + timedelta(days=1), Decimal(5_400), 20.0, Decimal(34), 2, False),
    ]
    ((ended_at,),) = database.rows("SELECT toString(ended_at) FROM charge_orders WHERE start_charge_seq = 'B'")
    assert ended_at == datetime.fromtimestamp(midnight / 1000, BEIJING).strftime("%Y-%m-%d 00:00:00.000")
    assert database.rows(f"SELECT start_charge_seq FROM charge_orders WHERE day = '{FIRST}'") == [("A",)]
    named = f"SELECT name FROM system.columns WHERE database = '{database.name}' AND table = 'charge_orders'"
    assert ("user_name",) not in database.rows(named)

    periods = (
        "start_charge_seq, day, period, dateDiff('second', started_at, ended_at), elec_price, service_price, "
        "energy_kwh, elec_money, service_money"
    )
    first = (1, 3_600, Decimal("0.5"), Decimal("0.3"), Decimal(20), Decimal(10), Decimal(6))
    second = (2, 1_800, Decimal("1.25"), Decimal("0.4"), Decimal(10), Decimal("12.5"), Decimal(4))
    assert database.rows(f"SELECT {periods} FROM order_periods ORDER BY start_charge_seq, period") == [
        ("A", FIRST, *first),
        ("A", FIRST, *second),
        ("B", FIRST + timedelta(days=1), *first),
        ("B", FIRST + timedelta(days=1), *second),
    ]
