-- Every change of a connector's status, and the heartbeats in between, as they were derived for the platforms.
-- shard by: cityHash64(connector_id)
CREATE TABLE IF NOT EXISTS $database.status_changes
(
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    equipment_id String CODEC(ZSTD) COMMENT 'EquipmentID, no unit',
    station_id String CODEC(ZSTD) COMMENT 'StationID, no unit',
    -- Two words; a third would be no new table.
    kind LowCardinality(String) CODEC(ZSTD)
        COMMENT 'Why it goes out, no unit: CHANGED or HEARTBEAT',
    status Int32 CODEC(ZSTD)
        COMMENT 'Status of the connector, no unit: 0 offline, 1 idle, 2 plugged not charging, 3 charging, 4 reserved, 255 fault',
    park_status Int32 CODEC(ZSTD)
        COMMENT 'Parking place, no unit: 0 unknown, 10 free, 50 taken',
    lock_status Int32 CODEC(ZSTD)
        COMMENT 'Ground lock, no unit: 0 unknown, 10 unlocked, 50 locked',
    previous_status Nullable(Int32) CODEC(ZSTD)
        COMMENT 'Status before, no unit: as status, null when first seen or a heartbeat',
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD)
        COMMENT 'When the status held, UTC, to the ms'
)
-- What is derived again is the same in all of these.
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(observed_at)
ORDER BY (connector_id, observed_at, kind, status, park_status, lock_status)
-- Availability is compared with the year before.
TTL toDateTime(observed_at) + INTERVAL 2 YEAR
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Status changes and three-hour heartbeats of all connectors; read with FINAL, since a row may come twice';
