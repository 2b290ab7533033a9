"""`evcs nightly` as it is typed: one day, the service, and what it says when it can't."""

import json
import signal
import subprocess
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.reconciliation.days import yesterday
from infra.simulator.platform.onboarding import platform_environment
from schemas.clock import wall_ms
from tests.connectors.reconciliation.at_night import DAY, Stand, day_of_orders, know, put_into
from tests.connectors.reconciliation.conftest import stand as stand_fixture
from tests.connectors.reconciliation.nightly_profile import profile
from tests.connectors.warehouse.sink.on_engine import fill, settings
from tests.infra.commands.processes import evcs, seconds_until_told

stand = stand_fixture


def environment(stand: Stand, folder: Path) -> dict[str, str]:
    (folder / "beijing.toml").write_text(profile(), encoding="utf-8")
    return {
        **platform_environment("beijing", stand.city.base_url),
        "EVCS_PLATFORMS": str(folder),
        "EVCS_KAFKA_BOOTSTRAP": stand.kafka.bootstrap,
        "EVCS_TOPIC_PREFIX": stand.kafka.topic_prefix,
        "EVCS_CLICKHOUSE_URL": stand.warehouse.url,
        "EVCS_CLICKHOUSE_PASSWORD": stand.warehouse.password.reveal(),
        "EVCS_CLICKHOUSE_DATABASE": stand.warehouse.database,
    }


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_a_day_and_what_was_contested(stand: Stand, tmp_path: Path) -> None:
    """From the topic through the sink to the check, and its disputes back through the sink."""
    orders = day_of_orders(23)
    stand.produce(*orders)
    know(stand.city, orders)
    stand.city.platform.contested.add({orders[7].start_charge_seq: 3})
    fill(settings(stand.kafka, stand.warehouse))
    env = environment(stand, tmp_path)
    code, out, err = ended(evcs("nightly", "beijing", "--day", f"{DAY}", **env))
    assert code == 0, err
    shown = json.loads(out)
    assert shown["complete"] is True
    assert (shown["orders"], shown["requests"], shown["disputes"], shown["open"]) == (23, 3, 1, 0)
    assert f"{shown['energy_kwh']:.2f}" == f"{sum(one.energy_kwh for one in orders)}"
    stand.sound()
    fill(settings(stand.kafka, stand.warehouse))
    code, out, err = ended(evcs("disputes", "list", "--platform", "beijing", **env))
    assert code == 0, err
    (line,) = out.splitlines()[1:]
    assert line.split("\t")[3:6] == [orders[7].start_charge_seq, orders[7].connector_id, "3"]
    rows = stand.database.rows(
        "SELECT outcome FROM attempts FINAL WHERE interface = 'check_charge_orders' ORDER BY key"
    )
    assert [row[0] for row in rows] == ["CONTESTED", "DONE", "DONE"]


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_a_platform_that_does_not_answer_in_time(stand: Stand, tmp_path: Path) -> None:
    put_into(stand.warehouse, day_of_orders(3))
    stand.city.go_down()
    env = environment(stand, tmp_path)
    code, out, err = ended(evcs("nightly", "beijing", "--day", f"{DAY}", "--give-up-after", "6", **env))
    assert code == 1
    assert json.loads(out)["complete"] is False
    assert "Traceback" not in err


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_clickhouse_away_is_waited_for_and_told_once(stand: Stand, tmp_path: Path) -> None:
    env = environment(stand, tmp_path) | {"EVCS_CLICKHOUSE_URL": "http://127.0.0.1:9"}
    code, _, err = ended(evcs("nightly", "beijing", "--day", f"{DAY}", "--give-up-after", "14", **env))
    assert code == 1
    assert err.count("no ClickHouse answers at http://127.0.0.1:9") == 1
    assert "Traceback" not in err


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_what_does_not_pass_ends_it(stand: Stand, tmp_path: Path) -> None:
    env = environment(stand, tmp_path) | {"EVCS_CLICKHOUSE_PASSWORD": "wrong"}
    code, _, err = ended(evcs("nightly", "beijing", "--day", f"{DAY}", **env))
    assert code == 1
    assert err.splitlines()[-1].startswith("error: ClickHouse at ")
    assert "EVCS_CLICKHOUSE_PASSWORD" in err.splitlines()[-1]
    stand.database.client.run("DROP TABLE orders")
    code, _, err = ended(evcs("nightly", "beijing", "--day", f"{DAY}", **environment(stand, tmp_path)))
    assert code == 1
    assert "orders" in err.splitlines()[-1]
    assert stand.asked() == []


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_the_service_tells_of_itself_and_ends_when_told(stand: Stand, tmp_path: Path) -> None:
    process = evcs("nightly", "beijing", "--admin-port", "0", **environment(stand, tmp_path))
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "health and metrics at" in line)
        url = line.rpartition(" ")[2].strip()
        with urllib.request.urlopen(f"{url}/healthz") as answer:
            assert answer.read() == b"alive\n"
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            assert b"evcs_nightly_missed_windows_total" in answer.read()
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
    finally:
        process.kill()


@pytest.mark.kafka
def test_topics_that_are_missing_are_told_of(stand: Stand, tmp_path: Path) -> None:
    env = environment(stand, tmp_path) | {"EVCS_TOPIC_PREFIX": "nobodys-"}
    process = evcs("nightly", "beijing", "--day", f"{DAY}", **env)
    try:
        seconds_until_told(process, "Run `evcs topics create`")
    finally:
        process.kill()
        process.communicate()


NEWEST = yesterday(wall_ms())


@pytest.mark.parametrize(
    ("arguments", "changed", "why"),
    [
        (("--day", f"{NEWEST + timedelta(days=1)}"), {}, "is not over in Beijing"),
        (("--day", f"{NEWEST - timedelta(days=91)}"), {}, "is too long ago"),
        (("atlantis",), {}, "no platform 'atlantis'"),
        (("chengdu",), {}, "EVCS_CHENGDU_ADDRESS"),
        (("beijing",), {"EVCS_BEIJING_SIG_SECRET": ""}, "EVCS_BEIJING_SIG_SECRET"),
        (("beijing",), {"EVCS_BEIJING_OPERATOR_ID": "1234567890"}, "EVCS_BEIJING_OPERATOR_ID: is no OperatorID"),
        (("beijing",), {"EVCS_NIGHTLY_ADMIN_PORT": "99999"}, "EVCS_NIGHTLY_ADMIN_PORT"),
        (("off",), {}, "off's profile does not have check_charge_orders, or has it off"),
    ],
)
def test_what_is_wrong_is_a_line(arguments: tuple[str, ...], changed: dict[str, str], why: str, tmp_path: Path) -> None:
    off = profile().replace("[interfaces.check_charge_orders]\n", "[interfaces.check_charge_orders]\non = false\n")
    (tmp_path / "off.toml").write_text(off, encoding="utf-8")
    env = platform_environment("beijing", "http://127.0.0.1:9") | {"EVCS_PLATFORMS": str(tmp_path)} | changed
    if arguments[0] == "--day":
        arguments = ("beijing", *arguments)
    code, out, err = ended(evcs("nightly", *arguments, **env))
    assert code == 1
    assert out == ""
    assert err.splitlines()[-1].startswith("error: ")
    assert why in err.splitlines()[-1]
    assert "Traceback" not in err
