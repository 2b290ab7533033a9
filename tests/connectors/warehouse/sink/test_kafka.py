"""What Kafka itself may do to the sink: refuse it its rights, and be away."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from connectors.errors import KafkaRefused
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.commits import Commits
from connectors.warehouse.sink.service import Sink
from infra.local.broker import LocalKafka
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.connectors.warehouse.sink.on_engine import PATIENCE_S, committed, ends, put, running, settings, until
from tests.connectors.warehouse.sink.records import payloads

TELEMETRY = "charger-telemetry"
NOWHERE = Warehouse(url="http://127.0.0.1:9")


class Taking:
    """A warehouse that takes everything."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return []

    def insert(self, sql: str, data: bytes, token: str = "", settings: Mapping[str, str | int] | None = None) -> int:
        return 1


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """A broker that asks for rights, of which everybody has all that nobody was denied."""
    overrides = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    broker = LocalKafka(tmp_path_factory.mktemp("guarded"), port=0, die_with_parent=True, overrides=overrides)
    with broker:
        cluster = KafkaCluster(bootstrap=broker.bootstrap)
        create_topics(cluster, topics=all_topics().values())
        yield cluster


def deny(cluster: KafkaCluster, kind: ResourceType, name: str, operation: AclOperation) -> None:
    """Nobody may do this any more."""
    denied = AclBinding(
        kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, AclPermissionType.DENY
    )
    admin = AdminClient(cluster.client_config())
    for future in admin.create_acls([denied]).values():
        future.result(timeout=30)


def ends_with(cluster: KafkaCluster, group: str) -> str:
    """How a sink ends that is not told to."""
    sink = Sink(settings(cluster, NOWHERE, group), Taking())
    told_to_stop = threading.Timer(PATIENCE_S, sink.stop)
    told_to_stop.start()
    with pytest.raises(KafkaRefused) as caught:
        sink.run()
    told_to_stop.cancel()
    return str(caught.value)


@pytest.mark.kafka
def test_a_group_that_it_may_not_join_ends_it(guarded: KafkaCluster) -> None:
    deny(guarded, ResourceType.GROUP, "closed", AclOperation.READ)
    assert "Group authorization failed" in ends_with(guarded, "closed")


@pytest.mark.kafka
def test_credentials_that_are_refused_end_it(guarded: KafkaCluster) -> None:
    """The broker here knows of no credentials at all."""
    security = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "sink",
        "sasl.password": "wrong",
    }
    assert "SASL" in ends_with(replace(guarded, security=security), "stranger")


@pytest.mark.kafka
def test_a_topic_that_it_may_not_read_ends_it(guarded: KafkaCluster) -> None:
    """Last, since the topic is closed to all that follow."""
    deny(guarded, ResourceType.TOPIC, "charge-orders", AclOperation.READ)
    assert "charge-orders: Broker: Topic authorization failed" in ends_with(guarded, "reader")


@pytest.mark.parametrize("whole", [True, False])
def test_a_commit_that_is_refused_is_no_passing_fault(whole: bool) -> None:
    commits = Commits()
    denied = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    place = SimpleNamespace(topic=TELEMETRY, partition=0, offset=5, error=None if whole else denied)
    asked = [cast(TopicPartition, place)]
    if whole:
        commits.answered(KafkaError(KafkaError._TIMED_OUT), asked)
        assert commits.refusal is None
    commits.answered(denied if whole else None, asked)
    assert "offsets can't be committed" in str(commits.refusal)


@pytest.mark.kafka
def test_an_outage_is_told_once_and_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def told() -> list[str]:
        lines = [line.getMessage() for line in caplog.records if line.name == "connectors.warehouse.sink.service"]
        return [line for line in lines if line.startswith("Kafka ")]

    with LocalKafka(tmp_path, port=0, die_with_parent=True) as broker:
        cluster = KafkaCluster(bootstrap=broker.bootstrap)
        create_topics(cluster, topics=all_topics().values())
        chosen = settings(cluster, NOWHERE)
        with running(chosen, Taking()):
            put(cluster, TELEMETRY, *payloads(10))
            until(lambda: committed(chosen) == ends(cluster))
            broker.kill()
            until(told)
            time.sleep(3)
            broker.start()
            until(lambda: told()[-1].startswith("Kafka is back after "))
            put(cluster, TELEMETRY, *payloads(10, first=10))
            until(lambda: committed(chosen) == ends(cluster) and told()[-1].startswith("Kafka is back after "))
    # A broker that starts may answer, and then not answer once more: each of these outages is told, and ended, once.
    lines = told()
    assert set(lines[::2]) == {"Kafka is waited for: no broker answers"}
    assert all(line.startswith("Kafka is back after ") for line in lines[1::2])
    assert len(lines) in (2, 4)
