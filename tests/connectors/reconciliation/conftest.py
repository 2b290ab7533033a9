"""A night on real servers."""

from collections.abc import Iterator

import pytest

from schemas.cluster import KafkaCluster
from tests.connectors.reconciliation.at_night import Stand, a_city
from tests.infra.clickhouse.database import Database


@pytest.fixture
def stand(kafka: KafkaCluster, tables: Database) -> Iterator[Stand]:
    """Topics, tables and a platform, all empty."""
    with a_city() as city:
        yield Stand(kafka, tables.warehouse, tables, city)
