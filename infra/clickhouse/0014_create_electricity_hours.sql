-- As in electricity, but by hour: what the register rose by within an hour belongs to it, and a rise from the last
-- sample of an hour to the first one of a later hour is divided at the hours' beginnings in proportion to time, in
-- whole Wh. The hours of a day add up to the day's electricity.
CREATE OR REPLACE VIEW $database.electricity_hours
(
    connector_id String COMMENT 'ConnectorID, no unit',
    hour DateTime('Asia/Shanghai') COMMENT 'Beginning of the hour, Beijing time',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity that the connector gave in that hour, kWh'
)
AS WITH
    toDateTime({first_day:Date}, 'Asia/Shanghai') AS since,
    toDateTime({last_day:Date} + 1, 'Asia/Shanghai') AS until,
    intDiv(toUnixTimestamp(since), 3600) AS since_hour,
    intDiv(toUnixTimestamp(until), 3600) AS until_hour,
    -- Of a rise by so many Wh from one instant to another, the whole Wh up to an instant in between.
    (wh, from_ms, to_ms, ms) -> toInt64(intDiv(toInt128(wh) * (ms - from_ms), greatest(to_ms - from_ms, 1))) AS risen,
    connectors AS
    (
        SELECT connector_id FROM $database.station_connectors WHERE station_id = {station_id:String}
    ),
    readings AS
    (
        SELECT connector_id, hour, first_sample, last_sample, min_wh, max_wh
        FROM $database.connector_hours FINAL
        WHERE ({station_id:String} = '' OR connector_id GLOBAL IN connectors)
            AND ((hour >= since AND hour < until) OR (connector_id, hour) GLOBAL IN
            (
                SELECT connector_id, max(hour) FROM $database.connector_hours
                WHERE ({station_id:String} = '' OR connector_id GLOBAL IN connectors) AND hour < since
                GROUP BY connector_id
                UNION ALL
                SELECT connector_id, min(hour) FROM $database.connector_hours
                WHERE ({station_id:String} = '' OR connector_id GLOBAL IN connectors) AND hour >= until
                GROUP BY connector_id
            ))
    ),
    pairs AS
    (
        SELECT *, lagInFrame(last_sample, 1, first_sample) OVER (
            PARTITION BY connector_id ORDER BY hour ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS sample_before
        FROM readings
    ),
    rises AS
    (
        SELECT
            connector_id,
            toUnixTimestamp64Milli(sample_before.1) AS from_ms,
            toUnixTimestamp64Milli(first_sample.1) AS to_ms,
            intDiv(from_ms, 3600000) AS from_hour,
            intDiv(to_ms, 3600000) AS to_hour,
            greatest(first_sample.2 - sample_before.2, 0) AS between_wh,
            if(min_wh >= first_sample.2 AND max_wh <= last_sample.2,
                last_sample.2 - first_sample.2,
                (max_wh - first_sample.2) + (last_sample.2 - min_wh)) AS within_wh
        FROM pairs
    ),
    parts AS
    (
        SELECT
            connector_id,
            n,
            if(from_hour = to_hour,
                between_wh,
                risen(between_wh, from_ms, to_ms, least(to_ms, (n + 1) * 3600000))
                    - risen(between_wh, from_ms, to_ms, greatest(from_ms, n * 3600000)))
                + if(n = to_hour, within_wh, 0) AS wh
        FROM rises ARRAY JOIN range(greatest(from_hour, since_hour), least(to_hour + 1, until_hour)) AS n
    )
SELECT connector_id, toDateTime(n * 3600, 'Asia/Shanghai') AS hour, toDecimal64(sum(wh), 3) / 1000 AS energy_kwh
FROM parts
GROUP BY connector_id, n
COMMENT 'electricity_hours(station_id, first_day, last_day): kWh by connector and hour; '''' means all stations';
