"""The tables, in a database of the test module's own."""

from collections.abc import Iterator

import pytest

from connectors.warehouse.client import WarehouseClient
from infra.local.clickhouse.node import LocalClickHouse
from tests.infra.clickhouse.database import Database


@pytest.fixture(scope="module")
def database(clickhouse_server: LocalClickHouse, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database with the tables, empty."""
    warehouse = clickhouse_server.warehouse(request.module.__name__.rpartition(".")[2])
    database = Database(warehouse)
    yield database
    database.close()
    admin = WarehouseClient(warehouse, in_database=False)
    admin.run(f"DROP DATABASE {warehouse.database} SYNC")
    admin.close()
