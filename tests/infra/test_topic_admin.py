"""Topics on a real broker: made once, compared with their files, deleted; and clusters that can't be used."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from connectors.delivery.topics import delivery_topics, is_delivery_topic
from connectors.platform import load_platforms
from connectors.protocol.errors import BadProfile
from infra.errors import ClusterProblem, NoAnswer, OperatorError
from infra.topic_admin import (
    broker_count,
    create_topics,
    declared_topics,
    delete_topics,
    differences,
    id_of,
    require_broker,
    topics_there,
)
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.connectors.test_platform import GOOD

STATIC = list(all_topics().values())
NAMES = list(all_topics())
KEYED = all_topics()["charge-orders"]


def admin(cluster: KafkaCluster) -> AdminClient:
    return AdminClient({**cluster.client_config(), "log_level": 0})


def alter(cluster: KafkaCluster, name: str, entry: ConfigEntry) -> None:
    """Changes one setting of a topic."""
    client = admin(cluster)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    client.incremental_alter_configs([resource])[resource].result(timeout=60)


def until(condition: Callable[[], object], timeout_s: float = 120.0) -> None:
    """The cluster's answers lag behind what was asked of it."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def present(cluster: KafkaCluster) -> set[str]:
    """The declared names of the topics of this prefix."""
    listed = admin(cluster).list_topics(timeout=60).topics
    return {name.removeprefix(cluster.topic_prefix) for name in listed if name.startswith(cluster.topic_prefix)}


@pytest.mark.kafka
class TestOnABroker:
    def test_made_topics_are_as_declared(self, kafka: KafkaCluster) -> None:
        assert present(kafka) == set(NAMES)
        assert differences(kafka, STATIC) == []
        listed = admin(kafka).list_topics(timeout=60).topics
        for topic in all_topics().values():
            assert len(listed[kafka.topic(topic.name)].partitions) == topic.partitions

    def test_creating_again_makes_what_is_missing_and_no_more(self, kafka: KafkaCluster) -> None:
        every = sorted(map(kafka.topic, NAMES))
        assert create_topics(kafka, topics=STATIC) == ([], every)
        delete_topics(kafka, [KEYED])
        until(lambda: KEYED.name not in present(kafka))
        gone = kafka.topic(KEYED.name)
        assert create_topics(kafka, topics=STATIC) == ([gone], [name for name in every if name != gone])
        assert create_topics(kafka, replication=3, topics=STATIC) == ([], every)

    def test_a_missing_topic_is_told(self, kafka: KafkaCluster) -> None:
        delete_topics(kafka, [KEYED])
        until(lambda: KEYED.name not in present(kafka))
        assert differences(kafka, STATIC) == [f"{kafka.topic(KEYED.name)} is missing: run `evcs topics create`"]

    def test_other_partitions_are_told(self, kafka: KafkaCluster) -> None:
        name = kafka.topic(KEYED.name)
        client = admin(kafka)
        client.create_partitions([NewPartitions(name, KEYED.partitions + 1)])[name].result(timeout=60)
        until(lambda: differences(kafka, STATIC))
        (told,) = differences(kafka, STATIC)
        assert told.startswith(f"{name} has {KEYED.partitions + 1} partitions, {KEYED.partitions} are declared")

    @pytest.mark.parametrize(
        ("topic", "key", "value", "declared"),
        [
            ("charge-orders", "retention.ms", "60000", str(KEYED.retention_ms)),
            ("charge-orders", "cleanup.policy", "compact", "delete"),
            ("connector-state", "max.compaction.lag.ms", "1", "3600000"),
        ],
    )
    def test_a_changed_setting_is_told(
        self, topic: str, key: str, value: str, declared: str, kafka: KafkaCluster
    ) -> None:
        name = kafka.topic(topic)
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        alter(kafka, name, entry)
        until(lambda: differences(kafka, STATIC))
        assert differences(kafka, STATIC) == [f"{name}: {key} is {value}, {declared} is declared"]

    def test_a_setting_that_went_back_to_its_default_is_told_as_one(self, kafka: KafkaCluster) -> None:
        name = kafka.topic(KEYED.name)
        entry = ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE)
        alter(kafka, name, entry)
        until(lambda: differences(kafka, STATIC))
        assert differences(kafka, STATIC) == [
            f"{name}: retention.ms is 604800000 by default, {KEYED.retention_ms} is declared"
        ]

    def test_every_difference_is_told_at_once(self, kafka: KafkaCluster) -> None:
        delete_topics(kafka)
        until(lambda: not present(kafka))
        assert differences(kafka, STATIC) == [
            f"{kafka.topic(name)} is missing: run `evcs topics create`" for name in NAMES
        ]

    def test_deleting_again_is_no_error(self, kafka: KafkaCluster) -> None:
        delete_topics(kafka)
        until(lambda: not present(kafka))
        delete_topics(kafka)
        assert present(kafka) == set()

    def test_of_no_topics_none_is_made_and_none_deleted(self, kafka: KafkaCluster) -> None:
        assert create_topics(kafka, topics=[]) == ([], [])
        delete_topics(kafka, topics=[])
        assert present(kafka) == set(NAMES)

    def test_another_prefix_is_left_alone(self, kafka: KafkaCluster) -> None:
        other = KafkaCluster(bootstrap=kafka.bootstrap, topic_prefix=f"{kafka.topic_prefix}other-")
        try:
            create_topics(other, topics=[KEYED])
            delete_topics(other)
            until(lambda: not present(other))
            assert differences(kafka, STATIC) == []
        finally:
            delete_topics(other)

    def test_topics_that_follow_from_the_profiles(self, kafka: KafkaCluster) -> None:
        declared = declared_topics()
        names = {topic.name for topic in declared}
        assert differences(kafka) == [
            f"{kafka.topic(t.name)} is missing: run `evcs topics create`" for t in declared if t.name not in NAMES
        ]
        made, there = create_topics(kafka)
        assert {*made, *there} == set(map(kafka.topic, names))
        assert len(there) == len(NAMES)
        assert present(kafka) == names
        assert differences(kafka) == []

    def test_deleting_takes_the_topics_of_any_platform(self, kafka: KafkaCluster) -> None:
        template = declared_topics(["beijing"])[-1]
        gone = [replace(template, name=name) for name in ("delivery-atlantis-orders", "delivery-retry-7s")]
        others = replace(template, name="delivery-vans")
        create_topics(kafka, topics=[*gone, others])
        delete_topics(kafka)
        until(lambda: present(kafka) == {others.name})
        delete_topics(kafka, [others])

    def test_a_broker_answers(self, kafka: KafkaCluster) -> None:
        require_broker(kafka)
        assert id_of(kafka) not in ("", kafka.bootstrap)
        assert broker_count(admin(kafka), kafka) == 1


class TestDeclaredTopics:
    def test_they_are_those_of_the_files_and_of_every_platform(self) -> None:
        platforms = load_platforms().platforms
        assert declared_topics() == [*STATIC, *delivery_topics(platforms.values())]
        assert len({topic.name for topic in declared_topics()}) == len(declared_topics())

    def test_those_of_some_platforms_only(self) -> None:
        names = {topic.name for topic in declared_topics(["beijing"])} - set(NAMES)
        assert {"delivery-beijing-orders", "delivery-beijing-states", "delivery-retry-150s"} <= names
        assert not any("chengdu" in name for name in names)
        assert "delivery-retry-15s" not in names

    def test_each_of_delivery_is_known_by_its_name_and_none_of_the_files(self) -> None:
        for topic in declared_topics():
            assert is_delivery_topic(topic.name) == (topic.name not in NAMES)

    def test_a_name_without_a_profile(self) -> None:
        with pytest.raises(OperatorError, match="no platform 'atlantis': there are beijing, chengdu"):
            declared_topics(["beijing", "atlantis"])

    def test_a_bad_profile_has_no_topics_and_keeps_no_other_from_its_own(
        self, tmp_path: Path, clean_environment: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "atlantis.toml").write_text("title =")
        clean_environment.setenv("EVCS_PLATFORMS", str(tmp_path))
        names = [topic.name for topic in declared_topics()]
        assert "delivery-beijing-orders" in names
        assert "delivery-atlantis-orders" not in names
        with pytest.raises(BadProfile, match=r"atlantis\.toml"):
            declared_topics(["atlantis"])

    def test_an_own_profile_has_topics(self, tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
        (tmp_path / "city.toml").write_text(GOOD + "[interfaces.notification_charge_order_info]\ndeadline_s = 1\n")
        clean_environment.setenv("EVCS_PLATFORMS", str(tmp_path))
        assert "delivery-city-orders-dlq" in [topic.name for topic in declared_topics()]


class Away:
    """An admin client whose cluster has gone; it is not waited for longer than somebody watches a still screen."""

    def __init__(self, *_: object) -> None: ...

    def list_topics(self, timeout: float) -> object:
        assert 0 < timeout <= 10
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))


@pytest.mark.parametrize("ask", [create_topics, differences, delete_topics, topics_there])
@pytest.mark.parametrize(
    "security",
    [
        {"security.protocol": "SSL", "ssl.ca.location": "/nowhere.pem"},
        {"security.protocol": "SASL_SSL", "sasl.mechanism": "NONSENSE"},
    ],
)
def test_a_client_that_can_not_be_made(ask: Callable[[KafkaCluster], object], security: dict[str, str]) -> None:
    with pytest.raises(ClusterProblem, match=r"EVCS_KAFKA_\*: "):
        ask(KafkaCluster(bootstrap="127.0.0.1:1", security=security))


@pytest.mark.parametrize("ask", [create_topics, differences, delete_topics, require_broker, topics_there])
def test_a_cluster_that_does_not_answer(ask: Callable[[KafkaCluster], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.topic_admin.AdminClient", Away)
    with pytest.raises(NoAnswer, match="no Kafka broker answers at kafka-1:9092") as caught:
        ask(KafkaCluster(bootstrap="kafka-1:9092"))
    assert "EVCS_KAFKA_BOOTSTRAP" in str(caught.value)
    assert "\n" not in str(caught.value)
