-- The ledger of delivery: every attempt to tell a platform of anything, and what came of it.
-- shard by: cityHash64(key)
CREATE TABLE IF NOT EXISTS $database.attempts
(
    -- A few words each.
    platform LowCardinality(String) CODEC(ZSTD) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) CODEC(ZSTD) COMMENT 'Interface of the push, no unit',
    key String CODEC(ZSTD) COMMENT 'StartChargeSeq of what tells of a charge, ConnectorID of a status, no unit',
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    attempt Int32 CODEC(ZSTD) COMMENT 'Number of the attempt, counted from 1',
    due_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD) COMMENT 'When the record was due at first, UTC, to the ms',
    started_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD) COMMENT 'When this attempt began, UTC, to the ms',
    latency_ms Int32 CODEC(ZSTD) COMMENT 'How long the call took, ms',
    http_status Nullable(Int32) CODEC(ZSTD) COMMENT 'HTTP status of the answer, no unit: null without one',
    ret Nullable(Int32) CODEC(ZSTD) COMMENT 'Ret of the answer, no unit: null without one that can be read',
    outcome LowCardinality(String) CODEC(ZSTD) COMMENT 'What followed from it, no unit',
    error String CODEC(ZSTD) COMMENT 'Why it was not taken, no unit: empty when it was',
    next_due_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD)
        COMMENT 'When it is sent again, UTC, to the ms: null if it is not, or as soon as the platform is back'
)
-- A line of the ledger that comes again is the same in all of these.
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
-- By what was told: the audit asks who was told of an order, and when.
ORDER BY (key, platform, interface, started_at, attempt)
-- That a platform was told of an order is proven for as long as the order is kept; of the rest, which is nearly all,
-- a quarter is looked into.
TTL toDateTime(started_at) + INTERVAL 90 DAY DELETE WHERE interface NOT IN (
        'notification_charge_order_info', 'notification_charge_order_info_for_bonus', 'check_charge_orders'),
    toDateTime(started_at) + INTERVAL 5 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every attempt to tell a platform; read with FINAL, since a line may come twice';
