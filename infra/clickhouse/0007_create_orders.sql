-- Finalized orders: money. The nightly check adds up those that ended on a day, the audit looks single ones up.
-- shard by: cityHash64(start_charge_seq)
CREATE TABLE IF NOT EXISTS $database.orders
(
    start_charge_seq String CODEC(ZSTD) COMMENT 'StartChargeSeq, no unit',
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    equipment_id String CODEC(ZSTD) COMMENT 'EquipmentID, no unit',
    station_id String CODEC(ZSTD) COMMENT 'StationID, no unit',
    charge_model Int32 CODEC(ZSTD)
        COMMENT 'What started the charge, no unit: 0 unknown, 1 city platform, 2 card, 3 other without card',
    started_at DateTime64(3, 'UTC') CODEC(ZSTD) COMMENT 'Start of the charge, UTC, to the ms',
    ended_at DateTime64(3, 'UTC') CODEC(ZSTD) COMMENT 'End of the charge, UTC, to the ms',
    -- Amounts are decimals of the scale that they are reported with: sums of them are exact.
    energy_kwh Decimal(14, 2) CODEC(ZSTD) COMMENT 'Energy, kWh',
    elec_money Decimal(14, 2) CODEC(ZSTD) COMMENT 'Money for electricity, CNY',
    service_money Decimal(14, 2) CODEC(ZSTD) COMMENT 'Money for service, CNY',
    total_money Decimal(14, 2) CODEC(ZSTD) COMMENT 'Money in all, CNY: as billed, even where its parts add up to something else',
    stop_reason Int32 CODEC(ZSTD) COMMENT 'StopReason, no unit: 99 if not reported',
    -- The tariff periods, as arrays of equal length.
    `periods.started_at` Array(DateTime64(3, 'UTC')) CODEC(ZSTD) COMMENT 'Start of each tariff period, UTC, to the ms',
    `periods.ended_at` Array(DateTime64(3, 'UTC')) CODEC(ZSTD) COMMENT 'End of each tariff period, UTC, to the ms',
    `periods.elec_price` Array(Decimal(10, 4)) CODEC(ZSTD) COMMENT 'Price of electricity in each, CNY/kWh',
    `periods.service_price` Array(Decimal(10, 4)) CODEC(ZSTD) COMMENT 'Price of service in each, CNY/kWh',
    `periods.energy_kwh` Array(Decimal(14, 2)) CODEC(ZSTD) COMMENT 'Energy in each, kWh',
    `periods.elec_money` Array(Decimal(14, 2)) CODEC(ZSTD) COMMENT 'Money for electricity in each, CNY',
    `periods.service_money` Array(Decimal(14, 2)) CODEC(ZSTD) COMMENT 'Money for service in each, CNY',
    -- A person's name is kept for as long as the order can be delivered again, no longer.
    user_name String CODEC(ZSTD) TTL toDateTime(ended_at) + INTERVAL 90 DAY
        COMMENT 'Name of the customer, no unit: may be empty, and is after 90 days',
    connector_power_kw Decimal(8, 1) CODEC(ZSTD) COMMENT 'Rated power of the connector, kW: 0 if unknown',
    meter_start_kwh Decimal(14, 2) CODEC(ZSTD) COMMENT 'Register at the start, kWh',
    meter_end_kwh Decimal(14, 2) CODEC(ZSTD) COMMENT 'Register at the end, kWh',
    billed Bool CODEC(ZSTD) COMMENT 'Whether the amounts are those of the back office, no unit',
    flags Array(LowCardinality(String)) CODEC(ZSTD) COMMENT 'What is remarkable about the order, no unit'
)
-- An order that comes again is the same, unless its bill came between: then the billed one counts, whichever is
-- inserted last.
ENGINE = ReplacingMergeTree(billed)
PARTITION BY toYYYYMM(ended_at)
ORDER BY start_charge_seq
-- Accounts of a year are looked into for years.
TTL toDateTime(ended_at) + INTERVAL 5 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Finalized charge orders, one per StartChargeSeq; read with FINAL, since an order may come twice';
