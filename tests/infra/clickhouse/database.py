"""A database with the tables, for tests."""

from typing import Any

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.warehouse.migration import load_migrations
from infra.warehouse.runner import Migrator


class Database:
    """A warehouse's database, in which the tables are made."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.name = warehouse.database
        admin = WarehouseClient(warehouse, in_database=False)
        Migrator(admin, load_migrations()).migrate()
        admin.close()
        self.client = WarehouseClient(warehouse)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        return self.client.rows(query)

    def schema(self) -> list[tuple[Any, ...]]:
        """Every table and view as it would be made again."""
        return self.rows(
            "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY 1"
        )

    def empty(self) -> None:
        """Deletes all rows but the notes of what is migrated."""
        filled = self.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND total_rows > 0 AND name != 'migrations' AND engine LIKE '%MergeTree'"
        )
        for (table,) in filled:
            self.client.run(f"TRUNCATE TABLE {table} SYNC")

    def close(self) -> None:
        """Lets go of its connections."""
        self.client.close()
