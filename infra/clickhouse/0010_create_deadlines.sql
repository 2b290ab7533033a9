-- Within which time each platform wants to have what: the profiles' `deadline_s`, which `evcs warehouse migrate` puts
-- here, so that views can judge each push by its own platform. Deadlines of profiles that are gone stay for their past.
-- shard by: cityHash64(platform)
CREATE TABLE IF NOT EXISTS $database.deadlines
(
    -- A few words each.
    platform LowCardinality(String) CODEC(ZSTD) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) CODEC(ZSTD) COMMENT 'Interface of the push, no unit',
    deadline_s Float64 CODEC(ZSTD) COMMENT 'From when a record is due until it must be confirmed, s',
    noted_at DateTime64(3, 'UTC') CODEC(ZSTD) COMMENT 'When the profile was read, UTC, to the ms'
)
ENGINE = ReplacingMergeTree(noted_at)
ORDER BY (platform, interface)
-- Kept for good: a row an interface and platform.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Deadlines of pushes by platform and interface, as the profiles have them; read with FINAL';
