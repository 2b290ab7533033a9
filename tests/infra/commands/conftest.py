"""What the tests of commands on a real broker share."""

import pytest

from connectors.delivery.topics import delivery_topics
from connectors.platform import load_platforms
from connectors.warehouse.settings import Warehouse
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster


@pytest.fixture
def at(kafka: KafkaCluster, clean_environment: pytest.MonkeyPatch) -> KafkaCluster:
    """The cluster of the test, with Beijing's topics, as the environment's."""
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", kafka.bootstrap)
    clean_environment.setenv("EVCS_TOPIC_PREFIX", kafka.topic_prefix)
    create_topics(kafka, topics=delivery_topics([load_platforms().platforms["beijing"]]))
    return kafka


@pytest.fixture
def warehouse(clickhouse: Warehouse, clean_environment: pytest.MonkeyPatch) -> Warehouse:
    """The test's own database as the environment's warehouse."""
    clean_environment.setenv("EVCS_CLICKHOUSE_URL", clickhouse.url)
    clean_environment.setenv("EVCS_CLICKHOUSE_PASSWORD", clickhouse.password.reveal())
    clean_environment.setenv("EVCS_CLICKHOUSE_DATABASE", clickhouse.database)
    return clickhouse
