"""What the tests share: one real broker and one real ClickHouse for the session, and a cluster or a database of its own
for each test that asks."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.local.broker import LocalKafka
from infra.local.clickhouse.node import LocalClickHouse
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.infra.clickhouse.database import Database
from tests.memory_folder import folder_in_memory, has_room_in_memory

# Whether a run passes depends on the code alone: examples are the same in every run, and none is too slow. Others are
# tried with `--hypothesis-profile=default`.
settings.register_profile("repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="kill three times as often, and run the tests so marked")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What takes long comes first: the last of several workers is not left alone with it.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, "whole" not in item.path.parts))
    if not config.getoption("--thorough"):
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether time does not matter: a test that kills does it more often."""
    return bool(pytestconfig.getoption("--thorough"))


@pytest.fixture(scope="session")
def server_homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the session's servers: in memory, where there is room, since a disk makes every topic and table
    wait."""
    if not has_room_in_memory():
        yield tmp_path_factory.mktemp("servers")
        return
    with folder_in_memory() as folder:
        yield folder


@pytest.fixture(scope="session")
def broker(server_homes: Path) -> Iterator[LocalKafka]:
    """A real Kafka broker on a free port, which ends with the test session however that ends."""
    kafka = LocalKafka(server_homes / "kafka", port=0, die_with_parent=True)
    kafka.start()
    yield kafka
    kafka.stop()


@pytest.fixture
def kafka(broker: LocalKafka) -> Iterator[KafkaCluster]:
    """A cluster on the session's broker with topics of its own, made and empty: those of the files. A test that needs
    a platform's makes them, `create_topics(kafka, topics=delivery_topics([…]))`; all are deleted behind it."""
    cluster = KafkaCluster(bootstrap=broker.bootstrap, topic_prefix=f"t{uuid.uuid4().hex[:8]}-")
    create_topics(cluster, topics=all_topics().values())
    yield cluster
    delete_topics(cluster)


@pytest.fixture(scope="session")
def clickhouse_server(server_homes: Path) -> Iterator[LocalClickHouse]:
    """A real ClickHouse on a free port, which ends with the test session however that ends."""
    server = LocalClickHouse(server_homes / "clickhouse", port=0, die_with_parent=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clickhouse(clickhouse_server: LocalClickHouse) -> Iterator[Warehouse]:
    """A warehouse on the session's ClickHouse with a database of its own, made and empty; it is dropped behind the
    test. Migrations are the test's to run."""
    warehouse = clickhouse_server.warehouse(f"t{uuid.uuid4().hex[:8]}")
    client = WarehouseClient(warehouse, in_database=False)
    client.run(f"CREATE DATABASE {warehouse.database}")
    yield warehouse
    client.run(f"DROP DATABASE {warehouse.database} SYNC")
    client.close()


class _Tables:
    """The database with tables that one test has after the other, as they were made."""

    def __init__(self, server: LocalClickHouse) -> None:
        self._server = server
        self._database: Database | None = None
        self._schema: list[tuple[Any, ...]] = []

    def lend(self) -> Database:
        """It, made anew if the last test has changed its tables."""
        if self._database and self._database.schema() != self._schema:
            self.drop()
        if not self._database:
            self._database = Database(self._server.warehouse(f"t{uuid.uuid4().hex[:8]}"))
            self._schema = self._database.schema()
        self._database.empty()
        return self._database

    def drop(self) -> None:
        """Deletes it."""
        if self._database:
            self._database.client.run(f"DROP DATABASE {self._database.name} SYNC")
            self._database.close()
            self._database = None


@pytest.fixture(scope="session")
def _tables(clickhouse_server: LocalClickHouse) -> Iterator[_Tables]:
    kept = _Tables(clickhouse_server)
    yield kept
    kept.drop()


@pytest.fixture
def tables(_tables: _Tables) -> Database:
    """A database on the session's ClickHouse with the warehouse's tables, all empty."""
    return _tables.lend()


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No EVCS_* variable of the machine reaches the test."""
    for name in os.environ:
        if name.startswith("EVCS_"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def data_folder() -> Path:
    """Where the tests' data files lie."""
    return Path(__file__).parent / "data"
