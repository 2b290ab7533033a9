"""A replay's topics keep old records, and its worker knows nothing of the operator's own."""

from dataclasses import fields

from infra.replay.run import worker_environment
from infra.replay.topics import topics_of_streams
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from streams.domain.policy import TrackingPolicy
from streams.settings import Clock, StreamsSettings


def test_no_topic_drops_records_for_their_age() -> None:
    for topic in topics_of_streams():
        config = topic.config(3)
        assert (config["retention.ms"], config["cleanup.policy"]) == ("-1", "delete")
        assert config["min.insync.replicas"] == "2"
        assert "max.compaction.lag.ms" not in config


def test_the_topics_are_those_that_a_worker_uses() -> None:
    names = {topic.name for topic in topics_of_streams()}
    assert {"charger-telemetry", "charge-events", "station-catalog", "connector-state", "charge-orders"} <= names
    assert names <= set(all_topics())


def test_the_worker_goes_by_event_time_and_default_waits_whatever_the_environment_says() -> None:
    cluster = KafkaCluster("broker:1", topic_prefix="replay-0123abcd-")
    operators = {
        "EVCS_KAFKA_BOOTSTRAP": "broker:1",
        "EVCS_STREAMS_GROUP": "production",
        "EVCS_STREAMS_CLOCK": "wall",
        **{f"EVCS_STREAMS_{f.name.upper()}": "1" for f in fields(TrackingPolicy)},
    }
    environment = {**operators, **worker_environment(cluster, "replay-0123abcd-evcs-streams")}
    assert StreamsSettings.from_env(environment) == StreamsSettings(
        cluster=cluster, group="replay-0123abcd-evcs-streams", clock=Clock.EVENT, policy=TrackingPolicy()
    )
