"""A day in a database of the test's own."""

import pytest

from tests.connectors.reconciliation.audit.day import Day
from tests.infra.clickhouse.database import Database


@pytest.fixture
def database(tables: Database) -> Database:
    """A database with the tables, empty."""
    return tables


@pytest.fixture
def a_day(database: Database) -> Day:
    """Nothing has happened on it yet."""
    return Day(database)
