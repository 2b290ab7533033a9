"""Questions about ends are answered again soon after a broker's restart, however they fell into it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.ends import Ends, Partition
from infra.local.broker import LocalKafka
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOPIC = all_topics()["station-catalog"]
PARTITIONS: list[Partition] = [(TOPIC.name, number) for number in range(TOPIC.partitions)]

#: A leader's epoch that was learned while the cluster was choosing is forgotten once it is refused.
ANSWERED_AGAIN_WITHIN_S = 20.0


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path, port=0, die_with_parent=True) as kafka:
        yield kafka


def test_a_brokers_restart_does_not_leave_questions_unanswered(own_broker: LocalKafka) -> None:
    cluster = KafkaCluster(bootstrap=own_broker.bootstrap)
    create_topics(cluster, topics=[TOPIC])
    ends = Ends(cluster)

    def answered_whole() -> bool:
        """Asks without a pause, as a router does while records wait."""
        ends.ask(PARTITIONS, time.monotonic())
        answer = ends.answer()
        return answer is not None and set(answer[1]) == set(PARTITIONS)

    until(answered_whole, "an answer", every_s=0.01)
    own_broker.kill()
    began = time.monotonic()
    while time.monotonic() - began < 3:
        assert not answered_whole()
        time.sleep(0.01)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(own_broker.start)
        while not starting.done():
            answered_whole()
            time.sleep(0.01)
        assert starting.result()
    until(answered_whole, "an answer after the restart", ANSWERED_AGAIN_WITHIN_S, every_s=0.01)
