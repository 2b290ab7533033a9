"""Blocks that come again with their token: dropped where they were, and put where they were not."""

import pytest

from connectors.errors import WarehouseError
from connectors.warehouse.sink.insertion import SETTINGS
from connectors.warehouse.sink.sources import SOURCES, Source
from tests.connectors.warehouse.sink.records import CODEC, TELEMETRY, forms_of, payloads, recent
from tests.infra.clickhouse.database import Database

pytestmark = pytest.mark.clickhouse


def insert(database: Database, source: Source, values: list[bytes], token: str) -> None:
    file = forms_of(source).of(values[0][:5]).file.of(values)
    database.client.insert(f"INSERT INTO {source.table} FORMAT Avro", file, token, SETTINGS)


def count(database: Database, table: str) -> int:
    """Rows, those that are there twice counted twice."""
    ((found,),) = database.rows(f"SELECT count() FROM {table}")
    return int(found)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_a_block_that_comes_again_is_dropped(source: Source, database: Database) -> None:
    for _ in range(3):
        insert(database, source, [CODEC.encode(recent(source.record))], "again")
    assert count(database, source.table) == 1
    database.client.run(f"TRUNCATE TABLE {source.table}")


def test_a_large_block_is_one_part(database: Database) -> None:
    insert(database, TELEMETRY, payloads(70_000), "large")
    days = database.rows(
        "SELECT partition_id, count() FROM system.parts "
        "WHERE active AND table = 'telemetry' AND database = currentDatabase() GROUP BY partition_id"
    )
    assert len(days) > 1
    assert {parts for _, parts in days} == {1}
    database.client.run("TRUNCATE TABLE telemetry")


def test_a_block_that_did_not_reach_the_hours_does_when_it_comes_again(database: Database) -> None:
    database.client.run("TRUNCATE TABLE connector_hours")
    database.client.run("CREATE TABLE nowhere (n UInt8) ENGINE = MergeTree ORDER BY n")
    database.client.run("CREATE MATERIALIZED VIEW stumble TO nowhere AS SELECT toUInt8(throwIf(1)) AS n FROM telemetry")
    with pytest.raises(WarehouseError):
        insert(database, TELEMETRY, payloads(5), "cut off")
    database.client.run("DROP VIEW stumble")
    for _ in range(2):
        insert(database, TELEMETRY, payloads(5), "cut off")
    assert count(database, "telemetry") == 5
    assert count(database, "connector_hours") == 1
