"""`evcs local`, as it is typed."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.errors import WarehouseAway
from infra import cli
from infra.commands.local import NOT_RUNNING, command
from infra.local.broker import LocalKafka
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.errors import OnAnotherPort, StopTimedOut
from infra.local.kafka_part import KafkaPart
from infra.local.part import size_on_disk
from infra.local.ports import free_port
from infra.local.settings import LocalSettings
from schemas.cluster import KafkaCluster


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A runner whose home is empty and whose environment holds none of our settings."""
    for name in [name for name in os.environ if name.startswith("EVCS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EVCS_HOME", str(tmp_path / "empty"))
    return CliRunner()


@pytest.mark.kafka
def test_up_status_down(typed: CliRunner, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_HOME", str(home))
    try:
        up = typed.invoke(command, ["up", "--port", "0", "--only", "kafka"], catch_exceptions=False)
        assert up.exit_code == 0
        assert " is up at 127.0.0.1:" in up.stdout
        assert "starting Kafka" in up.stderr

        running = LocalKafka(home)
        for port in ("0", str(running.port)):
            again = typed.invoke(command, ["up", "--port", port, "--only", "kafka"], catch_exceptions=False)
            assert again.exit_code == 0
            assert f"is already up at 127.0.0.1:{running.port} (pid {running.pid}," in again.stdout

        # Those who come after would look for it on the port that was asked for.
        for arguments in (["up"], ["up", "--only", "kafka", "--port", "19093"]):
            elsewhere = typed.invoke(command, arguments)
            assert isinstance(elsewhere.exception, OnAnotherPort)
            assert (elsewhere.exception.port, elsewhere.stdout) == (running.port, "")
        told = str(elsewhere.exception)
        assert f"already runs on port {running.port}, not on 19093: " in told
        assert f"EVCS_KAFKA_PORT={running.port}" in told
        assert "`evcs local down`" in told

        status = typed.invoke(command, ["status", "--json", "--only", "kafka"], catch_exceptions=False)
        state = json.loads(status.stdout)["kafka"]
        assert status.exit_code == 0
        assert typed.invoke(command, ["status"]).exit_code == NOT_RUNNING, "ClickHouse does not run"
        assert state["running"]
        assert state["pid"] == LocalKafka(home).pid
        assert state["size_bytes"] > 0

        with monkeypatch.context() as outside:
            outside.setenv("EVCS_KAFKA_BOOTSTRAP", state["bootstrap"])
            used = typed.invoke(command, ["up", "--only", "kafka"], catch_exceptions=False)
            assert used.exit_code == 0
            assert "(1 broker): no Kafka is started here" in used.stdout
            assert typed.invoke(command, ["status", "--only", "kafka"]).exit_code == 0

        down = typed.invoke(command, ["down"], catch_exceptions=False)
        assert (down.exit_code, down.stdout) == (0, "Kafka is down\nClickHouse was not running\n")
    finally:
        LocalKafka(home).kill()


@pytest.mark.clickhouse
def test_up_status_down_of_clickhouse(typed: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("EVCS_HOME", str(home))
    only = ["--only", "clickhouse"]
    try:
        up = typed.invoke(command, ["up", "--clickhouse-port", "0", *only], catch_exceptions=False)
        running = LocalClickHouse(home)
        assert up.exit_code == 0
        assert f" is up at http://127.0.0.1:{running.port} (pid {running.pid}," in up.stdout
        assert "starting ClickHouse" in up.stderr
        elsewhere = typed.invoke(command, ["up", *only])
        assert isinstance(elsewhere.exception, OnAnotherPort)
        assert f"EVCS_CLICKHOUSE_PORT={running.port}" in str(elsewhere.exception)

        status = typed.invoke(command, ["status", "--json", *only], catch_exceptions=False)
        state = json.loads(status.stdout)["clickhouse"]
        assert (status.exit_code, state["running"], state["pid"]) == (0, True, running.pid)
        password = running.warehouse().password.reveal()
        assert Path(state["password_file"]).read_text().strip() == password
        assert password not in typed.invoke(command, ["status", *only]).output

        with monkeypatch.context() as outside:
            outside.setenv("EVCS_CLICKHOUSE_URL", state["url"])
            outside.setenv("EVCS_CLICKHOUSE_PASSWORD_FILE", state["password_file"])
            used = typed.invoke(command, ["up", *only], catch_exceptions=False)
            assert (used.exit_code, "none is started here" in used.stdout) == (0, True)
            assert "running, not started from here" in typed.invoke(command, ["status", *only]).stdout
            running.stop()
            away = typed.invoke(command, ["status", *only])
            assert away.exit_code == NOT_RUNNING
            assert "unreachable" in away.stdout
            assert "no ClickHouse answers" in away.stderr
            assert "is not run from here" in typed.invoke(command, ["down", *only]).stdout
            assert isinstance(typed.invoke(command, ["up", *only]).exception, WarehouseAway)

        typed.invoke(command, ["up", "--clickhouse-port", "0", *only], catch_exceptions=False)
        down = typed.invoke(command, ["down", "--force"], catch_exceptions=False)
        assert (down.exit_code, down.stdout) == (0, "Kafka was not running\nClickHouse is down\n")
    finally:
        LocalClickHouse(home).kill()


def test_what_stops_one_does_not_keep_the_other_up(typed: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(self: object, force: bool) -> str:
        raise StopTimedOut("Kafka", 17, 30.0)

    monkeypatch.setattr(KafkaPart, "down", stuck)
    down = typed.invoke(command, ["down"])
    assert down.stdout == "ClickHouse was not running\n"
    assert isinstance(down.exception, StopTimedOut)


def test_what_does_not_run_is_told(typed: CliRunner, tmp_path: Path) -> None:
    status = typed.invoke(command, ["status"])
    assert status.exit_code == NOT_RUNNING
    assert "stopped" in status.stdout
    assert "127.0.0.1:19092" in status.stdout
    assert "http://127.0.0.1:18123" in status.stdout
    states = json.loads(typed.invoke(command, ["status", "--json"]).stdout)
    assert {name: state["pid"] for name, state in states.items()} == {"kafka": None, "clickhouse": None}
    down = typed.invoke(command, ["down"])
    assert (down.exit_code, down.stdout) == (0, "Kafka was not running\nClickHouse was not running\n")
    assert list(tmp_path.iterdir()) == [], "asking leaves no trace"


def test_an_external_cluster_that_is_away(typed: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap = f"127.0.0.1:{free_port()}"
    for timeout_s in (0.5, 5.0, 50.0):  # it waits as long as it may; a machine that is busy needs more to be refused
        settings = LocalSettings(tmp_path, external=KafkaCluster(bootstrap))
        state = KafkaPart(settings, timeout_s).status()
        assert not state.running
        if "refused" in state.problem:
            break
    assert "refused" in state.problem
    monkeypatch.setenv("EVCS_KAFKA_BOOTSTRAP", bootstrap)
    assert "is not run from here" in typed.invoke(command, ["down"]).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--port", "many"], "error: --port is 'many'"),
        (["up"], "error: EVCS_KAFKA_PORT is '70000'"),
        (["up", "--port", "0", "--clickhouse-port", "some"], "error: --clickhouse-port is 'some'"),
    ],
)
def test_an_error_is_one_line_and_status_1(
    typed: CliRunner,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setenv("EVCS_KAFKA_PORT", "19092" if "--port" in arguments else "70000")
    monkeypatch.setattr("sys.argv", ["evcs", "local", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith(message)
    assert told.count("\n") == 1


def test_size_on_disk_leaves_holes_out(tmp_path: Path) -> None:
    assert size_on_disk(tmp_path / "none") == 0
    with (tmp_path / "index").open("wb") as file:
        file.truncate(10 * 1024**2)
    (tmp_path / "data").write_bytes(b"x" * 5000)
    assert 5000 <= size_on_disk(tmp_path) < 100_000
