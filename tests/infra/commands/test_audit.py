"""`evcs audit`, as it is typed: what it prints, and its exit status."""

import csv
import json

import pytest
from click.testing import CliRunner, Result

from infra.audit_telling import TITLES
from infra.commands.audit import command
from infra.local.ports import free_port
from tests.connectors.reconciliation.audit.day import HOUR_MS, Day
from tests.infra.clickhouse.database import Database


@pytest.fixture
def a_day(tables: Database, clean_environment: pytest.MonkeyPatch) -> Day:
    """Two charges in the warehouse that the environment names, one of which has a wrong energy."""
    clean_environment.setenv("EVCS_CLICKHOUSE_URL", tables.warehouse.url)
    clean_environment.setenv("EVCS_CLICKHOUSE_PASSWORD", tables.warehouse.password.reveal())
    clean_environment.setenv("EVCS_CLICKHOUSE_DATABASE", tables.warehouse.database)
    found = Day(tables)
    for n in range(12):
        found.charge(f"WRONG{n}", f"C{n}", HOUR_MS, kwh="30.00")
    found.charge("RIGHT", "C99", HOUR_MS)
    return found


def typed(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


@pytest.mark.clickhouse
def test_rates_and_offenders_as_text(a_day: Day) -> None:
    done = typed(str(a_day.day), "--worst", "2")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"audit of {a_day.day}, Beijing time"
    assert lines[1].split() == ["orders", "against", "telemetry", "1", "of", "13", "7.6923", "%", "below", "99.99", "%"]
    assert lines[2].startswith("    WRONG9 at C9: 30.00 kWh, expected 19.930 kWh (computed")
    assert lines[4] == "    and 10 more: --all shows them"
    assert "details against totals" in done.stdout and "100.0000 %" in done.stdout
    assert "pushes confirmed            chengdu" in done.stdout and "nothing to compare" in done.stdout
    assert "comparing details with totals\n" in done.stderr


@pytest.mark.clickhouse
def test_what_is_enough_can_be_said(a_day: Day) -> None:
    assert typed(str(a_day.day), "--tolerance-kwh", "11").exit_code == 0
    assert typed(str(a_day.day), "--least", "7.6923").exit_code == 0
    assert typed(str(a_day.day), "--least", "7.7").exit_code == 1


@pytest.mark.clickhouse
def test_as_json(a_day: Day) -> None:
    done = typed(str(a_day.day), "--platform", "beijing", "--all", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["meets"], found["day"], found["whole"]) == (1, False, str(a_day.day), True)
    energy = found["figures"][0]
    assert (energy["comparison"], energy["checked"], energy["right"], energy["percent"]) == ("energy", 13, 1, "7.6923")
    assert len(energy["offenders"]) == 12
    assert {figure["platform"] for figure in found["figures"]} == {"", "beijing"}
    assert {figure["comparison"] for figure in found["figures"]} == set(TITLES)


@pytest.mark.clickhouse
def test_as_csv_with_all_offenders(a_day: Day) -> None:
    done = typed(str(a_day.day), "--all", "--format", "csv")
    rows = [row for row in csv.DictReader(done.stdout.splitlines()) if row["comparison"] == "energy"]
    assert [row["key"] for row in rows] == sorted((f"WRONG{n}" for n in range(12)), reverse=True)
    assert rows[0]["found"] == "30.00 kWh"
    assert "7.6923 %" in done.stderr


@pytest.mark.clickhouse
def test_a_day_with_nothing_is_said_to_be_one(a_day: Day) -> None:
    done = typed("2026-01-01")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "there is nothing to compare"


def test_errors_have_a_status_of_their_own(clean_environment: pytest.MonkeyPatch) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    clean_environment.setenv("EVCS_CLICKHOUSE_URL", nobody)
    away = typed("2026-01-01")
    assert (away.exit_code, away.stdout) == (2, "")
    assert away.stderr.splitlines()[-1].startswith(f"error: no ClickHouse answers at {nobody}: ")
    assert typed("yesterday").exit_code == 2
    assert typed("--least", "101").exit_code == 2
    unknown = typed("--platform", "nowhere")
    assert (unknown.exit_code, unknown.stderr) == (2, "error: no platform 'nowhere': there are beijing, chengdu\n")
