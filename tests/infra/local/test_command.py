"""`evcs local`, as it is typed."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra import cli
from infra.commands.local import NOT_RUNNING, command
from infra.local.broker import LocalKafka
from infra.local.errors import OnAnotherPort
from infra.local.ports import free_port
from infra.local.status import ExternalStatus, size_on_disk
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
        up = typed.invoke(command, ["up", "--port", "0"], catch_exceptions=False)
        assert up.exit_code == 0
        assert " is up at 127.0.0.1:" in up.stdout
        assert "starting Kafka" in up.stderr

        running = LocalKafka(home)
        for port in ("0", str(running.port)):
            again = typed.invoke(command, ["up", "--port", port], catch_exceptions=False)
            assert again.exit_code == 0
            assert f"is already up at 127.0.0.1:{running.port} (pid {running.pid}," in again.stdout

        # Those who come after would look for it on the port that was asked for.
        for arguments in (["up"], ["up", "--port", "19093"]):
            elsewhere = typed.invoke(command, arguments)
            assert isinstance(elsewhere.exception, OnAnotherPort)
            assert (elsewhere.exception.port, elsewhere.stdout) == (running.port, "")
        told = str(elsewhere.exception)
        assert f"already runs on port {running.port}, not on 19093: " in told
        assert f"EVCS_KAFKA_PORT={running.port}" in told
        assert "`evcs local down`" in told

        status = typed.invoke(command, ["status", "--json"], catch_exceptions=False)
        state = json.loads(status.stdout)
        assert status.exit_code == 0
        assert state["running"]
        assert state["pid"] == LocalKafka(home).pid
        assert state["size_bytes"] > 0

        with monkeypatch.context() as outside:
            outside.setenv("EVCS_KAFKA_BOOTSTRAP", state["bootstrap"])
            used = typed.invoke(command, ["up"], catch_exceptions=False)
            assert used.exit_code == 0
            assert "(1 broker): nothing is started here" in used.stdout
            assert typed.invoke(command, ["status"]).exit_code == 0

        down = typed.invoke(command, ["down"], catch_exceptions=False)
        assert (down.exit_code, down.stdout) == (0, "Kafka is down\n")
    finally:
        LocalKafka(home).kill()


def test_what_does_not_run_is_told(typed: CliRunner, tmp_path: Path) -> None:
    status = typed.invoke(command, ["status"])
    assert status.exit_code == NOT_RUNNING
    assert "stopped" in status.stdout
    assert "127.0.0.1:19092" in status.stdout
    assert json.loads(typed.invoke(command, ["status", "--json"]).stdout)["pid"] is None
    down = typed.invoke(command, ["down"])
    assert (down.exit_code, down.stdout) == (0, "Kafka was not running\n")
    assert list(tmp_path.iterdir()) == [], "asking leaves no trace"


def test_an_external_cluster_that_is_away(typed: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap = f"127.0.0.1:{free_port()}"
    for timeout_s in (0.5, 5.0, 50.0):  # it waits as long as it may; a machine that is busy needs more to be refused
        state = ExternalStatus.of(KafkaCluster(bootstrap), timeout_s)
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
