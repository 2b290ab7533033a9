"""What happened at connectors and stations, by interval, hour and day, against second computations over made-up rows
that come repeated, late, and in any order and cut."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.infra.clickhouse.activity import (
    SINCE_MS,
    OrderRow,
    day_at,
    make_observations,
    make_orders,
    make_samples,
    put_observations,
    put_orders,
    put_samples,
)
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import BEIJING, HOUR_MS, Sample, day_of, midnight_ms, wh_by_hour
from tests.infra.clickhouse.statuses import DAY_MS, Held, Observed, held, ms_by_hour

pytestmark = pytest.mark.clickhouse

DAYS = 4
STATIONS = {"C1": "S1", "C2": "S1", "C3": "S2"}
COLUMNS = {3: "charging_s", 2: "plugged_s", 4: "reserved_s", 1: "idle_s", 255: "fault_s", 0: "offline_s"}


@dataclass
class Fleet:
    """What was put in, by connector."""

    observations: dict[str, list[Observed]] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    orders: list[OrderRow] = field(default_factory=list)


@pytest.fixture(scope="module")
def fleet(database: Database) -> Fleet:
    """Three connectors at two stations for some days; C3 moved from S1 to S2 on the second day."""
    chance, made = random.Random(7), Fleet()
    for connector, station in STATIONS.items():
        made.observations[connector] = [
            row._replace(station="S1") if connector == "C3" and row.at_ms < SINCE_MS + DAY_MS else row
            for row in make_observations(chance, station, DAYS)
        ]
        made.samples[connector] = make_samples(chance, DAYS)
        made.orders += make_orders(chance, connector, station, DAYS)
        put_observations(database, chance, connector, made.observations[connector])
        put_samples(database, chance, connector, station, made.samples[connector])
    put_samples(database, chance, "C3", "S1", made.samples["C3"][:1])
    put_orders(database, chance, made.orders)
    return made


def span(view: str, station: str, first: date, last: date) -> str:
    return f"{view}(station_id = '{station}', first_day = '{first}', last_day = '{last}')"


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 1), (0, DAYS - 1), (2, 3)])
@pytest.mark.parametrize("station", ["", "S1", "S2"])
def test_intervals_are_those_of_a_second_computation(
    station: str, first: int, last: int, fleet: Fleet, database: Database
) -> None:
    rows = database.rows(
        "SELECT connector_id, station_id, status, toUnixTimestamp64Milli(started_at), "
        "toUnixTimestamp64Milli(ended_at), duration_s "
        f"FROM {span('status_intervals', station, day_at(first), day_at(last))} ORDER BY 1, 4"
    )
    expected = [
        (connector, *one, Decimal(one.to_ms - one.from_ms) / 1000)
        for connector, intervals in intervals_of(fleet, first, last).items()
        for one in intervals
        if station in ("", one.station)
    ]
    assert expected or (station, last) == ("S2", 0)
    assert rows == expected


def intervals_of(fleet: Fleet, first: int, last: int) -> Mapping[str, list[Held]]:
    since_ms, until_ms = midnight_ms(day_at(first)), midnight_ms(day_at(last + 1))
    return {connector: held(rows, since_ms, until_ms) for connector, rows in sorted(fleet.observations.items())}


@pytest.mark.parametrize(("first", "last"), [(1, 1), (0, DAYS - 1)])
@pytest.mark.parametrize("station", ["", "S2"])
def test_hours_and_days_are_those_of_a_second_computation(
    station: str, first: int, last: int, fleet: Fleet, database: Database
) -> None:
    by_hour = {key: row for key, row in expected_hours(fleet, first, last).items() if station in ("", key[0])}
    days = (day_at(first), day_at(last))
    assert read(database, "connector_by_hour", ("station_id", "connector_id", "hour"), station, days) == by_hour

    def day_of_hour(key: tuple[str, str, int]) -> tuple[Any, ...]:
        return key[0], key[1], day_of(key[2] * HOUR_MS)

    def hour_only(key: tuple[str, str, int]) -> tuple[Any, ...]:
        return key[0], key[2]

    def station_and_day(key: tuple[str, str, int]) -> tuple[Any, ...]:
        return key[0], day_of(key[2] * HOUR_MS)

    coarser = {
        ("connector_by_day", ("station_id", "connector_id", "day")): day_of_hour,
        ("station_by_hour", ("station_id", "hour")): hour_only,
        ("station_by_day", ("station_id", "day")): station_and_day,
    }
    for (view, keys), coarse in coarser.items():
        expected: dict[tuple[Any, ...], dict[str, Decimal]] = {}
        of: dict[tuple[Any, ...], set[str]] = {}
        for key, row in by_hour.items():
            total = expected.setdefault(coarse(key), dict.fromkeys(row, Decimal(0)))
            of.setdefault(coarse(key), set()).add(key[1])
            for name, value in row.items():
                total[name] += value
        for key, total in expected.items():
            lasts = 3_600 if keys[-1] == "hour" else 86_400
            connectors = len(of[key]) if view.startswith("station") else 1
            total["unknown_s"] = lasts * connectors - sum((total[name] for name in COLUMNS.values()), Decimal(0))
        assert read(database, view, keys, station, days) == expected
        if view.startswith("station"):
            counted = database.rows(f"SELECT {', '.join(keys)}, connectors FROM {span(view, station, *days)}")
            assert sorted(row[-1] for row in counted) == sorted(len(connectors) for connectors in of.values())


def expected_hours(fleet: Fleet, first: int, last: int) -> dict[tuple[str, str, int], dict[str, Decimal]]:
    """By station, connector and hour, what connector_by_hour must say."""
    since, until = midnight_ms(day_at(first)) // HOUR_MS, midnight_ms(day_at(last + 1)) // HOUR_MS
    found: dict[tuple[str, str, int], dict[str, Decimal]] = {}

    def add(station: str, connector: str, hour: int, name: str, value: Decimal | int) -> None:
        if since <= hour < until:
            row = found.setdefault((station, connector, hour), dict.fromkeys(SUMMED, Decimal(0)))
            row[name] += value

    for connector, samples in fleet.samples.items():
        for hour, wh in wh_by_hour(samples).items():
            add(STATIONS[connector], connector, hour, "energy_kwh", Decimal(wh) / 1000)
    for order in fleet.orders:
        for name, value in (
            ("charges", 1),
            ("order_energy_kwh", order.energy_kwh),
            ("elec_money", order.elec_money),
            ("service_money", order.service_money),
            ("total_money", order.total_money),
        ):
            add(order.station, order.connector, order.ended_ms // HOUR_MS, name, value)
    for connector, intervals in intervals_of(fleet, first, last).items():
        for (station, hour, status), ms in ms_by_hour(intervals).items():
            add(station, connector, hour, COLUMNS[status], Decimal(ms) / 1000)
    for row in found.values():
        row["unknown_s"] = 3_600 - sum((row[name] for name in COLUMNS.values()), Decimal(0))
    return found


SUMMED = (
    "energy_kwh",
    "charges",
    "order_energy_kwh",
    "elec_money",
    "service_money",
    "total_money",
    *COLUMNS.values(),
    "unknown_s",
)


def read(
    database: Database, view: str, keys: tuple[str, ...], station: str, days: tuple[date, date]
) -> dict[tuple[Any, ...], dict[str, Decimal]]:
    """A view's rows by their keys; hours as hours since 1970, and shares looked at on the way."""
    shares = ("charging_share", "occupied_share", "available_share")
    rows = database.rows(f"SELECT {', '.join((*keys, *SUMMED, *shares))} FROM {span(view, station, *days)}")
    found = {}
    for row in rows:
        key = tuple(int(part.timestamp()) // 3_600 if isinstance(part, datetime) else part for part in row[: len(keys)])
        values = dict(zip(SUMMED, map(Decimal, row[len(keys) : len(keys) + len(SUMMED)]), strict=True))
        assert key not in found
        found[key] = values
        charging = values["charging_s"]
        occupied = charging + values["plugged_s"] + values["reserved_s"]
        known = sum((values[name] for name in COLUMNS.values()), Decimal(0))
        for told, share in zip(row[-3:], (charging, occupied, occupied + values["idle_s"]), strict=True):
            assert told == (pytest.approx(float(share / known)) if known else None)
    return found


def test_the_hours_of_a_day_add_up_to_its_electricity(fleet: Fleet, database: Database) -> None:
    days = (day_at(0), day_at(DAYS - 1))
    of_hours = database.rows(
        f"SELECT connector_id, toDate(hour), sum(energy_kwh) FROM {span('electricity_hours', '', *days)} GROUP BY 1, 2"
    )
    of_days = database.rows(f"SELECT connector_id, day, energy_kwh FROM {span('electricity', '', *days)}")
    assert len(of_days) == 3 * DAYS
    assert sorted(of_hours) == sorted(of_days)


def test_what_is_not_over_is_counted_up_to_now(database: Database) -> None:
    """A connector that has been charging since the day before, and has said so an hour ago."""
    now_ms = int(database.rows("SELECT toUnixTimestamp64Milli(now64(3))")[0][0])
    rows = [Observed(now_ms - DAY_MS, True, 3, "S9"), Observed(now_ms - HOUR_MS, False, 3, "S9")]
    put_observations(database, random.Random(1), "C9", rows)
    today, chance = datetime.now(BEIJING).date(), random.Random(1)
    put_samples(database, chance, "C9", "S9", [(now_ms - HOUR_MS, 1)])
    ((charging_s, unknown_s),) = database.rows(
        f"SELECT charging_s, unknown_s FROM {span('connector_by_day', 'S9', today, today)}"
    )
    since_midnight_s = (now_ms - midnight_ms(today)) / 1000
    assert since_midnight_s <= charging_s <= since_midnight_s + 60
    assert abs(unknown_s) < 1
    tomorrow = today + timedelta(days=1)
    assert database.rows(f"SELECT * FROM {span('status_intervals', 'S9', tomorrow, tomorrow)}") == []
