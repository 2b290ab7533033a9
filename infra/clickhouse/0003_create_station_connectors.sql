-- Which connectors have told of themselves from which station: the way from a station to its connectors' hours.
-- shard by: cityHash64(connector_id)
CREATE TABLE IF NOT EXISTS $database.station_connectors
(
    station_id String CODEC(ZSTD) COMMENT 'StationID, no unit',
    equipment_id String CODEC(ZSTD) COMMENT 'EquipmentID, no unit',
    connector_id String CODEC(ZSTD) COMMENT 'ConnectorID, no unit',
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(ZSTD)
        COMMENT 'First sample from there, UTC, to the ms',
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(ZSTD)
        COMMENT 'Last sample from there, UTC, to the ms'
)
ENGINE = AggregatingMergeTree
ORDER BY (station_id, equipment_id, connector_id)
-- Kept for good: a row a connector, which is needed for as long as any of its hours.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Stations, equipment and connectors as telemetry names them; read with FINAL, since a pair may lie in several rows';

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.telemetry_to_station_connectors TO $database.station_connectors
AS SELECT station_id, equipment_id, connector_id, min(sampled_at) AS first_at, max(sampled_at) AS last_at
FROM $database.telemetry
GROUP BY station_id, equipment_id, connector_id
COMMENT 'Takes note of where each connector is as its samples are inserted';
