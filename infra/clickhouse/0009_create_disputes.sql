-- Orders that a platform contests, when it was told of them or in the nightly check.
-- shard by: cityHash64(start_charge_seq)
CREATE TABLE IF NOT EXISTS $database.disputes
(
    start_charge_seq String CODEC(ZSTD) COMMENT 'StartChargeSeq, no unit',
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    -- A few words each.
    platform LowCardinality(String) CODEC(ZSTD) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) CODEC(ZSTD) COMMENT 'Interface whose answer says so, no unit',
    code Int32 CODEC(ZSTD) COMMENT 'ConfirmResult, or DisputeReason of check_charge_orders, no unit',
    -- Decimals of the scale that they are reported with: sums of them are exact.
    energy_kwh Decimal(14, 2) CODEC(ZSTD) COMMENT 'Energy that was reported, kWh',
    total_money Decimal(14, 2) CODEC(ZSTD) COMMENT 'Money that was reported, CNY',
    disputed_at DateTime64(3, 'UTC') CODEC(ZSTD) COMMENT 'When the answer came, UTC, to the ms'
)
-- A dispute that comes again is the same in all of these; one of another night is another row.
ENGINE = ReplacingMergeTree
ORDER BY (start_charge_seq, platform, interface, code, disputed_at)
-- As long as orders.
TTL toDateTime(disputed_at) + INTERVAL 5 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Contested orders; read with FINAL, since a row may come twice';
