"""The demo's warehouse: a database of its own, made while Kafka starts, and dropped behind the demo."""

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date

from connectors.errors import WarehouseError
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.sources import SOURCES
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.progress import Progress
from infra.local.settings import LocalSettings
from infra.runs import database_entered, tidy_up_databases
from infra.warehouse.migration import load_migrations
from infra.warehouse.runner import Migrator

log = logging.getLogger(__name__)

#: What the file of a database calls the ClickHouse of this machine, wherever that listens.
_LOCAL_ID = "this machine"

#: A demo that ends early does not wait for a thread that hangs for longer.
_JOIN_S = 60.0

#: How often the warehouse is asked what it holds, s: one statement runs at a time there.
_COUNT_EVERY_S = 2.0


class DemoWarehouse:
    """`begin` it, `wait` for it, `close` it. The local ClickHouse is started for it, unless it runs or another is
    named; what was started ends with it."""

    def __init__(self, local: LocalSettings, database: str, tell: Progress) -> None:
        self._local = local
        self._database = database
        self._tell = tell
        self._cleanup = ExitStack()
        self._leaving = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="warehouse", daemon=True)
        self._warehouse: Warehouse | None = None
        self._client: WarehouseClient | None = None

    def begin(self) -> None:
        """Starts to make it."""
        self._thread.start()

    def wait(self) -> None:
        """Returns once the tables are there. Raises what kept them from it."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Drops the database and ends what was started, however far it had come."""
        self._leaving.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        try:
            self._cleanup.close()
        except WarehouseError as error:
            log.warning("database %s is left for the next demo to drop: %s", self._database, error)

    def environment(self) -> dict[str, str]:
        """What services need to know of it."""
        assert self._warehouse is not None
        return {
            "EVCS_CLICKHOUSE_URL": self._warehouse.url,
            "EVCS_CLICKHOUSE_USER": self._warehouse.user,
            "EVCS_CLICKHOUSE_PASSWORD": self._warehouse.password.reveal(),
            "EVCS_CLICKHOUSE_PASSWORD_FILE": "",
            "EVCS_CLICKHOUSE_DATABASE": self._warehouse.database,
        }

    def rows(self) -> dict[str, int]:
        """How many rows each table holds, without those that lie there twice. Raises WarehouseError."""
        assert self._client is not None
        counts = (f"SELECT '{source.table}', count() FROM {source.table} FINAL" for source in SOURCES)  # noqa: S608
        return dict(self._client.rows(" UNION ALL ".join(counts)))

    def energy_wh(self, first_day: str, last_day: str) -> int:
        """What all connectors gave on these days, Beijing time, as the tables have it, Wh. Raises WarehouseError."""
        assert self._client is not None
        days = {"first": date.fromisoformat(first_day), "last": date.fromisoformat(last_day)}
        view = "electricity(station_id = '', first_day = {first:Date}, last_day = {last:Date})"
        [(kwh,)] = self._client.rows(f"SELECT sum(energy_kwh) FROM {view}", days)  # noqa: S608
        return int(kwh * 1000)

    def _run(self) -> None:
        try:
            self._make()
        except BaseException as failure:
            self._failure = failure

    def _make(self) -> None:
        named = self._local.warehouse
        if named is None:
            server = LocalClickHouse(self._local.home, self._local.clickhouse_port, die_with_parent=True)
            if server.start(self._tell):
                self._cleanup.callback(server.stop)  # one that ran before goes on running
            named = server.warehouse()
        warehouse_id = named.url if self._local.warehouse else _LOCAL_ID
        admin = WarehouseClient(replace(named, database=self._database), in_database=False)
        self._cleanup.callback(admin.close)

        def drop(database: str) -> None:
            on_cluster = f" ON CLUSTER '{named.cluster}'" if named.cluster else ""
            admin.run(f"DROP DATABASE IF EXISTS {database}{on_cluster} SYNC")

        tidy_up_databases(self._local.databases, warehouse_id, drop, self._tell)
        if self._leaving.is_set():
            return
        self._cleanup.enter_context(database_entered(self._local.databases, self._database, warehouse_id))
        self._cleanup.callback(drop, self._database)
        Migrator(admin, load_migrations()).migrate()
        self._warehouse = replace(named, database=self._database)
        self._client = WarehouseClient(self._warehouse)
        self._cleanup.callback(self._client.close)


class Stored:
    """What the warehouse holds of what it is to hold, `due`, by table; asked for every few seconds."""

    def __init__(self, warehouse: DemoWarehouse, due: Mapping[str, int]) -> None:
        self._warehouse = warehouse
        self._due = due
        self._look_at = 0.0
        self.rows: dict[str, int] = {}

    def missing(self) -> int:
        """How many rows are not there yet. While the warehouse does not answer, what it held last counts."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _COUNT_EVERY_S
            with suppress(WarehouseError):
                self.rows = self._warehouse.rows()
        return sum(max(0, count - self.rows.get(table, 0)) for table, count in self._due.items())
