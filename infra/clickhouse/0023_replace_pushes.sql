-- A push is a record that a platform is to be told of, with all its attempts: known by platform, interface, key and the
-- instant at which it was due. The platform has it as soon as it has answered so, even if it contests an order or
-- ignores a status. How long that took counts from when the record was due at first, the outage of a platform included.
-- Statuses and progress that a newer one replaced before they were ever sent are in no ledger, and what waits for its
-- first attempt is in none yet. What is backfilled for a platform that came later was due in its past: such a push
-- counts as late.
CREATE OR REPLACE VIEW $database.pushes
(
    platform LowCardinality(String) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) COMMENT 'Interface of the push, no unit',
    key String COMMENT 'StartChargeSeq of what tells of a charge, ConnectorID of a status, no unit',
    connector_id String COMMENT 'ConnectorID, no unit',
    day Date COMMENT 'Day on which it was due, Beijing time',
    due_at DateTime64(3, 'Asia/Shanghai') COMMENT 'When it was due at first, Beijing time, to the ms',
    state LowCardinality(String)
        COMMENT 'Where it stands, no unit: confirmed, ignored, contested, given_up (dead-lettered) or open',
    confirmed_at Nullable(DateTime64(3, 'Asia/Shanghai'))
        COMMENT 'When the platform first said that it has it, Beijing time, to the ms: null if it has not',
    confirmed_after_s Nullable(Decimal(18, 3)) COMMENT 'From when it was due to confirmed_at, s: null if it is not confirmed',
    deadline_s Nullable(Float64) COMMENT 'Within which time the platform wants it, s: null if no profile was read',
    in_time Nullable(Bool)
        COMMENT 'Whether it was confirmed within the deadline, no unit: null while that is open, or without a deadline',
    attempts UInt64 COMMENT 'Attempts so far, counted from 1',
    again UInt64 COMMENT 'Attempts after which it was sent again from its lane, counted from 0',
    ladder UInt64 COMMENT 'Attempts after which it went to its ladder, counted from 0',
    paused UInt64 COMMENT 'Attempts that paused the platform (4001, 4003), counted from 0',
    renewed UInt64 COMMENT 'Attempts that renewed the token (4002), counted from 0',
    last_error String COMMENT 'Why the last attempt that failed did, no unit: empty if none did'
)
AS WITH
    toDateTime64({first_day:Date}, 3, 'Asia/Shanghai') AS since,
    toDateTime64({last_day:Date} + 1, 3, 'Asia/Shanghai') AS until,
    -- No row may stop a query for all others: a number ends at what its column holds.
    ms -> toDecimal64(greatest(least(ms, 999999999999999), -999999999999999), 3) / 1000 AS seconds,
    told AS
    (
        WITH a.outcome IN ('DONE', 'IGNORED', 'CONTESTED') AS taken
        SELECT
            a.platform AS platform,
            a.interface AS interface,
            a.key AS key,
            a.due_at AS due_at,
            any(a.connector_id) AS connector_id,
            minOrNullIf(fromUnixTimestamp64Milli(toUnixTimestamp64Milli(a.started_at) + a.latency_ms, 'UTC'), taken)
                AS confirmed_at,
            argMin(a.outcome, (not taken, a.started_at, a.attempt)) AS taken_as,
            max(a.outcome = 'DEAD_LETTER') AS given_up,
            count() AS attempts,
            countIf(a.outcome = 'AGAIN') AS again,
            countIf(a.outcome = 'LADDER') AS ladder,
            countIf(a.outcome = 'PAUSED') AS paused,
            countIf(a.outcome = 'RENEWED') AS renewed,
            argMaxIf(a.error, (a.started_at, a.attempt), not taken) AS last_error
        FROM $database.attempts AS a FINAL
        WHERE ({platform:String} = '' OR a.platform = {platform:String})
            AND a.due_at >= since AND a.due_at < until
            -- Nothing is sent before it is due, but for what two machines' clocks differ by.
            AND a.started_at >= since - INTERVAL 1 HOUR
        GROUP BY a.platform, a.interface, a.key, a.due_at
    ),
    wanted AS
    (
        SELECT platform, interface, toNullable(deadline_s) AS deadline_s FROM $database.deadlines FINAL
    )
SELECT
    t.platform AS platform,
    t.interface AS interface,
    t.key AS key,
    t.connector_id AS connector_id,
    toDate(t.due_at, 'Asia/Shanghai') AS day,
    toTimeZone(t.due_at, 'Asia/Shanghai') AS due_at,
    multiIf(
        t.confirmed_at IS NOT NULL,
        transform(t.taken_as, ['IGNORED', 'CONTESTED'], ['ignored', 'contested'], 'confirmed'),
        t.given_up, 'given_up',
        'open') AS state,
    toTimeZone(t.confirmed_at, 'Asia/Shanghai') AS confirmed_at,
    if(t.confirmed_at IS NULL, NULL, seconds(dateDiff('ms', t.due_at, assumeNotNull(t.confirmed_at)))) AS confirmed_after_s,
    w.deadline_s AS deadline_s,
    multiIf(
        w.deadline_s IS NULL, NULL,
        t.confirmed_at IS NOT NULL, toFloat64(confirmed_after_s) <= w.deadline_s,
        t.given_up OR dateDiff('ms', t.due_at, now64(3)) > w.deadline_s * 1000, false,
        NULL) AS in_time,
    t.attempts AS attempts,
    t.again AS again,
    t.ladder AS ladder,
    t.paused AS paused,
    t.renewed AS renewed,
    t.last_error AS last_error
FROM (SELECT * FROM told) AS t
GLOBAL ANY LEFT JOIN wanted AS w ON t.platform = w.platform AND t.interface = w.interface
COMMENT 'pushes(platform, first_day, last_day): what was due on these days, each with all its attempts; '''' means all platforms';
