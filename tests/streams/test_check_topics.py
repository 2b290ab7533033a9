"""A worker looks at its topics before it starts, and says what is wrong with them."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.errors import OperatorError
from infra.local.ports import free_port
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from streams import worker
from streams.errors import BrokerAway, MisconfiguredStreams
from streams.settings import StreamsSettings
from streams.worker import check_topics
from tests.streams.worker_process import Worker
from tests.whole.topics import until

pytestmark = pytest.mark.kafka


NEEDED = [topic for topic in all_topics().values() if "streams" in {*topic.producers, *topic.consumers}]


def test_declared_topics_are_right(kafka: KafkaCluster) -> None:
    counts = worker._partition_counts(kafka, 60)
    assert {kafka.topic(topic.name): topic.partitions for topic in NEEDED}.items() <= counts.items()
    check_topics(kafka)


@pytest.mark.parametrize("missing", [None, *(topic.name for topic in NEEDED)])
def test_each_of_its_topics_is_looked_for_and_no_other(missing: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    present = {topic.name: topic.partitions for topic in NEEDED if topic.name != missing}
    monkeypatch.setattr(worker, "_partition_counts", lambda _cluster, _patience_s: present)
    if missing is None:
        check_topics(KafkaCluster())
        return
    with pytest.raises(MisconfiguredStreams, match=f"^{missing} is missing: "):
        check_topics(KafkaCluster())


def test_each_topology_looks_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    present = {"charger-telemetry": 8, "station-load": 8}
    monkeypatch.setattr(worker, "_partition_counts", lambda _cluster, _patience_s: present)
    check_topics(KafkaCluster(), StreamsSettings(topology="station_load").role)
    del present["station-load"]
    with pytest.raises(MisconfiguredStreams, match=r"^station-load is missing: "):
        check_topics(KafkaCluster(), StreamsSettings(topology="station_load").role)


def test_a_missing_topic_is_named_with_what_to_do(kafka: KafkaCluster) -> None:
    gone = kafka.topic("charge-orders")
    delete_topics(kafka, [all_topics()["charge-orders"]])

    def is_missed() -> bool:
        try:
            check_topics(kafka)
        except MisconfiguredStreams as error:
            assert str(error) == f"{gone} is missing: run `evcs topics create`"
            return True
        return False

    until(is_missed, "the topic is gone")


def test_topics_joined_by_key_must_have_as_many_partitions(kafka: KafkaCluster) -> None:
    other = replace(kafka, topic_prefix=f"{kafka.topic_prefix}odd-")
    topics = {**all_topics(), "charge-events": replace(all_topics()["charge-events"], partitions=3)}
    create_topics(other, topics=topics.values())
    with pytest.raises(MisconfiguredStreams, match=r"charger-telemetry has 8, \S*charge-events has 3, .*state has 8"):
        check_topics(other)
    delete_topics(other)


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(BrokerAway, match=r"no Kafka broker answers at 127\.0\.0\.1:.*`evcs local up`"):
        check_topics(KafkaCluster(bootstrap=f"127.0.0.1:{free_port()}"), patience_s=0)


def test_the_command_says_so_in_one_line_and_fails(kafka: KafkaCluster, tmp_path: Path) -> None:
    process = Worker(replace(kafka, topic_prefix="nobody-"), tmp_path / "streams.log")
    with pytest.raises(OperatorError, match="ended with status 1"):
        process.process.await_log("never", timeout_s=120)
    log = process.log.read_text(encoding="utf-8")
    assert "error: nobody-charge-events-dlq, " in log
    assert "are missing: run `evcs topics create`" in log
    assert "Traceback" not in log
