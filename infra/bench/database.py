"""A database for the time of a benchmark, with the warehouse's tables in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.warehouse.migration import load_migrations
from infra.warehouse.runner import Migrator


@contextmanager
def tables(warehouse: Warehouse) -> Iterator[WarehouseClient]:
    """Makes them, empty; drops the database behind the block. Raises WarehouseError."""
    admin = WarehouseClient(warehouse, in_database=False)
    client = WarehouseClient(warehouse)
    try:
        Migrator(admin, load_migrations()).migrate()
        yield client
    finally:
        client.close()
        admin.run(f"DROP DATABASE IF EXISTS {warehouse.database} SYNC")
        admin.close()


def environment_of(warehouse: Warehouse) -> dict[str, str]:
    """What a process finds it by."""
    return {
        "EVCS_CLICKHOUSE_URL": warehouse.url,
        "EVCS_CLICKHOUSE_USER": warehouse.user,
        "EVCS_CLICKHOUSE_PASSWORD": warehouse.password.reveal(),
        "EVCS_CLICKHOUSE_DATABASE": warehouse.database,
    }
