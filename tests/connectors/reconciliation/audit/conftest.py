"""A day in a database of the test's own."""

from collections.abc import Iterator

import pytest

from connectors.warehouse.settings import Warehouse
from tests.connectors.reconciliation.audit.day import Day
from tests.infra.clickhouse.database import Database


@pytest.fixture
def database(clickhouse: Warehouse) -> Iterator[Database]:
    """A database with the tables, empty."""
    made = Database(clickhouse)
    yield made
    made.close()


@pytest.fixture
def a_day(database: Database) -> Day:
    """Nothing has happened on it yet."""
    return Day(database)
