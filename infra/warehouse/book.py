"""The table `migrations`: which files were applied, when, and what they said then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.warehouse.client import WarehouseClient
from infra.warehouse.migration import Migration

_COLUMNS = """(
    number UInt32,
    name String,
    checksum String COMMENT 'SHA-256 of the file',
    applied_at DateTime64(3, 'UTC')
)"""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the table holds of one file."""

    number: int
    name: str
    checksum: str
    applied_at: datetime


class Book:
    """The table in the warehouse's database. On a cluster every node holds all of it."""

    def __init__(self, client: WarehouseClient) -> None:
        self._client = client
        self._database = client.warehouse.database
        self._cluster = client.warehouse.cluster

    def make(self) -> None:
        """Makes the database and the table, where they are not there."""
        on_cluster = f" ON CLUSTER '{self._cluster}'" if self._cluster else ""
        if not self._exists("databases", "name = {database:String}"):  # who may make tables may not make databases
            self._client.run(f"CREATE DATABASE IF NOT EXISTS {self._database}{on_cluster}")
        engine = "ReplacingMergeTree(applied_at)"
        if self._cluster:
            path = f"'/clickhouse/tables/all/{self._database}/migrations'"
            engine = f"ReplicatedReplacingMergeTree({path}, '{{shard}}-{{replica}}', applied_at)"
        self._client.run(
            f"CREATE TABLE IF NOT EXISTS {self._database}.migrations{on_cluster} {_COLUMNS} "
            f"ENGINE = {engine} ORDER BY number"
        )

    def read(self) -> Mapping[int, Applied]:
        """What was applied, by number; nothing where there is no table yet."""
        if not self._exists("tables", "database = {database:String} AND name = 'migrations'"):
            return {}
        rows = self._client.rows(
            f"SELECT number, name, checksum, applied_at FROM {self._database}.migrations FINAL ORDER BY number"  # noqa: S608
        )
        return {row[0]: Applied(*row) for row in rows}

    def note(self, migration: Migration) -> None:
        """Remembers that all of `migration` is done, by the server's clock."""
        self._client.run(
            f"INSERT INTO {self._database}.migrations "
            "SELECT {number:UInt32}, {name:String}, {checksum:String}, now64(3)",
            {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        )

    def _exists(self, what: str, which: str) -> bool:
        sql = f"SELECT 1 FROM system.{what} WHERE {which}"  # noqa: S608
        return bool(self._client.rows(sql, {"database": self._database}))
