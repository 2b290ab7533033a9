"""Charges as sessions: with an order or without, told of often or never, and how long a vehicle stayed behind its
end."""

import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from tests.infra.clickhouse.activity import (
    FIRST,
    SINCE_MS,
    OrderRow,
    day_at,
    instant,
    make_observations,
    make_orders,
    put_observations,
    put_orders,
    put_rows,
    put_samples,
)
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import day_of, midnight_ms
from tests.infra.clickhouse.statuses import Observed

pytestmark = pytest.mark.clickhouse

DAYS = 3


class Progress(NamedTuple):
    """A row of charge_progress; instants UTC ms."""

    seq: str
    connector: str
    station: str
    started_ms: int
    kind: str
    observed_ms: int
    energy_wh: int
    fen: int


def test_sessions_are_those_of_a_second_computation(database: Database) -> None:
    chance = random.Random(11)
    progress: list[Progress] = []
    orders: list[OrderRow] = []
    observations: dict[str, list[Observed]] = {}
    for connector, station in (("C1", "S1"), ("C2", "S2")):
        put_samples(database, chance, connector, station, [(SINCE_MS, 1)])
        observations[connector] = make_observations(chance, station, DAYS + 1)
        put_observations(database, chance, connector, observations[connector])
        for order in make_orders(chance, connector, station, DAYS):
            told = make_progress(chance, order)
            if not told or chance.random() < 0.5:
                orders.append(order)
            progress += told
    put_orders(database, chance, orders)
    put_progress(database, chance, progress)

    for station in ("", "S1"):
        for first, last in ((0, 0), (0, DAYS - 1), (1, 2)):
            rows = database.rows(
                "SELECT start_charge_seq, station_id, connector_id, state, day, toUnixTimestamp64Milli(started_at), "
                "toUnixTimestamp64Milli(ended_at), duration_s, energy_kwh, total_money, progress_records, "
                "toUnixTimestamp64Milli(left_at), left_as, plugged_s FROM "
                f"sessions(station_id = '{station}', first_day = '{day_at(first)}', last_day = '{day_at(last)}') "
                "ORDER BY 1"
            )
            since_ms, until_ms = midnight_ms(day_at(first)), midnight_ms(day_at(last + 1))
            everything = expected(orders, progress, observations)
            wanted = [row for row in everything if since_ms <= row[5] < until_ms and station in ("", row[1])]
            if station == "" and last - first == DAYS - 1:
                assert {row[3] for row in wanted} == {"ordered", "stopped", "running"}
            assert rows == wanted


def make_progress(chance: random.Random, order: OrderRow) -> list[Progress]:
    """None, or that of the charge's beginning, or all up to its stop."""
    found: list[Progress] = []
    until_ms = chance.choice((order.started_ms, order.ended_ms, (order.started_ms + order.ended_ms) // 2))
    at_ms, wh = order.started_ms, 0
    while at_ms < until_ms:
        kind = "PERIODIC" if found else "STARTED"
        found.append(Progress(order.seq, order.connector, order.station, order.started_ms, kind, at_ms, wh, wh // 9))
        at_ms, wh = at_ms + chance.randrange(1, 1_200_000), wh + chance.randrange(9_000)
    if until_ms == order.ended_ms:
        one = Progress(order.seq, order.connector, order.station, order.started_ms, "STOPPED", until_ms, wh, wh // 9)
        found.append(one)
    return found


def put_progress(database: Database, chance: random.Random, rows: Sequence[Progress]) -> None:
    put_rows(
        database,
        chance,
        "charge_progress (start_charge_seq, connector_id, station_id, started_at, kind, due_at, observed_at, "
        "energy_wh, elec_money_fen, service_money_fen)",
        [
            f"('{row.seq}', '{row.connector}', '{row.station}', {instant(row.started_ms)}, '{row.kind}', "
            f"{instant(row.observed_ms)}, {instant(row.observed_ms)}, {row.energy_wh}, {row.fen}, {2 * row.fen})"
            for row in rows
        ],
    )


def expected(
    orders: Sequence[OrderRow], progress: Sequence[Progress], observations: dict[str, list[Observed]]
) -> list[tuple[Any, ...]]:
    by_seq = {order.seq: order for order in orders}
    told: dict[str, list[Progress]] = {}
    for row in progress:
        told.setdefault(row.seq, []).append(row)
    found: list[tuple[Any, ...]] = []
    for seq in sorted(by_seq.keys() | told.keys()):
        order, rows = by_seq.get(seq), told.get(seq, [])
        if order is None:
            last = max(rows, key=lambda row: row.observed_ms)
            state = "stopped" if last.kind == "STOPPED" else "running"
            head: tuple[Any, ...] = (seq, last.station, last.connector, state, day_of(last.started_ms), last.started_ms)
            lasted = Decimal(last.observed_ms - last.started_ms) / 1000
            figures = (Decimal(last.energy_wh) / 1000, Decimal(3 * last.fen) / 100)
            found.append((*head, None, lasted, *figures, len(rows), None, None, None))
            continue
        head = (seq, order.station, order.connector, "ordered", day_of(order.started_ms), order.started_ms)
        lasted = Decimal(order.ended_ms - order.started_ms) / 1000
        at_instants = {row.at_ms: row for row in sorted(observations[order.connector])}  # of one instant the last
        left = min((o for o in at_instants.values() if o.at_ms >= order.ended_ms and o.status != 2), key=at)
        plugged = Decimal(left.at_ms - order.ended_ms) / 1000
        figures = (order.energy_kwh, order.total_money)
        found.append((*head, order.ended_ms, lasted, *figures, len(rows), left.at_ms, left.status, plugged))
    return found


def at(row: Observed) -> int:
    return row.at_ms


def test_a_vehicle_that_is_still_there_has_not_left(database: Database) -> None:
    first = FIRST - timedelta(days=5)
    ended_ms = midnight_ms(first) + 7_200_000
    order = OrderRow("still-there", "C7", "S7", ended_ms - 3_600_000, ended_ms, Decimal(9), Decimal(9), Decimal(1))
    chance = random.Random(3)
    put_samples(database, chance, "C7", "S7", [(ended_ms, 1)])
    put_orders(database, chance, [order])
    put_observations(database, chance, "C7", [Observed(ended_ms + 5_000, True, 2, "S7")])
    view = f"sessions(station_id = 'S7', first_day = '{first}', last_day = '{first}')"
    query = f"SELECT state, average_power_kw, left_at, left_as, plugged_s FROM {view}"
    assert database.rows(query) == [("ordered", 9.0, None, None, None)]
