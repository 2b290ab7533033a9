"""Which warehouse the environment names, and what it can't name."""

from pathlib import Path

import pytest

from connectors.errors import MisconfiguredService
from connectors.protocol.credentials import Secret
from connectors.protocol.errors import BadCredentials
from connectors.warehouse.settings import Warehouse

HUSH = "hush-hush"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose local ClickHouse has a password."""
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "clickhouse" / "password").write_text(HUSH + "\n")
    return tmp_path


def test_without_settings_it_is_the_local_one_with_its_password(home: Path) -> None:
    assert Warehouse.from_env({"EVCS_HOME": str(home)}) == Warehouse(
        "http://127.0.0.1:18123", "default", Secret(HUSH), "evcs", ""
    )
    assert Warehouse.from_env({"EVCS_HOME": str(home), "EVCS_CLICKHOUSE_PORT": "1"}).url == "http://127.0.0.1:1"


def test_before_the_first_start_there_is_no_password(tmp_path: Path) -> None:
    assert Warehouse.from_env({"EVCS_HOME": str(tmp_path)}).password == Secret("")


def test_everything_can_be_given(home: Path) -> None:
    environment = {
        "EVCS_HOME": str(home),
        "EVCS_CLICKHOUSE_URL": "https://clickhouse-1:8443/proxied",
        "EVCS_CLICKHOUSE_USER": "evcs",
        "EVCS_CLICKHOUSE_PASSWORD": "other",
        "EVCS_CLICKHOUSE_DATABASE": "evcs_test",
        "EVCS_CLICKHOUSE_CLUSTER": "main-1",
    }
    assert Warehouse.from_env(environment) == Warehouse(
        "https://clickhouse-1:8443/proxied", "evcs", Secret("other"), "evcs_test", "main-1"
    )


def test_the_local_password_is_not_sent_elsewhere(home: Path) -> None:
    warehouse = Warehouse.from_env({"EVCS_HOME": str(home), "EVCS_CLICKHOUSE_URL": "http://clickhouse-1:8123"})
    assert warehouse.password == Secret("")


def test_the_password_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(HUSH + "\n")
    named = {"EVCS_CLICKHOUSE_PASSWORD_FILE": str(tmp_path / "secret")}
    assert Warehouse.from_env(named).password == Secret(HUSH)
    with pytest.raises(BadCredentials, match="both are set"):
        Warehouse.from_env({**named, "EVCS_CLICKHOUSE_PASSWORD": HUSH})
    with pytest.raises(BadCredentials, match="can't be read"):
        Warehouse.from_env({"EVCS_CLICKHOUSE_PASSWORD_FILE": str(tmp_path / "none")})


def test_the_password_prints_masked() -> None:
    warehouse = Warehouse(password=Secret(HUSH))
    assert HUSH not in f"{warehouse} {warehouse!r} {warehouse.password}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "clickhouse-1:8123"),
        ("URL", "tcp://clickhouse-1:9000"),
        ("URL", "http://"),
        ("URL", "http://clickhouse-1:many"),
        ("URL", "http://clickhouse-1:8123?database=x"),
        ("URL", f"http://evcs:{HUSH}@clickhouse-1:8123"),
        ("DATABASE", "evcs.test"),
        ("DATABASE", "evcs; DROP DATABASE evcs"),
        ("DATABASE", "1"),
        ("CLUSTER", "main' ON"),
    ],
)
def test_what_can_not_be_used_is_told_by_name(name: str, value: str) -> None:
    with pytest.raises(MisconfiguredService, match=f"EVCS_CLICKHOUSE_{name}") as refused:
        Warehouse.from_env({f"EVCS_CLICKHOUSE_{name}": value})
    assert HUSH not in str(refused.value)
