"""Migrations on a real ClickHouse: applied once each, in order, and again after a crash."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.errors import WarehouseAway, WarehouseRefused
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.local.ports import free_port
from infra.warehouse.book import Applied
from infra.warehouse.errors import MigrationFailed, MigrationsDiffer
from infra.warehouse.migration import load_migrations
from infra.warehouse.runner import Migrator, State, compare
from tests.infra.warehouse.samples import FIRST, SECOND, migration

THIRD = migration("CREATE TABLE IF NOT EXISTS $database.c (x Int8) ENGINE = Memory", "0003_create_c.sql")


@pytest.fixture
def client(clickhouse: Warehouse) -> Iterator[WarehouseClient]:
    client = WarehouseClient(clickhouse, in_database=False)
    yield client
    client.close()


def states(migrator: Migrator) -> list[State]:
    return [line.state for line in migrator.status()]


@pytest.mark.clickhouse
def test_each_is_applied_once(client: WarehouseClient) -> None:
    told: list[str] = []
    migrator = Migrator(client, [FIRST, SECOND])
    assert states(migrator) == [State.PENDING, State.PENDING]
    assert migrator.migrate(told.append) == [FIRST.name, SECOND.name]
    assert told == [f"applying {FIRST.name}", f"applying {SECOND.name}"]
    assert migrator.migrate() == []
    assert states(migrator) == [State.APPLIED, State.APPLIED]
    applied = migrator.status()[0].applied
    assert applied is not None
    assert abs((datetime.now(UTC) - applied.applied_at).total_seconds()) < 600

    database = client.warehouse.database
    client.insert(
        f"INSERT INTO {database}.telemetry FORMAT CSV",
        b"c1,2026-01-01 15:59:59.000,100,1\nc1,2026-01-01 16:00:00.000,110,1\n",
    )
    rows = client.rows(f"SELECT toString(day), meter_wh FROM {database}.electricity_by_day ORDER BY day")
    assert rows == [("2026-01-01", 100), ("2026-01-02", 110)]


@pytest.mark.clickhouse
def test_later_files_are_applied_later(client: WarehouseClient) -> None:
    assert Migrator(client, [FIRST]).migrate() == [FIRST.name]
    assert states(Migrator(client, [FIRST, SECOND])) == [State.APPLIED, State.PENDING]
    assert Migrator(client, [FIRST, SECOND]).migrate() == [SECOND.name]


@pytest.mark.clickhouse
def test_a_database_that_is_not_there_is_made(client: WarehouseClient) -> None:
    client.run(f"DROP DATABASE {client.warehouse.database}")
    migrator = Migrator(client, [THIRD])
    assert states(migrator) == [State.PENDING]
    assert migrator.migrate() == [THIRD.name]


@pytest.mark.clickhouse
def test_a_file_that_fails_in_the_middle_is_taken_up_again(client: WarehouseClient) -> None:
    broken = migration(
        "CREATE TABLE IF NOT EXISTS $database.a (x Int8) ENGINE = Log; CREATE TABLE $database.b (x None) ENGINE = Log;",
        "0001_create_a.sql",
    )
    with pytest.raises(
        MigrationFailed, match=r"0001_create_a\.sql, statement 2 \(CREATE TABLE .*UNKNOWN_TYPE"
    ) as failed:
        Migrator(client, [broken, SECOND]).migrate()
    assert failed.value.number == 2
    assert states(Migrator(client, [broken, SECOND])) == [State.PENDING, State.PENDING]
    mended = migration(
        "CREATE TABLE IF NOT EXISTS $database.a (x Int8) ENGINE = Memory; SELECT throwIf(0);", "0001_create_a.sql"
    )
    assert Migrator(client, [mended]).migrate() == ["0001_create_a.sql"]


@pytest.mark.clickhouse
def test_nothing_is_applied_over_a_file_that_has_changed(client: WarehouseClient) -> None:
    Migrator(client, [FIRST]).migrate()
    changed = migration("SELECT 1", FIRST.name)
    migrator = Migrator(client, [changed, THIRD])
    with pytest.raises(
        MigrationsDiffer, match=r"0001_create_telemetry\.sql is changed since it was applied.*put it back"
    ):
        migrator.migrate()
    assert states(migrator) == [State.CHANGED, State.PENDING]
    assert not client.rows(
        "SELECT 1 FROM system.tables WHERE database = {d:String} AND name = 'c'", {"d": client.warehouse.database}
    )


@pytest.mark.clickhouse
def test_a_file_that_was_overtaken_is_told_to_come_last(client: WarehouseClient) -> None:
    Migrator(client, [THIRD]).migrate()
    with pytest.raises(MigrationsDiffer) as refused:
        Migrator(client, [FIRST, THIRD]).migrate()
    assert str(refused.value) == (
        f"{FIRST.name} is pending, though later ones are applied. "
        "A new file comes last: give it a number behind all that are applied"
    )


@pytest.mark.clickhouse
def test_a_statement_that_was_noted_twice_counts_once(client: WarehouseClient) -> None:
    Migrator(client, [FIRST]).migrate()
    database = client.warehouse.database
    client.run(f"INSERT INTO {database}.migrations SELECT number, name, checksum, now64(3) FROM {database}.migrations")
    assert states(Migrator(client, [FIRST])) == [State.APPLIED]


@pytest.mark.clickhouse
def test_the_packaged_ones_can_be_applied_again_and_again(client: WarehouseClient) -> None:
    migrations = load_migrations()
    assert Migrator(client, migrations).migrate() == [one.name for one in migrations]
    client.run(f"TRUNCATE TABLE {client.warehouse.database}.migrations")  # as if each had crashed before it was noted
    assert Migrator(client, migrations).migrate() == [one.name for one in migrations]


def test_a_warehouse_that_is_away_is_told() -> None:
    client = WarehouseClient(Warehouse(f"http://127.0.0.1:{free_port()}"), in_database=False)
    with pytest.raises(WarehouseAway):
        Migrator(client, [FIRST]).migrate()
    client.close()


@pytest.mark.parametrize(
    ("files", "applied", "expected"),
    [
        ([1, 2], {}, [State.PENDING, State.PENDING]),
        ([1, 2], {1: 1}, [State.APPLIED, State.PENDING]),
        ([1, 2], {1: 1, 2: 1}, [State.APPLIED, State.CHANGED]),
        ([1, 2, 3], {1: 1, 3: 3}, [State.APPLIED, State.OVERTAKEN, State.APPLIED]),
        ([1], {1: 1, 2: 2}, [State.APPLIED, State.GONE]),
        ([], {}, []),
    ],
)
def test_files_beside_what_was_applied(files: list[int], applied: dict[int, int], expected: list[State]) -> None:
    """A number's text is another number's, where it has changed."""
    by_number = {1: FIRST, 2: SECOND, 3: THIRD}
    book = {
        number: Applied(number, by_number[number].name, by_number[text].checksum, datetime.now(UTC))
        for number, text in applied.items()
    }
    assert [line.state for line in compare([by_number[number] for number in files], book)] == expected


def test_a_renamed_file_has_changed() -> None:
    book = {1: Applied(1, "0001_create_other.sql", FIRST.checksum, datetime.now(UTC))}
    assert [line.state for line in compare([FIRST], book)] == [State.CHANGED]


@pytest.mark.clickhouse
def test_on_a_cluster_that_the_server_does_not_know(client: WarehouseClient) -> None:
    """As far as one goes without a cluster: the database is there, and its table is asked for `ON CLUSTER`."""
    clustered = WarehouseClient(replace(client.warehouse, cluster="main"), in_database=False)
    try:
        with pytest.raises(WarehouseRefused, match="main"):
            Migrator(clustered, [FIRST]).migrate()
    finally:
        clustered.close()
