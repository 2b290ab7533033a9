"""What a cluster gets. There is none here: the SQL is compared, and given to ClickHouse's own parser."""

import pytest

from connectors.errors import WarehouseRefused
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.warehouse.cluster import ClusterRenderer
from infra.warehouse.errors import BadMigration
from infra.warehouse.migration import Migration, load_migrations
from tests.infra.warehouse.samples import FIRST, SECOND, migration

ON = "ON CLUSTER 'main'"
SHARDED = "-- shard by: x\nCREATE TABLE $database.t (x Int8) ENGINE = MergeTree ORDER BY x;\n"
DISTRIBUTED = f"CREATE TABLE IF NOT EXISTS d.t {ON} AS d.t_local ENGINE = Distributed('main', 'd', 't_local', x)"


def rendered(*migrations: Migration) -> list[str]:
    renderer = ClusterRenderer("main", "d")
    return [" ".join(sql.split()) for one in migrations for sql in renderer.render(one)]


def behind_a_table(text: str) -> list[str]:
    """What `text` becomes behind a migration that made the table `t`."""
    return rendered(migration(SHARDED), migration(text))[2:]


def test_every_kind_of_statement() -> None:
    found = rendered(FIRST, SECOND)
    assert found[0].startswith(
        f"CREATE TABLE IF NOT EXISTS d.telemetry_local {ON} ( connector_id LowCardinality(String)"
    )
    assert (
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/d/telemetry', '{replica}', sampled_at) "
        "PARTITION BY toYYYYMM(sampled_at) ORDER BY (connector_id, sampled_at) "
        "SETTINGS replicated_deduplication_window = 1000"
    ) in found[0]
    assert found[1] == (
        f"CREATE TABLE IF NOT EXISTS d.telemetry {ON} AS d.telemetry_local "
        "ENGINE = Distributed('main', 'd', 'telemetry_local', cityHash64(connector_id))"
    )
    assert (
        "ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/d/electricity', '{replica}')" in found[2]
    )
    assert found[3].endswith("Distributed('main', 'd', 'electricity_local', cityHash64(connector_id))")
    assert found[4] == (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS d.electricity_of_telemetry {ON} TO d.electricity_local AS "
        "SELECT connector_id, toDate(sampled_at, 'Asia/Shanghai') AS day, maxState(meter_wh) AS last "
        "FROM d.telemetry_local GROUP BY connector_id, day"
    )
    assert found[5] == (
        f"CREATE VIEW IF NOT EXISTS d.electricity_by_day {ON} AS "
        "SELECT connector_id, day, maxMerge(last) AS meter_wh FROM d.electricity GROUP BY connector_id, day"
    )
    assert found[6:] == [
        f"ALTER TABLE d.telemetry_local {ON} ADD COLUMN IF NOT EXISTS soc_pct Float32 AFTER meter_wh",
        f"ALTER TABLE d.telemetry {ON} ADD COLUMN IF NOT EXISTS soc_pct Float32 AFTER meter_wh",
    ]


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("MergeTree", "ReplicatedMergeTree('/clickhouse/tables/{shard}/d/t', '{replica}')"),
        ("MergeTree()", "ReplicatedMergeTree('/clickhouse/tables/{shard}/d/t', '{replica}')"),
        (
            "SummingMergeTree((a, f(b)))",
            "ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/d/t', '{replica}', (a, f(b)))",
        ),
        (
            "CollapsingMergeTree( sign )",
            "ReplicatedCollapsingMergeTree('/clickhouse/tables/{shard}/d/t', '{replica}', sign)",
        ),
    ],
)
@pytest.mark.parametrize("equals", [" = ", " ", "="])
def test_engines(engine: str, expected: str, equals: str) -> None:
    found = rendered(
        migration(f"-- shard by: x\nCREATE TABLE $database.t (x Int8) ENGINE{equals}{engine} ORDER BY (x);")
    )
    assert found == [f"CREATE TABLE d.t_local {ON} (x Int8) ENGINE{equals}{expected} ORDER BY (x)", DISTRIBUTED]


def test_a_table_that_keeps_nothing_is_spread_as_well() -> None:
    found = rendered(migration("-- shard by: x\nCREATE TABLE $database.t (x Int8) ENGINE = Null"))
    assert found == [f"CREATE TABLE d.t_local {ON} (x Int8) ENGINE = Null", DISTRIBUTED]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "DROP TABLE IF EXISTS $database.t SYNC",
            ["DROP TABLE IF EXISTS d.t {on} SYNC", "DROP TABLE IF EXISTS d.t_local {on} SYNC"],
        ),
        ("DROP VIEW $database.v", ["DROP VIEW d.v {on}"]),
        ("TRUNCATE TABLE $database.t", ["TRUNCATE TABLE d.t_local {on}"]),
        ("OPTIMIZE TABLE $database.t FINAL", ["OPTIMIZE TABLE d.t_local {on} FINAL"]),
        ("CREATE OR REPLACE VIEW $database.v AS SELECT 1", ["CREATE OR REPLACE VIEW d.v {on} AS SELECT 1"]),
        ("CREATE DATABASE IF NOT EXISTS $database", ["CREATE DATABASE IF NOT EXISTS d {on}"]),
        (
            "CREATE FUNCTION IF NOT EXISTS double AS (x) -> x * 2",
            ["CREATE FUNCTION IF NOT EXISTS double {on} AS (x) -> x * 2"],
        ),
        ("INSERT INTO $database.t SELECT 1", ["INSERT INTO d.t SELECT 1"]),
        (
            "ALTER TABLE $database.t MODIFY COLUMN x Int16, DROP COLUMN y, ADD INDEX i f(x, y) TYPE minmax",
            [
                "ALTER TABLE d.t_local {on} MODIFY COLUMN x Int16, DROP COLUMN y, ADD INDEX i f(x, y) TYPE minmax",
                "ALTER TABLE d.t {on} MODIFY COLUMN x Int16, DROP COLUMN y",
            ],
        ),
        (
            "ALTER TABLE $database.t MODIFY TTL a + INTERVAL 1 DAY",
            ["ALTER TABLE d.t_local {on} MODIFY TTL a + INTERVAL 1 DAY"],
        ),
        ("ALTER TABLE $database.t MATERIALIZE COLUMN x", ["ALTER TABLE d.t_local {on} MATERIALIZE COLUMN x"]),
        (
            "ALTER TABLE $database.v MODIFY QUERY SELECT x FROM $database.t",
            ["ALTER TABLE d.v {on} MODIFY QUERY SELECT x FROM d.t_local"],
        ),
        (
            "CREATE MATERIALIZED VIEW $database.v TO $database.`t` AS SELECT 1 FROM $database.u, $database.t",
            ["CREATE MATERIALIZED VIEW d.v {on} TO d.t_local AS SELECT 1 FROM d.u, d.t_local"],
        ),
    ],
)
def test_statements_about_a_table_that_is_there(text: str, expected: list[str]) -> None:
    assert behind_a_table(text) == [one.replace("{on}", ON) for one in expected]


def test_a_dropped_table_is_forgotten() -> None:
    found = behind_a_table("DROP TABLE $database.t; ALTER TABLE $database.t MODIFY QUERY SELECT 1")
    assert found[2:] == [f"ALTER TABLE d.t {ON} MODIFY QUERY SELECT 1"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "CREATE TABLE $database.t (x Int8) ENGINE = MergeTree ORDER BY x",
            "shard by: <expression>` is missing before table t",
        ),
        ("-- shard by: x\nCREATE TABLE $database.t (x Int8)", "table t has no ENGINE"),
        ("-- shard by: x\nCREATE TABLE $database.t (x Int8) ENGINE =", "an engine that a single ClickHouse has"),
        (
            "-- shard by: x\nCREATE TABLE $database.t (x Int8) ENGINE = ReplicatedMergeTree ORDER BY x",
            "an engine that a single",
        ),
        ("-- shard by: x\nCREATE TABLE t (x Int8) ENGINE = MergeTree ORDER BY x", r"a name like \$database\.name"),
        (
            "CREATE MATERIALIZED VIEW $database.v ENGINE = MergeTree ORDER BY x AS SELECT 1 AS x",
            "must write TO a table",
        ),
        ("RENAME TABLE $database.t TO $database.u", "RENAME can't be rendered"),
        ("GRANT SELECT ON $database.t TO bob", "GRANT can't be rendered"),
        ("CREATE USER bob", "CREATE of something that is no table, view"),
    ],
)
def test_what_can_not_be_rendered(text: str, reason: str) -> None:
    with pytest.raises(BadMigration, match=rf"^0001_create_sample\.sql: .*{reason}"):
        rendered(migration(text))


@pytest.mark.clickhouse
@pytest.mark.parametrize("migrations", [[FIRST, SECOND], load_migrations()], ids=["samples", "packaged"])
def test_clickhouse_can_parse_it(clickhouse: Warehouse, migrations: list[Migration]) -> None:
    renderer = ClusterRenderer("main", "d")
    client = WarehouseClient(clickhouse)
    try:
        for one in migrations:
            for sql in renderer.render(one):
                client.run(f"EXPLAIN AST {sql}")
        with pytest.raises(WarehouseRefused, match="SYNTAX_ERROR"):
            client.run("EXPLAIN AST CREATE TABLE d.t ON CLUSTER (x Int8) ENGINE = Log")
    finally:
        client.close()
