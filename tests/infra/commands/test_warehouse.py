"""`evcs warehouse`, as it is typed."""

from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.warehouse.settings import Warehouse
from infra import cli
from infra.commands import warehouse as commands
from infra.commands.warehouse import command
from infra.local.ports import free_port
from infra.warehouse.errors import MigrationsDiffer
from infra.warehouse.migration import Migration, load_migrations


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations, in place of the packaged ones: a table of its own, and that of deadlines."""
    (tmp_path / "0001_create_a.sql").write_text("CREATE TABLE IF NOT EXISTS $database.a (x Int8) ENGINE = Memory;\n")
    (deadlines,) = (
        file for file in (files("infra") / "clickhouse").iterdir() if file.name.endswith("_create_deadlines.sql")
    )
    (tmp_path / "0002_create_deadlines.sql").write_text(deadlines.read_text(encoding="utf-8"), encoding="utf-8")

    def of_folder() -> list[Migration]:
        return load_migrations(tmp_path)

    monkeypatch.setattr(commands, "load_migrations", of_folder)
    return tmp_path


@pytest.mark.clickhouse
def test_status_migrate_status(warehouse: Warehouse, folder: Path) -> None:
    typed = CliRunner()
    before = typed.invoke(command, ["status"])
    assert before.exit_code == 1
    assert before.stdout.splitlines()[0] == f"{warehouse.database} at {warehouse.url}"
    assert before.stdout.splitlines()[1].split() == ["0001_create_a.sql", "pending"]

    done = typed.invoke(command, ["migrate"], catch_exceptions=False)
    told = done.stdout.splitlines()
    assert told[:2] == ["applied 0001_create_a.sql", "applied 0002_create_deadlines.sql"]
    assert "deadline beijing notification_charge_order_info_for_bonus: 150 s" in told
    assert told[-1] == f"2 applied, 0 were, in {warehouse.database} at {warehouse.url}"
    assert done.stderr == "applying 0001_create_a.sql\napplying 0002_create_deadlines.sql\n"
    again = typed.invoke(command, ["migrate"], catch_exceptions=False)
    assert again.stdout.startswith("0 applied, 2 were, in ")

    after = typed.invoke(command, ["status"], catch_exceptions=False)
    assert after.exit_code == 0
    assert after.stdout.splitlines()[1].split()[:2] == ["0001_create_a.sql", "applied"]
    assert after.stdout.endswith(" UTC\n")

    (folder / "0001_create_a.sql").write_text("SELECT 1")
    changed = typed.invoke(command, ["status"])
    assert changed.exit_code == 1
    assert "changed since it was applied" in changed.stdout
    assert isinstance(typed.invoke(command, ["migrate"]).exception, MigrationsDiffer)
    assert warehouse.password.reveal() not in done.output + changed.output


@pytest.mark.clickhouse
def test_a_profile_that_is_wrong_keeps_no_other_from_its_deadlines(
    warehouse: Warehouse, folder: Path, clean_environment: pytest.MonkeyPatch
) -> None:
    own = folder / "profiles"
    own.mkdir()
    (own / "chengdu.toml").write_text("title = 1")
    clean_environment.setenv("EVCS_PLATFORMS", str(own))
    done = CliRunner().invoke(command, ["migrate"], catch_exceptions=False)
    assert "no deadlines of a profile that is wrong: chengdu.toml: " in done.stderr
    assert "deadline beijing notification_stationStatus: 10 s" in done.stdout
    assert "deadline chengdu" not in done.stdout


def test_a_warehouse_that_is_away_is_one_line(
    clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    clean_environment.setenv("EVCS_CLICKHOUSE_URL", nobody)
    for words in (["migrate"], ["status"]):
        clean_environment.setattr("sys.argv", ["evcs", "warehouse", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        told = capsys.readouterr().err
        assert told.startswith(f"error: no ClickHouse answers at {nobody}: ")
        assert told.endswith("Start the local one with `evcs local up`, or set EVCS_CLICKHOUSE_URL\n")
