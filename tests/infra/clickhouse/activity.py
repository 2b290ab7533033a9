"""A small operator's days, made up: samples, statuses and orders of a few connectors, and how they are put in: in
pieces, in any order, with much of it twice."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import HOUR_MS, Sample, midnight_ms
from tests.infra.clickhouse.statuses import DAY_MS, Observed

#: Some weeks ago, so that nothing is too old to be kept, nor cut at the present.
FIRST = datetime.now(UTC).date() - timedelta(days=24)
SINCE_MS = midnight_ms(FIRST)

_STATUSES = (0, 1, 2, 3, 4, 255)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as far as the views add it up; instants UTC ms."""

    seq: str
    connector: str
    station: str
    started_ms: int
    ended_ms: int
    energy_kwh: Decimal
    elec_money: Decimal
    service_money: Decimal
    billed: bool = True

    @property
    def total_money(self) -> Decimal:
        return self.elec_money + self.service_money


def make_observations(chance: random.Random, station: str, days: int) -> list[Observed]:
    """A connector's statuses from a day and a half before FIRST on: changes, heartbeats, both at one instant, and
    pauses of more than a day."""
    at_ms, status, found = SINCE_MS - chance.randrange(36) * HOUR_MS, 1, []
    while at_ms < SINCE_MS + (days + 1) * DAY_MS:
        changed = chance.random() < 0.5
        if changed:
            status = chance.choice(_STATUSES)
        found.append(Observed(at_ms, changed, status, station))
        if chance.random() < 0.3:
            found.append(Observed(at_ms, True, chance.choice(_STATUSES), station))
            status = max(found[-2:]).status
        at_ms += chance.choice((chance.randrange(1, 90_000), chance.randrange(1, 3 * HOUR_MS), 3 * HOUR_MS))
        at_ms += chance.random() < 0.03 and chance.randrange(2 * DAY_MS)
    return found


def make_samples(chance: random.Random, days: int) -> list[Sample]:
    """A connector's register, from half a day before FIRST on, with gaps, and once in a while another meter."""
    at_ms, wh, found = SINCE_MS - chance.randrange(12 * HOUR_MS), chance.randrange(10**8), []
    while at_ms < SINCE_MS + days * DAY_MS + 2 * HOUR_MS:
        found.append((at_ms, wh))
        wh = chance.randrange(wh + 1) if chance.random() < 0.02 else wh + chance.randrange(20_000)
        at_ms += chance.choice((10_000, chance.randrange(1, HOUR_MS), chance.randrange(1, 30 * HOUR_MS)))
    return found


def make_orders(chance: random.Random, connector: str, station: str, days: int) -> list[OrderRow]:
    """Charges that end from the day before FIRST to the one behind the last."""
    found = []
    for number in range(days * 4):
        ended_ms = SINCE_MS + chance.randrange(-DAY_MS, (days + 1) * DAY_MS)
        found.append(
            OrderRow(
                f"{connector}-{number:018}",
                connector,
                station,
                ended_ms - chance.randrange(1, 3 * HOUR_MS),
                ended_ms,
                Decimal(chance.randrange(9_000)) / 100,
                Decimal(chance.randrange(9_000)) / 100,
                Decimal(chance.randrange(9_000)) / 100,
            )
        )
    return found


def put_observations(database: Database, chance: random.Random, connector: str, rows: Sequence[Observed]) -> None:
    """Into status_changes."""
    put_rows(
        database,
        chance,
        "status_changes (connector_id, station_id, kind, status, observed_at)",
        [
            f"('{connector}', '{row.station}', '{'CHANGED' if row.changed else 'HEARTBEAT'}', {row.status}, "
            f"{instant(row.at_ms)})"
            for row in rows
        ],
    )


def put_samples(
    database: Database, chance: random.Random, connector: str, station: str, samples: Sequence[Sample]
) -> None:
    """Into telemetry."""
    put_rows(
        database,
        chance,
        "telemetry (sampled_at, meter_wh, connector_id, station_id)",
        [f"({instant(at)}, {wh}, '{connector}', '{station}')" for at, wh in samples],
    )


def put_orders(database: Database, chance: random.Random, orders: Sequence[OrderRow]) -> None:
    """Into orders. Those that come again may come without their bill, with other amounts, which must not count."""
    put_rows(
        database,
        chance,
        "orders (start_charge_seq, connector_id, station_id, started_at, ended_at, energy_kwh, elec_money, "
        "service_money, total_money, billed)",
        [
            f"('{one.seq}', '{one.connector}', '{one.station}', {instant(one.started_ms)}, {instant(one.ended_ms)}, "
            f"{one.energy_kwh}, {money}, {one.service_money}, {one.service_money + money}, {billed})"
            for one in orders
            for money, billed in ((one.elec_money, "true"), (one.elec_money + 1, "false"))[: chance.choice((1, 2))]
        ],
    )


def instant(at_ms: int) -> str:
    """An instant in SQL."""
    return f"fromUnixTimestamp64Milli({at_ms}, 'UTC')"


def day_at(number: int) -> date:
    """The so-manyth day from FIRST on."""
    return FIRST + timedelta(days=number)


def put_rows(database: Database, chance: random.Random, into: str, rows: Sequence[str]) -> None:
    """In blocks of any size and order; a third of the rows come in two blocks."""
    deck = [*rows, *chance.sample(list(rows), len(rows) // 3)]
    chance.shuffle(deck)
    while deck:
        size = chance.randrange(1, 200)
        block, deck = deck[:size], deck[size:]
        database.client.run(f"INSERT INTO {into} VALUES {', '.join(block)}")
