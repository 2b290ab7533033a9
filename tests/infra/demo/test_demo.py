"""The demo as a user starts it: everything at work for some seconds, nothing lost and nothing late."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import evcs
from infra.demo import run, scoreboard
from infra.errors import ClusterProblem
from infra.local.broker import LocalKafka
from infra.simulator.platform.errors import Kind
from schemas.cluster import KafkaCluster
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

#: `evcs`, but no order goes out before its bill because the machine has stalled.
PATIENT_DEMO = """
from infra import cli
from infra.demo import run
run._BILL_WAIT_MS, run._DRAIN_TIMEOUT_S = 30_000, 180.0
cli.main()
"""

PUSHES = {
    "notification_stationStatus",
    "notification_start_charge_result",
    "notification_equip_charge_status",
    "notification_stop_charge_result",
    "notification_charge_order_info_for_bonus",
}


def test_it_ends_with_its_figures_and_loses_nothing(
    broker: LocalKafka, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", broker.bootstrap)
    clean_environment.setenv("EVCS_HOME", str(tmp_path))
    # What is late is judged in test_scoreboard. Here a push is late that a service does not make: a machine that
    # stalls for seconds makes none so, nor an order that went out before its bill.
    clean_environment.setattr(scoreboard, "LATE_AFTER_S", dict.fromkeys(scoreboard.LATE_AFTER_S, 60.0))
    clean_environment.setattr(run, "_BILL_WAIT_MS", 30_000)
    clean_environment.setattr(run, "_DRAIN_TIMEOUT_S", 180.0)
    ran = CliRunner().invoke(evcs, ["demo", "--seconds", "15", "--connectors", "20"])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.output
    assert ran.stdout, ran.output
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert {"seconds", "telemetry", "pushes", "orders", "lost"} <= set(figures), figures
    assert (figures["lost"], figures["late_examples"]) == (0, []), figures
    # Behind a stall the window in which delivery sorts topics may not do, as ARCHITECTURE.md says; nothing else may be.
    assert [v for v in figures["violations"] if v.split()[0] not in (Kind.ORDER, Kind.BACKWARDS, Kind.CADENCE)] == []
    assert ran.exit_code == int(bool(figures["violations"])), figures
    assert figures["seconds"] >= 15
    assert figures["telemetry"] >= 20
    assert set(figures["pushes"]) >= PUSHES
    for line in figures["pushes"].values():
        assert set(line) == {"due", "confirmed", "late"}
        assert line["due"] == line["confirmed"]
        assert line["late"] == 0
    assert figures["orders"]["finalized"] == figures["orders"]["confirmed"] > 0
    assert (tmp_path / "demo" / "streams.log").stat().st_size > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_being_told_to_end_drains_and_leaves_nothing_running(
    broker: LocalKafka, clean_environment: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals
) -> None:
    environment = {**os.environ, "EVCS_KAFKA_BOOTSTRAP": broker.bootstrap, "EVCS_HOME": str(tmp_path)}
    told = tmp_path / "told"
    with (
        told.open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", PATIENT_DEMO, "demo", "--connectors", "5"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN) and None,  # as a script's background job
        ) as demo,
    ):
        until(lambda: b"samples" in told.read_bytes() or demo.poll() is not None, "the demo is at work")
        children = _children_of(demo.pid)
        demo.send_signal(number)
        out, _ = demo.communicate(timeout=240)
    figures = json.loads(out.splitlines()[-1])
    assert figures["lost"] == 0, told.read_text()
    late = any(line["late"] for line in figures["pushes"].values())
    assert demo.returncode == int(late or bool(figures["violations"])), figures
    assert len(children) == 2  # streams and delivery
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


def _children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def test_a_cluster_that_refuses_is_one_line_and_not_asked_to_tidy_up(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_cluster: KafkaCluster, **_: object) -> None:
        raise ClusterProblem("no Kafka broker answers")

    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    clean_environment.setenv("EVCS_HOME", str(tmp_path))
    clean_environment.setattr(run, "create_topics", refuse)
    clean_environment.setattr(run, "delete_topics", lambda _cluster: pytest.fail("there is nothing to delete"))
    ran = CliRunner().invoke(evcs, ["demo", "--seconds", "1"])
    assert isinstance(ran.exception, ClusterProblem)
