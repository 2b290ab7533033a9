"""Small migrations of the tests' own, with every kind of statement."""

from infra.warehouse.migration import Migration

TELEMETRY = """-- Samples; a `;` in a comment ends nothing;
-- shard by: cityHash64(connector_id)
CREATE TABLE IF NOT EXISTS $database.telemetry (
    connector_id LowCardinality(String) COMMENT 'a;b ENGINE = Log',
    sampled_at DateTime64(3, 'UTC'),
    meter_wh Int64
)
ENGINE = ReplacingMergeTree(sampled_at)
PARTITION BY toYYYYMM(sampled_at)
ORDER BY (connector_id, sampled_at)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS $database.electricity (
    connector_id String,
    day Date,
    last AggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (connector_id, day);

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.electricity_of_telemetry TO $database.electricity AS
SELECT connector_id, toDate(sampled_at, 'Asia/Shanghai') AS day, maxState(meter_wh) AS last
FROM $database.telemetry
GROUP BY connector_id, day;

CREATE VIEW IF NOT EXISTS $database.electricity_by_day AS
SELECT connector_id, day, maxMerge(last) AS meter_wh FROM $database.electricity GROUP BY connector_id, day
"""

ADDITION = "ALTER TABLE $database.telemetry ADD COLUMN IF NOT EXISTS soc_pct Float32 AFTER meter_wh;\n"


def migration(text: str, name: str = "0001_create_sample.sql") -> Migration:
    """A migration of this text."""
    return Migration.of(name, text)


FIRST = migration(TELEMETRY, "0001_create_telemetry.sql")
SECOND = migration(ADDITION, "0002_extend_telemetry.sql")
