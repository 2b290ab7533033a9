"""A database with the tables, for tests."""

from typing import Any

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.warehouse.migration import load_migrations
from infra.warehouse.runner import Migrator


class Database:
    """A warehouse's database, in which the tables are made."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.name = warehouse.database
        admin = WarehouseClient(warehouse, in_database=False)
        Migrator(admin, load_migrations()).migrate()
        admin.close()
        self.client = WarehouseClient(warehouse)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        return self.client.rows(query)

    def close(self) -> None:
        """Lets go of its connections."""
        self.client.close()
