"""The page of questions: every query on it runs, as an analyst runs it, and finds something in a made-up day."""

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

import pytest
from click.testing import CliRunner

from connectors.platform import load_platforms
from infra.commands.sql import command
from infra.warehouse.deadlines import note_deadlines
from tests.infra.clickhouse.activity import FIRST, SINCE_MS, instant
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import HOUR_MS

PAGE = (files("infra") / "clickhouse" / "QUERIES.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
NOON_MS = SINCE_MS + 12 * HOUR_MS
ORDER = "notification_charge_order_info_for_bonus"
PARAMETERS = {
    "day": str(FIRST),
    "first": str(FIRST),
    "last": str(FIRST + timedelta(days=1)),
    "platform": "beijing",
    "station": "S1",
    "connector": "C1",
    "seq": "Q1",
    "at": f"{FIRST} 12:00:00",
}


@pytest.fixture(scope="module")
def day(database: Database) -> Iterator[Database]:
    """A charge at noon with all that follows from it, and a connector in fault."""
    begin, noon, end = (instant(NOON_MS + ms) for ms in (-HOUR_MS, 0, HOUR_MS // 4))
    run = database.client.run
    run(
        "INSERT INTO telemetry (connector_id, station_id, sampled_at, meter_wh, status) VALUES "
        f"('C1', 'S1', {begin}, 1000, 3), ('C1', 'S1', {noon}, 9000, 3), ('C2', 'S1', {noon}, 5, 255)"
    )
    run(
        "INSERT INTO status_changes (connector_id, station_id, kind, status, observed_at) VALUES "
        f"('C1', 'S1', 'CHANGED', 3, {begin}), ('C1', 'S1', 'CHANGED', 2, {noon}), ('C1', 'S1', 'CHANGED', 1, {end}), "
        f"('C2', 'S1', 'CHANGED', 255, {noon})"
    )
    run(
        "INSERT INTO orders (start_charge_seq, connector_id, station_id, charge_model, started_at, ended_at, "
        "energy_kwh, total_money, flags, `periods.started_at`, `periods.ended_at`, `periods.elec_price`, "
        "`periods.service_price`, `periods.energy_kwh`, `periods.elec_money`, `periods.service_money`) VALUES "
        f"('Q1', 'C1', 'S1', 1, {begin}, {noon}, 8, 9.5, ['meter_backwards'], [{begin}], [{noon}], [1], [0.2], [8], "
        "[8], [1.5])"
    )
    run(
        "INSERT INTO attempts (platform, interface, key, connector_id, attempt, due_at, started_at, latency_ms, "
        f"outcome, error) VALUES ('beijing', '{ORDER}', 'Q1', 'C1', 1, {noon}, {noon}, 100, 'LADDER', 'busy'), "
        f"('beijing', '{ORDER}', 'Q1', 'C1', 2, {noon}, {end}, 100, 'CONTESTED', '')"
    )
    run(
        "INSERT INTO disputes (start_charge_seq, connector_id, platform, interface, code, disputed_at) "
        f"VALUES ('Q1', 'C1', 'beijing', '{ORDER}', 1, {end})"
    )
    run(
        "INSERT INTO station_load_parts (station_id, connector_id, minute_at, first_at, first_wh, last_at, last_wh, "
        f"peak_w, charging) VALUES ('S1', 'C1', {noon}, {noon}, 1000, {noon} + 50, 2000, 80000, true)"
    )
    note_deadlines(database.client, load_platforms(environ={}).platforms.values())
    yield database


def test_there_are_queries_and_all_of_the_views_are_told() -> None:
    assert len(QUERIES) == PAGE.count("```sql") >= 20
    views = set()
    for file in (files("infra") / "clickhouse").iterdir():
        if file.name.endswith(".sql"):
            views |= set(re.findall(r"CREATE OR REPLACE VIEW \$database\.(\w+)", file.read_text(encoding="utf-8")))
    table = PAGE[: PAGE.index("## ")]
    assert [view for view in sorted(views) if f"`{view}" not in table] == []


@pytest.mark.clickhouse
@pytest.mark.parametrize("query", QUERIES)
def test_it_finds_something(query: str, day: Database, clean_environment: pytest.MonkeyPatch) -> None:
    warehouse = day.client.warehouse
    clean_environment.setenv("EVCS_CLICKHOUSE_URL", warehouse.url)
    clean_environment.setenv("EVCS_CLICKHOUSE_PASSWORD", warehouse.password.reveal())
    clean_environment.setenv("EVCS_CLICKHOUSE_DATABASE", warehouse.database)
    asked = re.findall(r"\{(\w+):", query)
    words = [word for name in sorted(set(asked)) for word in ("--param", f"{name}={PARAMETERS[name]}")]
    answer = CliRunner().invoke(command, words, input=query, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert len(lines) > 1, answer.stdout
    assert any(word.strip('"') not in ("", "0", "\\N") for line in lines[1:] for word in line.split(","))
