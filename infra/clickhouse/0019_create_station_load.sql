-- What each connector added to the load of its station in each minute, as the streams derived it. A minute has a row, or
-- several that merge: the rest of a minute that was cut by a restart, samples that came late.
-- shard by: cityHash64(station_id)
CREATE TABLE IF NOT EXISTS $database.station_load_parts
(
    station_id String CODEC(ZSTD) COMMENT 'StationID, no unit',
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    -- One minute follows another.
    minute_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'Beginning of the minute, UTC',
    first_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'First sample of the minute, UTC, to the ms: of several rows the earliest counts',
    first_wh Int64 CODEC(Delta, ZSTD) COMMENT 'Register then, Wh',
    last_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD)
        COMMENT 'Last sample of the minute, UTC, to the ms: of several rows the latest counts',
    last_wh Int64 CODEC(Delta, ZSTD) COMMENT 'Register then, Wh',
    peak_w Int32 CODEC(ZSTD)
        COMMENT 'Highest power of a sample, of several rows the greatest counts: volts by amperes, phases added up, W',
    charging Bool CODEC(ZSTD)
        COMMENT 'Whether a sample was taken while charging, no unit: true counts'
)
-- A row that comes again is the same in all columns; one that differs in any says something of its own.
ENGINE = ReplacingMergeTree
-- By day, so that what is too old goes in whole parts.
PARTITION BY toYYYYMMDD(minute_at)
ORDER BY (station_id, minute_at, connector_id, first_at, first_wh, last_at, last_wh, peak_w, charging)
-- As long as the samples that it was made of.
TTL toDateTime(minute_at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Load by connector and minute; ask station_load, which merges the rows of a minute';

-- The average is what the register rose by, over the time in which it did: energy is what is paid for, whatever the
-- phases and the power factor. Of a single sample it is that sample's power. The peak is seen in volts and amperes only,
-- since a register of whole Wh tells of ten seconds to 0.36 kW; of three phases they are taken to be in phase. A
-- register that fell within the minute tells nothing, and counts as 0 here.
CREATE OR REPLACE VIEW $database.station_load
(
    station_id String COMMENT 'StationID, no unit',
    minute_at DateTime64(3, 'UTC') COMMENT 'Beginning of the minute, UTC; minutes of Beijing begin with them',
    average_kw Float64 COMMENT 'Average power of all its connectors, by their registers, kW',
    peak_kw Float64 COMMENT 'The connectors'' highest powers of the minute, added up: at most so much was drawn at once, kW',
    charging UInt64 COMMENT 'Connectors that were charging, counted',
    heard_of UInt64 COMMENT 'Connectors of which a sample came, counted'
)
AS SELECT
    station_id,
    minute_at,
    round(sum(if(last.1 > first.1,
        greatest(last.2 - first.2, 0) * 3600. / (toUnixTimestamp64Milli(last.1) - toUnixTimestamp64Milli(first.1)),
        peak / 1000.)), 3) AS average_kw,
    sum(peak) / 1000 AS peak_kw,
    countIf(was_charging) AS charging,
    count() AS heard_of
FROM
(
    SELECT
        station_id,
        minute_at,
        connector_id,
        min((first_at, first_wh)) AS first,
        max((last_at, last_wh)) AS last,
        max(peak_w) AS peak,
        max(charging) AS was_charging
    FROM $database.station_load_parts
    GROUP BY station_id, minute_at, connector_id
)
GROUP BY station_id, minute_at
COMMENT 'Load by station and minute: average and peak power, connectors charging and heard of';
