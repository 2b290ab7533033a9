-- Charges from their start on, whether they have an order yet or not: what the order says counts, and before there is
-- one, what the platforms were told last. A charge belongs to the day of its start.
--
-- Progress is looked for up to a week behind the last day, and so is the status by which a vehicle was gone. The order
-- may know another start than progress did, by a little: so both are read from a day before to a day behind, and cut
-- then.
CREATE OR REPLACE VIEW $database.sessions
(
    start_charge_seq String COMMENT 'StartChargeSeq, no unit',
    station_id String COMMENT 'StationID, no unit',
    connector_id String COMMENT 'ConnectorID, no unit',
    charge_model Int32 COMMENT 'What started the charge, no unit: 0 unknown, 1 city platform, 2 card, 3 other without card',
    state LowCardinality(String)
        COMMENT 'How far it is, no unit: running, stopped (its order is awaited) or ordered',
    day Date COMMENT 'Day of the start, Beijing time',
    started_at DateTime64(3, 'Asia/Shanghai') COMMENT 'Start of the charge, Beijing time, to the ms',
    ended_at Nullable(DateTime64(3, 'Asia/Shanghai'))
        COMMENT 'End of the charge, Beijing time, to the ms: null without an order',
    duration_s Decimal(18, 3) COMMENT 'From the start to the end, or to what is known last, s',
    energy_kwh Decimal(18, 3) COMMENT 'Energy of the order, or so far, kWh',
    total_money Decimal(18, 2) COMMENT 'Money of the order, or so far, CNY',
    average_power_kw Nullable(Float64) COMMENT 'Energy by duration, kW: null without a duration',
    progress_records UInt64 COMMENT 'How often platforms were to be told of it, counted from 0: kept for 90 days',
    left_at Nullable(DateTime64(3, 'Asia/Shanghai'))
        COMMENT 'First status but plugged after the end, Beijing time, to the ms: null if there is none yet',
    left_as Nullable(Int32)
        COMMENT 'That status, no unit: 0 offline, 1 idle, 3 charging, 4 reserved, 255 fault, null if there is none yet',
    plugged_s Nullable(Decimal(18, 3))
        COMMENT 'Time from the end to left_at, in which the place was taken without need, s: null if it is not over'
)
AS WITH
    toDateTime64({first_day:Date}, 3, 'Asia/Shanghai') AS since,
    toDateTime64({last_day:Date} + 1, 3, 'Asia/Shanghai') AS until,
    -- No row may stop a query for all others: a number ends at what its column holds.
    number -> greatest(least(number, 999999999999999), -999999999999999) AS held,
    ms -> toDecimal64(held(ms), 3) / 1000 AS seconds,
    connectors AS
    (
        SELECT connector_id FROM $database.station_connectors WHERE station_id = {station_id:String}
    ),
    told AS
    (
        SELECT
            p.start_charge_seq AS start_charge_seq,
            argMax(p.station_id, (p.observed_at, p.energy_wh)) AS station_id,
            argMax(p.connector_id, (p.observed_at, p.energy_wh)) AS connector_id,
            argMax(p.charge_model, (p.observed_at, p.energy_wh)) AS charge_model,
            argMax(p.started_at, (p.observed_at, p.energy_wh)) AS started_at,
            max(p.observed_at) AS known_at,
            max(p.kind = 'STOPPED') AS stopped,
            toDecimal64(held(max(p.energy_wh)), 3) / 1000 AS energy_kwh,
            toDecimal64(held(max(p.elec_money_fen + p.service_money_fen)), 2) / 100 AS total_money,
            count() AS progress_records
        FROM $database.charge_progress AS p FINAL
        -- Of a row that comes again these are the same, so they may be looked at first.
        PREWHERE ({station_id:String} = '' OR p.station_id = {station_id:String})
            AND p.started_at >= since - INTERVAL 1 DAY AND p.started_at < until + INTERVAL 1 DAY
        WHERE p.due_at >= since - INTERVAL 1 DAY AND p.due_at < until + INTERVAL 7 DAY
        GROUP BY p.start_charge_seq
    ),
    facts AS
    (
        SELECT
            start_charge_seq, station_id, connector_id, charge_model, started_at, known_at, 0 AS ordered,
            stopped, energy_kwh, total_money, progress_records
        FROM told
        UNION ALL
        SELECT
            start_charge_seq, station_id, connector_id, charge_model, started_at, ended_at, 1,
            1, toDecimal64(held(energy_kwh), 3), toDecimal64(held(total_money), 2), 0
        FROM $database.charge_orders
        WHERE ({station_id:String} = '' OR station_id = {station_id:String})
            AND ended_at >= since - INTERVAL 1 DAY
            AND started_at >= since - INTERVAL 1 DAY AND started_at < until + INTERVAL 1 DAY
    ),
    charges AS
    (
        SELECT
            f.start_charge_seq AS start_charge_seq,
            argMax(f.station_id, f.ordered) AS station_id,
            argMax(f.connector_id, f.ordered) AS connector_id,
            argMax(f.charge_model, f.ordered) AS charge_model,
            argMax(f.started_at, f.ordered) AS started_at,
            argMax(f.known_at, f.ordered) AS known_at,
            max(f.ordered) AS ordered,
            max(f.stopped) AS stopped,
            argMax(f.energy_kwh, f.ordered) AS energy_kwh,
            argMax(f.total_money, f.ordered) AS total_money,
            sum(f.progress_records) AS progress_records
        FROM facts AS f
        GROUP BY f.start_charge_seq
        HAVING started_at >= since AND started_at < until
    ),
    leavings AS
    (
        SELECT
            o.connector_id AS connector_id,
            o.observed_at AS observed_at,
            toNullable(o.observed_at) AS left_at,
            toNullable(argMax(o.status, (o.kind = 'CHANGED', o.status))) AS left_as
        FROM $database.status_changes AS o FINAL
        WHERE ({station_id:String} = '' OR o.connector_id GLOBAL IN connectors)
            AND o.observed_at >= since AND o.observed_at < until + INTERVAL 7 DAY
        GROUP BY o.connector_id, o.observed_at
        HAVING left_as != 2
    )
SELECT
    c.start_charge_seq AS start_charge_seq,
    c.station_id AS station_id,
    c.connector_id AS connector_id,
    c.charge_model AS charge_model,
    multiIf(c.ordered = 1, 'ordered', c.stopped = 1, 'stopped', 'running') AS state,
    toDate(c.started_at, 'Asia/Shanghai') AS day,
    toTimeZone(c.started_at, 'Asia/Shanghai') AS started_at,
    if(c.ordered = 1, toTimeZone(c.known_at, 'Asia/Shanghai'), NULL) AS ended_at,
    seconds(dateDiff('ms', c.started_at, c.known_at)) AS duration_s,
    c.energy_kwh AS energy_kwh,
    c.total_money AS total_money,
    toFloat64(c.energy_kwh) * 3600 / nullIf(toFloat64(duration_s), 0) AS average_power_kw,
    c.progress_records AS progress_records,
    if(c.ordered = 1, toTimeZone(l.left_at, 'Asia/Shanghai'), NULL) AS left_at,
    if(c.ordered = 1, l.left_as, NULL) AS left_as,
    if(c.ordered = 1 AND l.left_at IS NOT NULL, seconds(dateDiff('ms', c.known_at, assumeNotNull(l.left_at))), NULL)
        AS plugged_s
FROM (SELECT * FROM charges) AS c
GLOBAL ASOF LEFT JOIN leavings AS l ON c.connector_id = l.connector_id AND c.known_at <= l.observed_at
COMMENT 'sessions(station_id, first_day, last_day): charges that started on these days; '''' means all stations';
