-- The electricity of a connector is what its register rose by:
--
-- 1. Within an hour: last - first, if the register was never below its first reading nor above its last one. Otherwise it
--    fell (it was reset, or the meter replaced), and the energy is (highest - first) + (last - lowest): exact if it fell
--    once, from its highest reading to its lowest. The fall itself adds nothing.
-- 2. From the last sample of an hour to the first one of the next hour that has any: the rise between the two, and
--    nothing if the register fell. Where a midnight of Beijing lies in between, the rise is divided there, in proportion
--    to time: each day gets the whole Wh up to its end less those up to its beginning, so that none is lost and none
--    counted twice. Hours of UTC and days of Beijing begin together, so nothing else needs dividing.
--
-- Whatever is asked, only the hours of its days are read, and of each connector the nearest hours before and behind
-- them, from which rises reach in. One station is asked for, or, with an empty name, all.
CREATE OR REPLACE VIEW $database.electricity
(
    connector_id String COMMENT 'ConnectorID, no unit',
    day Date COMMENT 'Day, Beijing time',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity that the connector gave on that day, kWh'
)
AS WITH
    toDateTime({first_day:Date}, 'Asia/Shanghai') AS since,
    toDateTime({last_day:Date} + 1, 'Asia/Shanghai') AS until,
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
            toDate(sample_before.1, 'Asia/Shanghai') AS from_day,
            toDate(first_sample.1, 'Asia/Shanghai') AS to_day,
            toUnixTimestamp64Milli(sample_before.1) AS from_ms,
            toUnixTimestamp64Milli(first_sample.1) AS to_ms,
            greatest(first_sample.2 - sample_before.2, 0) AS between_wh,
            if(min_wh >= first_sample.2 AND max_wh <= last_sample.2,
                last_sample.2 - first_sample.2,
                (max_wh - first_sample.2) + (last_sample.2 - min_wh)) AS within_wh
        FROM pairs
    ),
    pieces AS
    (
        SELECT
            *,
            from_day + n AS day,
            toUnixTimestamp(toDateTime(from_day + n, 'Asia/Shanghai')) * 1000 AS day_ms
        FROM rises ARRAY JOIN range(toUInt32(to_day - from_day + 1)) AS n
        WHERE from_day + n BETWEEN {first_day:Date} AND {last_day:Date}
    ),
    parts AS
    (
        SELECT
            connector_id,
            day,
            if(from_day = to_day,
                between_wh,
                risen(between_wh, from_ms, to_ms, least(to_ms, day_ms + 86400000))
                    - risen(between_wh, from_ms, to_ms, greatest(from_ms, day_ms)))
                + if(day = to_day, within_wh, 0) AS wh
        FROM pieces
    )
SELECT connector_id, day, toDecimal64(sum(wh), 3) / 1000 AS energy_kwh
FROM parts
GROUP BY connector_id, day
COMMENT 'electricity(station_id, first_day, last_day): kWh by connector and day, both days included; '''' means all stations';

-- For everyone's queries. A condition on connector_id is looked up, one on day is not: for the days of all connectors
-- ask electricity.
CREATE OR REPLACE VIEW $database.connector_days
(
    connector_id String COMMENT 'ConnectorID, no unit',
    day Date COMMENT 'Day, Beijing time',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity that the connector gave on that day, kWh'
)
AS SELECT connector_id, day, energy_kwh
FROM $database.electricity(station_id = '', first_day = '1971-01-01', last_day = '2105-12-31')
COMMENT 'Electricity by connector and day; a day without any samples may be missing';
