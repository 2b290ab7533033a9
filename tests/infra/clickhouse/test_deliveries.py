"""Pushes and how platforms were told by day, against a second computation over a made-up ledger whose lines come
repeated, late, and in any order and cut."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from connectors.platform import load_platforms
from infra.warehouse.deadlines import note_deadlines
from tests.infra.clickhouse.activity import FIRST, SINCE_MS, day_at, instant, put_rows
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import day_of, midnight_ms
from tests.infra.clickhouse.statuses import DAY_MS

pytestmark = pytest.mark.clickhouse

DAYS = 3
STATUS, ORDER = "notification_stationStatus", "notification_charge_order_info_for_bonus"
DEADLINES = {("beijing", STATUS): 10.0, ("beijing", ORDER): 150.0, ("chengdu", STATUS): 10.0, ("chengdu", ORDER): 30.0}
TAKEN = {"DONE": "confirmed", "IGNORED": "ignored", "CONTESTED": "contested"}


class Line(NamedTuple):
    """A line of the ledger; instants UTC ms."""

    platform: str
    interface: str
    key: str
    attempt: int
    due_ms: int
    started_ms: int
    latency_ms: int
    outcome: str
    error: str


@dataclass(frozen=True, slots=True)
class Push:
    """All lines of a push, in order."""

    lines: tuple[Line, ...]

    @property
    def taken(self) -> Line | None:
        return min(
            (line for line in self.lines if line.outcome in TAKEN), key=lambda line: line.started_ms, default=None
        )

    @property
    def after_ms(self) -> int | None:
        return self.taken.started_ms + self.taken.latency_ms - self.lines[0].due_ms if self.taken else None

    @property
    def state(self) -> str:
        if self.taken:
            return TAKEN[self.taken.outcome]
        return "given_up" if any(line.outcome == "DEAD_LETTER" for line in self.lines) else "open"

    @property
    def in_time(self) -> bool | None:
        deadline_s = DEADLINES.get((self.lines[0].platform, self.lines[0].interface))
        if deadline_s is None:
            return None
        return self.after_ms is not None and self.after_ms <= deadline_s * 1000

    def count(self, outcome: str) -> int:
        return sum(line.outcome == outcome for line in self.lines)


@pytest.fixture(scope="module")
def pushes(database: Database) -> list[Push]:
    """A ledger of two platforms with deadlines, and of one of which no profile was read."""
    chance = random.Random(5)
    made = [
        make_push(chance, platform, interface, number)
        for platform in ("beijing", "chengdu", "nowhere")
        for interface in (STATUS, ORDER)
        for number in range(120)
    ]
    put_rows(
        database,
        chance,
        "attempts (platform, interface, key, connector_id, attempt, due_at, started_at, latency_ms, outcome, error)",
        [
            f"('{line.platform}', '{line.interface}', '{line.key}', 'C1', {line.attempt}, {instant(line.due_ms)}, "
            f"{instant(line.started_ms)}, {line.latency_ms}, '{line.outcome}', '{line.error}')"
            for push in made
            for line in push.lines
        ],
    )
    note_deadlines(database.client, load_platforms(environ={}).platforms.values())
    return made


def make_push(chance: random.Random, platform: str, interface: str, number: int) -> Push:
    due_ms = SINCE_MS + chance.randrange(-DAY_MS, (DAYS + 1) * DAY_MS)
    at_ms, lines = due_ms + chance.randrange(2_000), []
    again = "LADDER" if interface == ORDER else "AGAIN"
    last = chance.choices(("DONE", "IGNORED", "CONTESTED", "DEAD_LETTER", again), (20, 2, 2, 1, 1))[0]
    failures = chance.choice((0, 0, 0, 1, 2, 5))
    outcomes = [chance.choice((again, "PAUSED", "RENEWED")) for _ in range(failures)] + [last]
    if last in TAKEN and chance.random() < 0.3:  # sent once more although the platform has it, as after a restart
        outcomes.append(chance.choice(("DONE", "CONTESTED", again)))
    for attempt, outcome in enumerate(outcomes, start=1):
        error = "" if outcome in TAKEN else f"no {attempt}"
        latency_ms = chance.randrange(1, 16_000)
        lines.append(Line(platform, interface, f"K{number}", attempt, due_ms, at_ms, latency_ms, outcome, error))
        at_ms += latency_ms + chance.randrange(1, 200_000)
    return Push(tuple(lines))


def of_days(pushes: Sequence[Push], platform: str, first: int, last: int) -> list[Push]:
    since_ms, until_ms = midnight_ms(day_at(first)), midnight_ms(day_at(last + 1))
    return [
        push
        for push in pushes
        if since_ms <= push.lines[0].due_ms < until_ms and platform in ("", push.lines[0].platform)
    ]


SPANS = pytest.mark.parametrize(
    ("platform", "first", "last"), [("", 0, DAYS - 1), ("", 1, 1), ("beijing", 0, 2), ("nowhere", 0, 0)]
)


@SPANS
def test_pushes_are_those_of_a_second_computation(
    platform: str, first: int, last: int, pushes: list[Push], database: Database
) -> None:
    rows = database.rows(
        "SELECT platform, interface, key, day, toUnixTimestamp64Milli(due_at), state, "
        "toUnixTimestamp64Milli(confirmed_at), confirmed_after_s, deadline_s, in_time, attempts, again, ladder, "
        "paused, renewed, last_error FROM "
        f"pushes(platform = '{platform}', first_day = '{day_at(first)}', last_day = '{day_at(last)}')"
    )
    wanted = []
    for push in of_days(pushes, platform, first, last):
        line = push.lines[0]
        after_ms, failed = push.after_ms, [line for line in push.lines if line.outcome not in TAKEN]
        wanted.append(
            (
                line.platform,
                line.interface,
                line.key,
                day_of(line.due_ms),
                line.due_ms,
                push.state,
                None if after_ms is None else line.due_ms + after_ms,
                None if after_ms is None else Decimal(after_ms) / 1000,
                DEADLINES.get((line.platform, line.interface)),
                push.in_time,
                len(push.lines),
                *(push.count(outcome) for outcome in ("AGAIN", "LADDER", "PAUSED", "RENEWED")),
                failed[-1].error if failed else "",
            )
        )
    assert len(wanted) > 20
    assert sorted(rows) == sorted(wanted)


@SPANS
def test_days_are_those_of_a_second_computation(
    platform: str, first: int, last: int, pushes: list[Push], database: Database
) -> None:
    columns = (
        "platform, interface, day, due, confirmed, ignored, contested, given_up, open, in_time, late, attempts, again, "
        "ladder, paused, renewed, slowest_s, deadline_s, in_time_share, attempts_per_push, p50_s, p95_s, p99_s"
    )
    rows = database.rows(
        f"SELECT {columns} FROM delivery_by_day("
        f"platform = '{platform}', first_day = '{day_at(first)}', last_day = '{day_at(last)}') ORDER BY 1, 2, 3"
    )
    groups: dict[tuple[str, str, date], list[Push]] = {}
    for push in of_days(pushes, platform, first, last):
        line = push.lines[0]
        groups.setdefault((line.platform, line.interface, day_of(line.due_ms)), []).append(push)
    assert [row[:3] for row in rows] == sorted(groups)
    for row in rows:
        assert row[3:] == figures(groups[row[0], row[1], row[2]], row[:2])


def figures(group: Sequence[Push], of: tuple[Any, ...]) -> tuple[Any, ...]:
    """A day's columns, from `due` on."""
    times = sorted(push.after_ms / 1000 for push in group if push.after_ms is not None)
    states = [push.state for push in group]
    in_time, late = (sum(push.in_time is value for push in group) for value in (True, False))
    attempts = sum(len(push.lines) for push in group)
    return (
        len(group),
        len(times),
        *(states.count(state) for state in ("ignored", "contested", "given_up", "open")),
        in_time,
        late,
        attempts,
        *(sum(push.count(outcome) for push in group) for outcome in ("AGAIN", "LADDER", "PAUSED", "RENEWED")),
        pytest.approx(Decimal(str(times[-1]))),
        DEADLINES.get((of[0], of[1])),
        pytest.approx(in_time / (in_time + late)) if in_time + late else None,
        pytest.approx(attempts / len(group)),
        *(pytest.approx(times[int(share * (len(times) - 1))], rel=0.011) for share in (0.5, 0.95, 0.99)),
    )


def test_what_is_open_is_late_once_its_time_is_over(database: Database) -> None:
    now_ms = int(database.rows("SELECT toUnixTimestamp64Milli(now64(3))")[0][0])
    lines = ", ".join(
        f"('beijing', '{ORDER}', '{key}', {instant(now_ms - age_ms)}, {instant(now_ms)}, 'LADDER')"
        for key, age_ms in (("young", 100_000), ("old", 200_000))
    )
    database.client.run(f"INSERT INTO attempts (platform, interface, key, due_at, started_at, outcome) VALUES {lines}")
    note_deadlines(database.client, load_platforms(environ={}).platforms.values())
    first, last = day_of(now_ms - 200_000), day_of(now_ms)
    rows = database.rows(
        "SELECT key, in_time FROM "
        f"pushes(platform = 'beijing', first_day = '{first}', last_day = '{last}') WHERE key IN ('young', 'old')"
    )
    assert sorted(rows) == [("old", False), ("young", None)]


def test_deadlines_follow_the_profiles(database: Database) -> None:
    platforms = load_platforms(environ={}).platforms
    note_deadlines(database.client, platforms.values())
    assert note_deadlines(database.client, platforms.values()) == []
    database.client.run(f"INSERT INTO deadlines SELECT 'beijing', '{ORDER}', 99, now64(3)")
    assert note_deadlines(database.client, platforms.values()) == [f"beijing {ORDER}: 150 s"]
    known = {
        (platform, interface): deadline_s
        for platform, interface, deadline_s in database.rows(
            "SELECT platform, interface, deadline_s FROM deadlines FINAL"
        )
    }
    assert DEADLINES.items() <= known.items()
    assert ("chengdu", "notification_charge_order_info") not in known  # it is off
    assert not [interface for _, interface in known if interface.startswith("query_")]


def test_disputes_name_their_order_and_reason(database: Database) -> None:
    at = instant(SINCE_MS)
    database.client.run(
        "INSERT INTO orders (start_charge_seq, station_id, started_at, ended_at, energy_kwh, total_money, billed) "
        f"VALUES ('D1', 'S1', {at}, {at}, 5, 7.5, false), ('D1', 'S1', {at}, {at}, 6, 9, true)"
    )
    lines = ", ".join(
        f"('{seq}', 'C1', 'beijing', '{interface}', {code}, 5, 7.5, {at})"
        for seq, interface, code in (
            ("D1", "check_charge_orders", 2),
            ("D1", "check_charge_orders", 9),
            ("D1", ORDER, 1),
            ("D2", ORDER, 7),
        )
    )
    for _ in range(2):
        database.client.run(
            "INSERT INTO disputes (start_charge_seq, connector_id, platform, interface, code, energy_kwh, total_money, "
            f"disputed_at) VALUES {lines}"
        )
    rows = database.rows(
        "SELECT start_charge_seq, station_id, code, reason, day, reported_money, energy_kwh, total_money, "
        "toUnixTimestamp64Milli(ended_at) FROM contested_orders ORDER BY 1, 3"
    )
    known = (FIRST, Decimal("7.5"), Decimal(6), Decimal(9), SINCE_MS)
    assert rows == [
        ("D1", "S1", 1, "contested", *known),
        ("D1", "S1", 2, "money is wrong", *known),
        ("D1", "S1", 9, "its own reason", *known),
        ("D2", "", 7, "its own reason", FIRST, Decimal("7.5"), None, None, None),
    ]
