"""Whether a Kafka cluster answers: asked by a real client for its metadata, not by a look at the port."""

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from infra.local.errors import ClusterUnreachable
from schemas.cluster import KafkaCluster

ANSWER_TIMEOUT_S = 10.0
_ASK_TIMEOUT_S = 1.0
_PAUSE_S = 0.05


def broker_count(cluster: KafkaCluster, timeout_s: float = ANSWER_TIMEOUT_S) -> int:
    """How many brokers the cluster has. Raises ClusterUnreachable if none answers within `timeout_s`."""
    told: list[str] = []

    def remember(error: KafkaError) -> None:
        told.append(error.str())

    # A connection that fails is our caller's to tell, so librdkafka's own log is silenced.
    settings: dict[str, Any] = {**cluster.client_config(), "log_level": 0, "error_cb": remember}
    try:
        admin = AdminClient(settings)
    except KafkaException as error:
        raise ClusterUnreachable(cluster.bootstrap, error.args[0].str()) from error
    try:
        return len(admin.list_topics(timeout=timeout_s).brokers)
    except KafkaException as error:
        # The time-out itself tells nothing; the callbacks that wait to be served know what failed.
        admin.poll(0)
        raise ClusterUnreachable(cluster.bootstrap, told[0] if told else error.args[0].str()) from error


def await_ready(cluster: KafkaCluster, is_alive: Callable[[], bool], timeout_s: float) -> bool:
    """Waits until the cluster answers; gives up, with False, after `timeout_s` or when `is_alive` says no."""
    deadline = time.monotonic() + timeout_s
    while is_alive():
        if time.monotonic() > deadline:
            return False
        try:
            if broker_count(cluster, _ASK_TIMEOUT_S):
                return True
        except ClusterUnreachable:
            time.sleep(_PAUSE_S)
    return False
