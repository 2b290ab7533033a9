"""What the views read: of much that is there, what is asked for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.infra.clickhouse.database import Database

pytestmark = pytest.mark.clickhouse

#: Days that are filled, the last of them yesterday, and connectors on each.
DAYS, CONNECTORS = 80, 1_000
ROWS = DAYS * CONNECTORS
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
ASKED = YESTERDAY - timedelta(days=40)

AT = f"toDateTime64('{YESTERDAY}', 3, 'Asia/Shanghai') - toIntervalDay(number % {DAYS}) + toIntervalHour(7)"
CONNECTOR = f"concat('P', leftPad(toString(intDiv(number, {DAYS})), 5, '0'))"
STATION = f"concat('S', toString(intDiv(number, 3 * {DAYS})))"


@pytest.fixture(scope="module")
def filled(database: Database) -> Iterator[Database]:
    """A row a connector and day in every table that is divided by time."""
    for into, values in {
        "telemetry (connector_id, station_id, sampled_at, meter_wh)": f"{CONNECTOR}, {STATION}, {AT}, number",
        "status_changes (connector_id, station_id, observed_at, kind)": f"{CONNECTOR}, {STATION}, {AT}, 'CHANGED'",
        "charge_progress (start_charge_seq, connector_id, station_id, started_at, due_at, observed_at)": (
            f"toString(number), {CONNECTOR}, {STATION}, {AT}, {AT}, {AT}"
        ),
        "orders (start_charge_seq, connector_id, station_id, started_at, ended_at)": (
            f"toString(number), {CONNECTOR}, {STATION}, {AT}, {AT}"
        ),
        "attempts (key, connector_id, platform, due_at, started_at)": f"toString(number), {CONNECTOR}, 'p', {AT}, {AT}",
    }.items():
        database.client.run(f"INSERT INTO {into} SELECT {values} FROM numbers({ROWS})")
    for table in ("telemetry", "status_changes", "charge_progress", "orders", "attempts", "connector_hours"):
        database.client.run(f"OPTIMIZE TABLE {table} FINAL")
    yield database


def read(database: Database, query: str) -> int:
    """So many rows of the tables that are divided by time."""
    return sum(row[3] for row in database.rows(f"EXPLAIN ESTIMATE {query}") if row[1] != "station_connectors")


def of_day(view: str, day: date = ASKED, *, scope: str = "station_id = ''") -> str:
    return f"SELECT * FROM {view}({scope}, first_day = '{day}', last_day = '{day}')"


#: By query, the share of a table's rows that may be read: a month of three where a table is divided by months, a day
#: where it is by days. Of status_changes two conditions read, so it is two months.
@pytest.mark.parametrize(
    ("query", "share"),
    [
        (f"SELECT * FROM charge_orders WHERE day = '{ASKED}'", 0.5),
        (f"SELECT * FROM charge_orders WHERE ended_at BETWEEN '{ASKED} 00:00:00' AND '{ASKED} 12:00:00'", 0.5),
        (f"SELECT * FROM order_periods WHERE day = '{ASKED}'", 0.5),
        (f"SELECT * FROM samples WHERE day = '{ASKED}'", 0.02),
        (f"SELECT * FROM statuses WHERE day = '{ASKED}'", 0.5),
        (f"SELECT * FROM push_attempts WHERE day = '{ASKED}'", 0.5),
        (of_day("pushes", YESTERDAY, scope="platform = ''"), 0.5),
        (of_day("delivery_by_day", YESTERDAY, scope="platform = 'p'"), 0.5),
    ],
)
def test_days_are_looked_up(query: str, share: float, filled: Database) -> None:
    assert 0 < read(filled, query) <= share * ROWS


#: A month of the tables is four granules of 8192 rows; a key is in one of them.
@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * FROM samples WHERE connector_id = 'P00007' AND day = '{ASKED}'",
        f"SELECT * FROM statuses WHERE connector_id = 'P00007' AND day > '{ASKED}'",
        "SELECT * FROM charge_orders WHERE start_charge_seq = '17'",
        "SELECT * FROM push_attempts WHERE key = '17'",
    ],
)
def test_keys_are_looked_up(query: str, filled: Database) -> None:
    assert 0 < read(filled, query) < 0.6 * ROWS


@pytest.mark.parametrize(
    "view", ["status_intervals", "electricity_hours", "connector_by_hour", "station_by_day", "sessions"]
)
def test_a_station_reads_less_than_all(view: str, filled: Database) -> None:
    one, everything = (read(filled, of_day(view, scope=f"station_id = '{station}'")) for station in ("S5", ""))
    assert 0 < one <= everything


@pytest.mark.parametrize("view", ["status_intervals", "connector_by_hour", "sessions"])
def test_a_day_reads_less_than_all_days(view: str, filled: Database) -> None:
    everything = f"first_day = '{YESTERDAY - timedelta(days=DAYS)}', last_day = '{YESTERDAY}'"
    of_all = read(filled, f"SELECT * FROM {view}(station_id = '', {everything})")
    assert 0 < read(filled, of_day(view)) < of_all
