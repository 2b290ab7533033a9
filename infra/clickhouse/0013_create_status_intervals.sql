CREATE OR REPLACE VIEW $database.statuses
(
    connector_id String COMMENT 'ConnectorID, no unit',
    equipment_id String COMMENT 'EquipmentID, no unit',
    station_id String COMMENT 'StationID, no unit',
    day Date COMMENT 'Day on which the status held, Beijing time',
    observed_at DateTime64(3, 'Asia/Shanghai') COMMENT 'When the status held, Beijing time, to the ms',
    kind LowCardinality(String) COMMENT 'Why it goes out, no unit: CHANGED or HEARTBEAT',
    status Int32
        COMMENT 'Status of the connector, no unit: 0 offline, 1 idle, 2 plugged not charging, 3 charging, 4 reserved, 255 fault',
    previous_status Nullable(Int32) COMMENT 'Status before, no unit: as status, null when first seen or a heartbeat',
    park_status Int32 COMMENT 'Parking place, no unit: 0 unknown, 10 free, 50 taken',
    lock_status Int32 COMMENT 'Ground lock, no unit: 0 unknown, 10 unlocked, 50 locked'
)
AS SELECT
    connector_id,
    equipment_id,
    station_id,
    toDate(observed_at, 'Asia/Shanghai') AS day,
    toTimeZone(observed_at, 'Asia/Shanghai') AS observed_at,
    kind,
    status,
    previous_status,
    park_status,
    lock_status
FROM $database.status_changes FINAL
COMMENT 'Status changes and three-hour heartbeats, each once';

-- A status holds until the connector's next row, a day at the most: heartbeats come every three hours, so of a
-- connector that was not heard of for a day nobody knows. Neither is known what it was before its first row. What
-- follows does not depend on the days that are asked for, but for being cut at their ends, and at the present instant.
--
-- Of each connector the newest row before the days is read besides their own. Of two rows of one instant a change
-- counts and not a heartbeat. Heartbeats within an interval do not part it.
CREATE OR REPLACE VIEW $database.status_intervals
(
    connector_id String COMMENT 'ConnectorID, no unit',
    station_id String COMMENT 'StationID, no unit',
    status Int32
        COMMENT 'Status of the connector, no unit: 0 offline, 1 idle, 2 plugged not charging, 3 charging, 4 reserved, 255 fault',
    started_at DateTime64(3, 'Asia/Shanghai') COMMENT 'From when it held, within the days, Beijing time, to the ms',
    ended_at DateTime64(3, 'Asia/Shanghai') COMMENT 'Until when it held, within the days, Beijing time, to the ms',
    duration_s Decimal(18, 3) COMMENT 'From the one to the other, s'
)
AS WITH
    86400000 AS holds_ms,
    toDateTime64({first_day:Date}, 3, 'Asia/Shanghai') AS since,
    toDateTime64({last_day:Date} + 1, 3, 'Asia/Shanghai') AS until,
    toUnixTimestamp64Milli(since) AS since_ms,
    least(toUnixTimestamp64Milli(until), toUnixTimestamp64Milli(now64(3))) AS until_ms,
    connectors AS
    (
        SELECT connector_id FROM $database.station_connectors WHERE station_id = {station_id:String}
    ),
    observations AS
    (
        SELECT connector_id, station_id, status, kind = 'CHANGED' AS changed, toUnixTimestamp64Milli(observed_at) AS at_ms
        FROM $database.status_changes FINAL
        WHERE ({station_id:String} = '' OR connector_id GLOBAL IN connectors)
            AND observed_at >= since - INTERVAL 1 DAY AND observed_at < until
            AND (observed_at >= since OR (connector_id, observed_at) GLOBAL IN
            (
                SELECT connector_id, max(observed_at) FROM $database.status_changes
                WHERE ({station_id:String} = '' OR connector_id GLOBAL IN connectors)
                    AND observed_at >= since - INTERVAL 1 DAY AND observed_at < since
                GROUP BY connector_id
            ))
    ),
    held AS
    (
        SELECT
            connector_id,
            station_id,
            status,
            greatest(at_ms, since_ms) AS from_ms,
            least(at_ms + holds_ms, until_ms, leadInFrame(at_ms, 1, until_ms) OVER (
                PARTITION BY connector_id ORDER BY at_ms, changed, status, station_id
                ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)) AS to_ms
        FROM observations
    ),
    breaks AS
    (
        SELECT *, (station_id, status, from_ms) != lagInFrame((station_id, status, to_ms)) OVER (
            PARTITION BY connector_id ORDER BY from_ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS begins
        FROM held
        WHERE from_ms < to_ms
    ),
    runs AS
    (
        SELECT *, sum(begins) OVER (
            PARTITION BY connector_id ORDER BY from_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
        FROM breaks
    )
SELECT
    r.connector_id AS connector_id,
    any(r.station_id) AS station_id,
    any(r.status) AS status,
    fromUnixTimestamp64Milli(min(from_ms), 'Asia/Shanghai') AS started_at,
    fromUnixTimestamp64Milli(max(to_ms), 'Asia/Shanghai') AS ended_at,
    toDecimal64(max(to_ms) - min(from_ms), 3) / 1000 AS duration_s
FROM runs AS r
WHERE {station_id:String} = '' OR r.station_id = {station_id:String}
GROUP BY r.connector_id, r.run
COMMENT 'status_intervals(station_id, first_day, last_day): how long each status held; '''' means all stations';
