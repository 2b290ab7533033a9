-- Every sample of every connector, as the charger sent it.
--
-- Of all tables here: integers are as wide as Avro's, since ClickHouse cuts what is too wide without a word, so that a
-- status of 259 would read as 3; what they do not use compresses to nothing. Where there are many rows strings are
-- plain: LowCardinality halves the speed at which Avro is read, and repeated ids compress as well without it.
-- shard by: cityHash64(connector_id)
CREATE TABLE IF NOT EXISTS $database.telemetry
(
    -- These change once in hundreds of samples: of a run of them ZSTD keeps next to nothing.
    status Int32 CODEC(ZSTD)
        COMMENT 'Status of the connector, no unit: 0 offline, 1 idle, 2 plugged not charging, 3 charging, 4 reserved, 255 fault',
    park_status Int32 CODEC(ZSTD)
        COMMENT 'Parking place, no unit: 0 unknown, 10 free, 50 taken',
    lock_status Int32 CODEC(ZSTD)
        COMMENT 'Ground lock, no unit: 0 unknown, 10 unlocked, 50 locked',
    start_charge_seq String CODEC(ZSTD)
        COMMENT 'StartChargeSeq of the running charge, no unit: empty for none',
    charge_model Int32 CODEC(ZSTD)
        COMMENT 'What started the charge, no unit: 0 unknown, 1 city platform, 2 card, 3 other without card',
    -- A sample every ten seconds: the distance to the one before hardly ever changes.
    sampled_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'When the charger took the sample, UTC, to the ms',
    -- A register grows by a little at a time, or not at all.
    meter_wh Int64 CODEC(Delta, ZSTD)
        COMMENT 'Cumulative energy register of the connector, Wh',
    soc_pct Int32 CODEC(Delta, ZSTD)
        COMMENT 'State of charge of the vehicle, percent: 0 if unknown',
    -- Measured values wander: Gorilla keeps where they differ from the one before, ZSTD the runs of those that rest.
    current_a Float32 CODEC(Gorilla, ZSTD) COMMENT 'Phase A or DC output current, A',
    current_b Float32 CODEC(Gorilla, ZSTD) COMMENT 'Phase B current, A',
    current_c Float32 CODEC(Gorilla, ZSTD) COMMENT 'Phase C current, A',
    voltage_a Float32 CODEC(Gorilla, ZSTD) COMMENT 'Phase A or DC output voltage, V',
    voltage_b Float32 CODEC(Gorilla, ZSTD) COMMENT 'Phase B voltage, V',
    voltage_c Float32 CODEC(Gorilla, ZSTD) COMMENT 'Phase C voltage, V',
    -- The same in all rows of a connector, which lie together.
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    equipment_id String CODEC(ZSTD) COMMENT 'EquipmentID, no unit',
    station_id String CODEC(ZSTD) COMMENT 'StationID, no unit'
)
-- A sample that comes again is the same row.
ENGINE = ReplacingMergeTree
-- By day, so that what is too old goes in whole parts, without being written anew.
PARTITION BY toYYYYMMDD(sampled_at)
ORDER BY (connector_id, sampled_at)
-- Samples are for looking into what happened; a quarter is as long as an order can be delivered again. Their energy
-- stays in connector_hours.
TTL toDateTime(sampled_at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Samples of all connectors, a row per connector and instant; read with FINAL, since a sample may come twice';
