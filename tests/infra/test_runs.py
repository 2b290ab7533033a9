"""What a killed run leaves is deleted by the next one on the same cluster, and what goes on is left alone."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from connectors.errors import WarehouseAway
from infra.errors import ClusterProblem
from infra.local.broker import LocalKafka
from infra.runs import database_entered, entered, tidy_up, tidy_up_databases
from infra.topic_admin import create_topics, delete_topics, id_of
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.whole.topics import until

ONE = [all_topics()["charge-orders"]]
NOWHERE = KafkaCluster("127.0.0.1:9", topic_prefix="killed-")


@pytest.fixture
def left(broker: LocalKafka, request: pytest.FixtureRequest) -> Iterator[KafkaCluster]:
    """A cluster with one topic."""
    cluster = KafkaCluster(broker.bootstrap, topic_prefix=f"{request.function.__name__[:40]}-")
    create_topics(cluster, topics=ONE)
    yield cluster
    delete_topics(cluster, topics=ONE)


def is_there(cluster: KafkaCluster) -> bool:
    listed = AdminClient({"bootstrap.servers": cluster.bootstrap}).list_topics(timeout=10).topics
    return cluster.topic(ONE[0].name) in listed


def die_inside(folder: Path, cluster: KafkaCluster, cluster_id: str) -> None:
    """A run in a process of its own, which is killed."""
    script = f"""
        import os, signal
        from pathlib import Path
        from infra.runs import entered
        from schemas.cluster import KafkaCluster
        with entered(Path({str(folder)!r}), KafkaCluster(topic_prefix={cluster.topic_prefix!r}), {cluster_id!r}):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False).returncode == -9


@pytest.mark.kafka
def test_topics_of_a_killed_run_are_deleted(left: KafkaCluster, tmp_path: Path) -> None:
    die_inside(tmp_path / "runs", left, id_of(left))
    told: list[str] = []
    tidy_up(tmp_path / "runs", replace(left, topic_prefix="another-"), id_of(left), told.append)
    assert told == [f"deleting topics {left.topic_prefix}… of a run that was killed"]
    until(lambda: not is_there(left), "the topic is deleted")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.kafka
def test_topics_of_a_run_that_goes_on_are_left_alone(left: KafkaCluster, tmp_path: Path) -> None:
    with entered(tmp_path / "runs", left, id_of(left)):
        tidy_up(tmp_path / "runs", left, id_of(left), pytest.fail)
        assert is_there(left)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_on_another_cluster_is_for_those_who_use_that(tmp_path: Path) -> None:
    die_inside(tmp_path, NOWHERE, "there")
    tidy_up(tmp_path, NOWHERE, "here", pytest.fail)
    assert [path.name for path in tmp_path.iterdir()] == ["killed-"]


def test_a_run_that_fails_is_tidied_up_by_the_next(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), entered(tmp_path, NOWHERE, "there"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["killed-"]


def test_what_can_not_be_deleted_is_told_and_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_cluster: KafkaCluster) -> None:
        raise ClusterProblem("may not")

    monkeypatch.setattr("infra.runs.delete_topics", refuse)
    die_inside(tmp_path, NOWHERE, "there")
    tidy_up(tmp_path, NOWHERE, "there", lambda _text: None)
    assert "topics killed-… are left on 127.0.0.1:9: may not" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["killed-"]


def test_without_any_run_there_is_nothing_to_do(tmp_path: Path) -> None:
    tidy_up(tmp_path / "none", NOWHERE, "there", pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_databases_of_killed_runs_are_dropped_and_others_left_alone(tmp_path: Path) -> None:
    for name, where in (("killed", "here"), ("elsewhere", "there")):
        (tmp_path / name).write_text(where)
    dropped: list[str] = []
    told: list[str] = []
    with database_entered(tmp_path, "goes_on", "here"):
        tidy_up_databases(tmp_path, "here", dropped.append, told.append)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "goes_on"]
    assert (dropped, told) == (["killed"], ["dropping database killed of a run that was killed"])
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_a_database_that_can_not_be_dropped_is_told_and_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_database: str) -> None:
        raise WarehouseAway("is away")

    (tmp_path / "killed").write_text("here")
    tidy_up_databases(tmp_path, "here", refuse, lambda _text: None)
    assert "database killed is left: is away" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["killed"]
