"""`evcs disputes list` on a real ClickHouse."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from connectors.errors import MisconfiguredService, WarehouseAway, WarehouseRefused
from connectors.reconciliation.days import midnight_ms, yesterday
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.commands.disputes import command
from infra.local.ports import free_port
from schemas.clock import wall_ms
from tests.infra.clickhouse.database import Database

pytestmark = pytest.mark.clickhouse

DAY = yesterday(wall_ms())
COLUMNS = (
    *("start_charge_seq", "connector_id", "platform", "interface", "code", "energy_kwh", "total_money"),
    "disputed_at",
)


def at(day: date, ms: int) -> datetime:
    return datetime.fromtimestamp((midnight_ms(day) + ms) / 1000, UTC)


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    Database(warehouse).close()
    rows = [
        ["1" * 27, "C1", "beijing", "check_charge_orders", 2, "30.01", "60.02", at(DAY, 0)],
        ["2" * 27, "", "beijing", "check_charge_orders", 1, "0.00", "0.00", at(DAY, -1)],
        ["3" * 27, "C3", "chengdu", "notification_charge_order_info", 1, "1.00", "2.00", at(DAY, 86_399_999)],
        ["4" * 27, "C4", "chengdu", "check_charge_orders", 0, "1.00", "2.00", at(DAY, 86_400_000)],
    ]
    client = WarehouseClient(warehouse)
    for _ in range(2):  # what comes twice is shown once
        client.insert_rows("disputes", COLUMNS, rows)
    client.close()
    return warehouse


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["list", *arguments], catch_exceptions=False)


def seqs(*arguments: str) -> str:
    lines = run(*arguments, "--json").stdout.splitlines()
    return "".join(json.loads(line)["start_charge_seq"][0] for line in lines)


def test_by_platform_and_day(filled: Warehouse) -> None:
    assert seqs() == "2134"
    assert seqs("--platform", "beijing") == "21"
    assert seqs("--day", f"{DAY}") == "13"
    assert seqs("--day", f"{DAY - timedelta(days=1)}", "--platform", "beijing") == "2"
    assert seqs("--day", f"{DAY}", "--platform", "chengdu") == "3"


def test_lines_with_tabs_and_whole_ids(filled: Warehouse) -> None:
    heading, first, *_ = run("--day", f"{DAY}").stdout.splitlines()
    shown = dict(zip(heading.split("\t"), first.split("\t"), strict=True))
    assert shown == {
        "disputed_at": f"{DAY}T00:00:00.000+08:00",
        "platform": "beijing",
        "interface": "check_charge_orders",
        "start_charge_seq": "1" * 27,
        "connector_id": "C1",
        "code": "2",
        "energy_kwh": "30.01",
        "total_money": "60.02",
        "meaning": "money is wrong",
    }


def test_what_it_means(filled: Warehouse) -> None:
    lines = [json.loads(line) for line in run("--json").stdout.splitlines()]
    meanings = [line["meaning"] for line in lines]
    assert meanings == ["not known to the platform", "money is wrong", "contested", "not told"]
    client = WarehouseClient(filled)
    assert [(one,) for one in meanings] == client.rows("SELECT reason FROM contested_orders ORDER BY disputed_at")
    client.close()
    assert [line["total_money"] for line in lines] == [0.0, 60.02, 2.0, 2.0]


def test_nothing_is_shown_before_an_error(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("EVCS_CLICKHOUSE_URL", f"http://127.0.0.1:{free_port()}")
    done = CliRunner().invoke(command, ["list"])
    assert (type(done.exception), done.stdout) == (WarehouseAway, "")


def test_no_tables(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseRefused, match="disputes"):
        run()


def test_no_such_platform(warehouse: Warehouse) -> None:
    with pytest.raises(MisconfiguredService, match="no platform 'atlantis'"):
        run("--platform", "atlantis")
