"""The broker's clock: learnt from the broker, as exactly as its answers are quick, whatever our own clock says."""

from dataclasses import replace

import pytest

from connectors.delivery.clock import TOPIC, BrokerClock
from infra.topic_admin import create_topics, delete_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics


@pytest.mark.kafka
def test_a_clock_that_is_wrong_learns_the_brokers(kafka: KafkaCluster) -> None:
    clock = BrokerClock(kafka, wall=lambda: wall_ms() + 90_000)
    assert clock.now_ms() > wall_ms() + 89_000
    assert clock.uncertainty_ms is None
    with clock:
        assert clock.uncertainty_ms is not None
        before, now, after = wall_ms(), clock.now_ms(), wall_ms()
    # The broker runs on this machine.
    assert before - clock.uncertainty_ms - 1 <= now <= after + clock.uncertainty_ms + 1


@pytest.mark.kafka
def test_without_its_topic_it_goes_on_by_its_own(kafka: KafkaCluster) -> None:
    nowhere = KafkaCluster(kafka.bootstrap, topic_prefix=f"{kafka.topic_prefix}y-")
    clock = BrokerClock(nowhere, wall=lambda: 1_000, monotonic=lambda: 5.0)
    assert not clock.learn()
    assert (clock.now_ms(), clock.uncertainty_ms) == (1_000, None)


@pytest.mark.kafka
def test_a_topic_with_producers_times_teaches_nothing(kafka: KafkaCluster) -> None:
    cluster = KafkaCluster(kafka.bootstrap, topic_prefix=f"{kafka.topic_prefix}x-")
    wrong = [replace(all_topics()[TOPIC], timestamps="producer")]
    create_topics(cluster, topics=wrong)
    try:
        assert not BrokerClock(cluster).learn()
    finally:
        delete_topics(cluster, wrong)


@pytest.mark.kafka
def test_a_broker_that_is_away_is_no_fault() -> None:
    with BrokerClock(KafkaCluster("127.0.0.1:1")) as clock:
        assert abs(clock.now_ms() - wall_ms()) < 60_000
        assert clock.uncertainty_ms is None
