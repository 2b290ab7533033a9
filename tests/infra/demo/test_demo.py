"""The demo as a user starts it: everything at work for some seconds, nothing lost and nothing late."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient

from connectors.warehouse.client import WarehouseClient
from infra.cli import evcs
from infra.demo import run, scoreboard
from infra.demo.warehouse import DemoWarehouse
from infra.errors import ClusterProblem
from infra.local.broker import LocalKafka
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.ports import free_port
from infra.local.process import birth_of
from infra.simulator.platform.errors import Kind
from schemas.cluster import KafkaCluster
from tests.infra.commands.processes import children_of
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow, pytest.mark.timeout(600)]

#: `evcs`, but no order goes out before its bill because the machine has stalled.
PATIENT_DEMO = """
from infra import cli
from infra.demo import run
run._BILL_WAIT_MS, run._DRAIN_TIMEOUT_S = 15_000, 180.0
cli.main()
"""

#: What the demo starts: streams, delivery, the gateway and the sink.
SERVICES = 4

#: The demos' databases that are there now.
Databases = Callable[[], list[str]]

PUSHES = {
    "notification_stationStatus",
    "notification_start_charge_result",
    "notification_equip_charge_status",
    "notification_stop_charge_result",
    "notification_charge_order_info_for_bonus",
}


@pytest.fixture
def warehouse(clickhouse_server: LocalClickHouse, clean_environment: pytest.MonkeyPatch) -> Iterator[Databases]:
    """The session's ClickHouse, where the demo of the test makes its database; none may be left."""
    named = clickhouse_server.warehouse()
    for name, value in (("URL", named.url), ("USER", named.user), ("PASSWORD", named.password.reveal())):
        clean_environment.setenv(f"EVCS_CLICKHOUSE_{name}", value)
    client = WarehouseClient(named, in_database=False)

    def databases() -> list[str]:
        return [row[0] for row in client.rows("SELECT name FROM system.databases WHERE name LIKE 'demo_%'")]

    yield databases
    left = databases()
    client.close()
    assert left == []


def test_it_ends_with_its_figures_and_loses_nothing(
    broker: LocalKafka, warehouse: Databases, clean_environment: pytest.MonkeyPatch, tmp_path: Path
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
    assert {"ended", "seconds", "telemetry", "pushes", "orders", "lost"} <= set(figures), figures
    assert (figures["lost"], figures["late_examples"]) == (0, []), figures
    # Behind a stall the router's window may not do, as ARCHITECTURE.md says; nothing else may be.
    assert [v for v in figures["violations"] if v.split()[0] not in (Kind.ORDER, Kind.BACKWARDS, Kind.CADENCE)] == []
    assert ran.exit_code == int(bool(figures["violations"])), figures
    assert figures["seconds"] >= 15
    assert figures["telemetry"] >= 20
    assert set(figures["pushes"]) >= PUSHES
    for line in figures["pushes"].values():
        assert set(line) == {"due", "confirmed", "late", "replaced"}
        assert line["due"] == line["confirmed"] + line["replaced"]
        assert line["late"] == 0
    assert figures["orders"]["finalized"] == figures["orders"]["confirmed"] > 0
    assert (tmp_path / "demo" / "streams.log").stat().st_size > 0
    rows, orders = figures["rows_stored"], figures["orders"]["finalized"]
    assert (rows["telemetry"], rows["orders"]) == (figures["telemetry"], orders)
    assert rows["status_changes"] == figures["pushes"]["notification_stationStatus"]["due"]
    assert rows["charge_progress"] == figures["pushes"]["notification_equip_charge_status"]["due"]
    assert rows["attempts"] >= sum(line["confirmed"] for line in figures["pushes"].values())
    electricity = figures["electricity"]
    assert electricity["failure"] == ""
    assert electricity["metered_kwh"] == electricity["stored_kwh"] > 0
    assert electricity["stations_asked"] == 2
    assert abs(electricity["told_kwh"] - electricity["metered_kwh"]) <= 20 * 0.05


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(other, marks=pytest.mark.thorough) for other in (signal.SIGHUP, signal.SIGINT))],
)
def test_being_told_to_end_drains_and_leaves_nothing_running(
    broker: LocalKafka,
    warehouse: Databases,
    clean_environment: pytest.MonkeyPatch,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    with _started(broker, tmp_path) as (demo, told):
        until(lambda: b"samples" in told.read_bytes(), "all is at work")
        children = children_of(demo.pid)
        demo.send_signal(number)
        out, _ = demo.communicate(timeout=240)
    figures = json.loads(out.splitlines()[-1])
    assert (figures["ended"], figures["lost"]) == ("in order", 0), told.read_text()
    late = any(line["late"] for line in figures["pushes"].values())
    assert demo.returncode == int(late or bool(figures["violations"])), figures
    assert len(children) == SERVICES
    assert _alive(children) == []


def test_told_so_twice_it_does_not_drain_and_says_so(
    broker: LocalKafka, warehouse: Databases, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with _started(broker, tmp_path) as (demo, told):
        until(lambda: b"samples" in told.read_bytes(), "all is at work")
        children = children_of(demo.pid)
        demo.send_signal(signal.SIGINT)
        time.sleep(0.5)  # the fleet takes seconds to stop
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=240)
    figures = json.loads(out.splitlines()[-1])
    assert figures["ended"] == "interrupted", told.read_text()
    assert {"telemetry", "pushes", "orders", "lost"} <= set(figures)
    assert demo.returncode == 130
    assert _alive(children) == []
    assert _topics_on(broker) == []


@pytest.mark.parametrize(
    ("told_at", "number"),
    [(b"", signal.SIGINT), (b"making topics", signal.SIGHUP), (b"starting the streams worker", signal.SIGTERM)],
)
def test_told_so_before_all_is_at_work_it_ends_at_once_and_says_so(
    broker: LocalKafka,
    warehouse: Databases,
    clean_environment: pytest.MonkeyPatch,
    tmp_path: Path,
    told_at: bytes,
    number: signal.Signals,
) -> None:
    with _started(broker, tmp_path) as (demo, told):
        until(lambda: _listens(demo.pid) and told_at in told.read_bytes(), "the moment to be told", every_s=0.01)
        children = children_of(demo.pid)
        demo.send_signal(number)
        out, _ = demo.communicate(timeout=240)
    assert json.loads(out) == {"ended": "interrupted"}, told.read_text()
    assert demo.returncode == 130
    assert "Traceback" not in told.read_text()
    assert _alive(children) == []
    assert _topics_on(broker) == []


def test_killed_it_takes_its_services_along_and_the_next_one_deletes_its_topics(
    broker: LocalKafka, warehouse: Databases, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with _started(broker, tmp_path) as (demo, told):
        until(lambda: b"samples" in told.read_bytes(), "all is at work")
        children = children_of(demo.pid)
        demo.kill()
    assert len(children) == SERVICES
    until(lambda: not _alive(children), "the services are gone")
    left = _topics_on(broker)
    assert left
    [database] = warehouse()
    with _started(broker, tmp_path) as (demo, told):
        until(lambda: b"making topics" in told.read_bytes(), "the next demo starts")
        assert f"deleting topics {left[0].split('-')[0]}-" in told.read_text()
        until(lambda: f"dropping database {database} of a run that was killed" in told.read_text(), "it is dropped")
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=240)
    until(lambda: _topics_on(broker) == [], "no topic is left")


def test_killed_it_takes_its_own_servers_along(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with _started(None, tmp_path) as (demo, told):
        until(lambda: b"starting the streams worker" in told.read_bytes(), "both servers are up")
        kafka, clickhouse = LocalKafka(tmp_path), LocalClickHouse(tmp_path)
        pids = kafka.pid, clickhouse.pid
        demo.kill()
    assert None not in pids
    until(lambda: kafka.pid is None and clickhouse.pid is None, "the servers are gone")


@contextmanager
def _started(broker: LocalKafka | None, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A demo of five connectors on this broker or its own, and the file that holds what it tells people."""
    ports = {"EVCS_KAFKA_PORT": str(free_port()), "EVCS_CLICKHOUSE_PORT": str(free_port())}
    environment = {**os.environ, **ports, "EVCS_HOME": str(home)}
    if broker is not None:
        environment["EVCS_KAFKA_BOOTSTRAP"] = broker.bootstrap
    told = home / "told"
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
        try:
            yield demo, told
        finally:
            demo.kill()


def _listens(pid: int) -> bool:
    """Whether the process has a handler for SIGINT, which it was started to ignore."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if birth_of(pid)]


def _topics_on(broker: LocalKafka) -> list[str]:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    return [name for name in admin.list_topics(timeout=10).topics if name.startswith("demo-")]


def test_a_cluster_that_refuses_is_one_line_and_not_asked_to_tidy_up(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_cluster: KafkaCluster, **_: object) -> None:
        raise ClusterProblem("topics can't be made")

    for step in ("begin", "close"):
        clean_environment.setattr(DemoWarehouse, step, lambda _warehouse: None)

    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    clean_environment.setenv("EVCS_HOME", str(tmp_path))
    clean_environment.setattr(run, "id_of", lambda _cluster: "an id")
    clean_environment.setattr(run, "create_topics", refuse)
    clean_environment.setattr(run, "delete_topics", lambda _cluster: pytest.fail("there is nothing to delete"))
    ran = CliRunner().invoke(evcs, ["demo", "--seconds", "1"])
    assert isinstance(ran.exception, ClusterProblem)
    assert json.loads(ran.stdout.splitlines()[-1]) == {"ended": "failed", "error": "topics can't be made"}
