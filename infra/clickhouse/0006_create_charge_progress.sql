-- Where each charge stood when the platforms were told: at its start, every 50 s, and at its stop. The sample that lies
-- in such a record is a row of telemetry already, so it is left out.
-- shard by: cityHash64(start_charge_seq)
CREATE TABLE IF NOT EXISTS $database.charge_progress
(
    start_charge_seq String CODEC(ZSTD) COMMENT 'StartChargeSeq, no unit',
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    station_id String CODEC(ZSTD) COMMENT 'StationID, no unit',
    charge_model Int32 CODEC(ZSTD)
        COMMENT 'What started the charge, no unit: 0 unknown, 1 city platform, 2 card, 3 other without card',
    started_at DateTime64(3, 'UTC') CODEC(ZSTD)
        COMMENT 'Start of the charge, UTC, to the ms',
    -- Three words; a fourth would be no new table.
    kind LowCardinality(String) CODEC(ZSTD)
        COMMENT 'Why it goes out, no unit: STARTED, PERIODIC or STOPPED',
    -- Every 50 s within a charge.
    due_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'When it was due, UTC, to the ms',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'When its sample was taken, or the charge stopped, UTC, to the ms',
    connector_status Int32 CODEC(ZSTD)
        COMMENT 'Status of the connector, no unit: 0 offline, 1 idle, 2 plugged not charging, 3 charging, 4 reserved, 255 fault',
    -- Energy and money of a charge only grow, by about as much each time.
    energy_wh Int64 CODEC(Delta, ZSTD) COMMENT 'Energy so far, Wh',
    elec_money_fen Int64 CODEC(Delta, ZSTD) COMMENT 'Money for electricity so far, 0.01 CNY',
    service_money_fen Int64 CODEC(Delta, ZSTD) COMMENT 'Money for service so far, 0.01 CNY',
    -- The tariff periods so far, as arrays of equal length.
    `periods.started_at` Array(DateTime64(3, 'UTC')) CODEC(ZSTD) COMMENT 'Start of each tariff period, UTC, to the ms',
    `periods.ended_at` Array(DateTime64(3, 'UTC')) CODEC(ZSTD) COMMENT 'End of each tariff period, UTC, to the ms',
    `periods.elec_price_e4` Array(Int64) CODEC(ZSTD) COMMENT 'Price of electricity in each, 1/10000 CNY/kWh',
    `periods.service_price_e4` Array(Int64) CODEC(ZSTD) COMMENT 'Price of service in each, 1/10000 CNY/kWh',
    `periods.energy_wh` Array(Int64) CODEC(ZSTD) COMMENT 'Energy in each, Wh',
    `periods.elec_money_fen` Array(Int64) CODEC(ZSTD) COMMENT 'Money for electricity in each, 0.01 CNY',
    `periods.service_money_fen` Array(Int64) CODEC(ZSTD) COMMENT 'Money for service in each, 0.01 CNY'
)
-- What is derived again is due at the same instant.
ENGINE = ReplacingMergeTree
-- By day, so that what is too old goes in whole parts.
PARTITION BY toYYYYMMDD(due_at)
ORDER BY (start_charge_seq, due_at, kind)
-- The order says what came of it; how it came to that is looked into for a quarter, like samples.
TTL toDateTime(due_at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Progress of charges as platforms are told of it; read with FINAL, since a row may come twice';
