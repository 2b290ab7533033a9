-- What a connector's register did in each hour, in such a form that it does not matter how often, in which order, in
-- which cuts or how late the samples came: a least and a greatest are the same however often a sample is counted. The
-- first sample is the least by instant and then by register, the last one the greatest; both are plain values, so
-- FINAL, or min and max, merge them. What follows from them is said in connector_days.
-- shard by: cityHash64(connector_id)
CREATE TABLE IF NOT EXISTS $database.connector_hours
(
    connector_id String CODEC(ZSTD)
        COMMENT 'ConnectorID, no unit',
    -- One hour follows another.
    hour DateTime('UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'Beginning of the hour, UTC',
    first_sample SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), wh Int64)) CODEC(ZSTD)
        COMMENT 'First sample of the hour: its instant, UTC, to the ms, and the register then, Wh',
    last_sample SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), wh Int64)) CODEC(ZSTD)
        COMMENT 'Last sample of the hour: its instant, UTC, to the ms, and the register then, Wh',
    -- Registers grow by a little at a time, or not at all.
    min_wh SimpleAggregateFunction(min, Int64) CODEC(Delta, ZSTD)
        COMMENT 'Lowest register in the hour, Wh',
    max_wh SimpleAggregateFunction(max, Int64) CODEC(Delta, ZSTD)
        COMMENT 'Highest register in the hour, Wh',
    first_at DateTime64(3, 'UTC') ALIAS first_sample.1 COMMENT 'Instant of the first sample, UTC, to the ms',
    first_wh Int64 ALIAS first_sample.2 COMMENT 'Register at the first sample, Wh',
    last_at DateTime64(3, 'UTC') ALIAS last_sample.1 COMMENT 'Instant of the last sample, UTC, to the ms',
    last_wh Int64 ALIAS last_sample.2 COMMENT 'Register at the last sample, Wh'
)
ENGINE = AggregatingMergeTree
-- The hours of a connector's year are one stretch, and few parts are looked into for the hours nearest to a span.
PARTITION BY toYear(hour)
ORDER BY (connector_id, hour)
-- Platforms ask for up to a year, and a year's accounts are looked into for years.
TTL hour + INTERVAL 5 YEAR
-- A month of a connector is 744 rows: of granules of 8192 each connector would read ten times that. Tokens are remembered
-- here, too: a block that reached telemetry but not its hours comes again with its token, and then goes where it has
-- not been.
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Energy register by connector and hour, UTC; read with FINAL, since an hour may lie in several rows';

-- Left out is what the streams refuse as well: registers that are none, instants that are none or in the future. Of a
-- sample from the future the register would be a low one among the higher ones of the hour that it names.
--
-- Within an hour an instant and a register fit into one number, which compares as the two do: the 22 bits of the
-- milliseconds of an hour before the 40 of 1,000,000,000,000 Wh. The least and the greatest of numbers are found in
-- half the time that pairs take.
CREATE MATERIALIZED VIEW IF NOT EXISTS $database.telemetry_to_connector_hours TO $database.connector_hours
AS WITH
    toUnixTimestamp64Milli(sampled_at) % 3600000 * 1099511627776 + meter_wh AS packed,
    number -> (
        fromUnixTimestamp64Milli(toUnixTimestamp(hour) * 1000 + intDiv(number, 1099511627776), 'UTC'),
        number % 1099511627776) AS unpacked
SELECT
    connector_id,
    toStartOfHour(toDateTime(sampled_at, 'UTC')) AS hour,
    unpacked(min(packed)) AS first_sample,
    unpacked(max(packed)) AS last_sample,
    min(meter_wh) AS min_wh,
    max(meter_wh) AS max_wh
FROM $database.telemetry
WHERE meter_wh BETWEEN 0 AND 1000000000000
    AND sampled_at BETWEEN toDateTime64('1987-06-04 00:00:00', 3, 'UTC') AND now64(3, 'UTC') + INTERVAL 5 MINUTE
GROUP BY connector_id, hour
COMMENT 'Takes every sample to its hour as it is inserted';
