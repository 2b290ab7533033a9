"""The demo as a user starts it: everything at work for some seconds, nothing lost and nothing late."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import evcs
from infra.demo import run
from infra.errors import ClusterProblem
from infra.local.broker import LocalKafka
from schemas.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

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
    ran = CliRunner().invoke(evcs, ["demo", "--seconds", "15", "--connectors", "20"])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.output
    assert ran.stdout, ran.output
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert {"seconds", "telemetry", "pushes", "orders", "lost"} <= set(figures), figures
    assert (figures["lost"], figures["violations"], figures["late_examples"]) == (0, [], []), figures
    assert ran.exit_code == 0, figures
    assert figures["seconds"] >= 15
    assert figures["telemetry"] >= 20
    assert set(figures["pushes"]) >= PUSHES
    for line in figures["pushes"].values():
        assert set(line) == {"due", "confirmed", "late"}
        assert line["due"] == line["confirmed"]
        assert line["late"] == 0
    assert figures["orders"]["finalized"] == figures["orders"]["confirmed"] > 0
    assert (tmp_path / "demo" / "streams.log").stat().st_size > 0


def test_a_cluster_that_refuses_is_one_line_and_not_asked_to_tidy_up(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_cluster: KafkaCluster) -> None:
        raise ClusterProblem("no Kafka broker answers")

    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    clean_environment.setenv("EVCS_HOME", str(tmp_path))
    clean_environment.setattr(run, "create_topics", refuse)
    clean_environment.setattr(run, "delete_topics", lambda _cluster: pytest.fail("there is nothing to delete"))
    ran = CliRunner().invoke(evcs, ["demo", "--seconds", "1"])
    assert isinstance(ran.exception, ClusterProblem)
