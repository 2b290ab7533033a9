CREATE OR REPLACE VIEW $database.push_attempts
(
    platform LowCardinality(String) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) COMMENT 'Interface of the push, no unit',
    key String COMMENT 'StartChargeSeq of what tells of a charge, ConnectorID of a status, no unit',
    connector_id String COMMENT 'ConnectorID, no unit',
    attempt Int32 COMMENT 'Number of the attempt, counted from 1',
    day Date COMMENT 'Day of the attempt, Beijing time',
    due_at DateTime64(3, 'Asia/Shanghai') COMMENT 'When the record was due at first, Beijing time, to the ms',
    started_at DateTime64(3, 'Asia/Shanghai') COMMENT 'When this attempt began, Beijing time, to the ms',
    latency_ms Int32 COMMENT 'How long the call took, ms',
    http_status Nullable(Int32) COMMENT 'HTTP status of the answer, no unit: null without one',
    ret Nullable(Int32) COMMENT 'Ret of the answer, no unit: null without one that can be read',
    outcome LowCardinality(String)
        COMMENT 'What followed, no unit: DONE, IGNORED or CONTESTED (it has it), LADDER, AGAIN, PAUSED or RENEWED (it is sent again), DEAD_LETTER',
    error String COMMENT 'Why it was not taken, no unit: empty when it was',
    next_due_at Nullable(DateTime64(3, 'Asia/Shanghai'))
        COMMENT 'When it is sent again, Beijing time, to the ms: null if it is not, or as soon as the platform is back'
)
AS SELECT
    platform,
    interface,
    key,
    connector_id,
    attempt,
    toDate(started_at, 'Asia/Shanghai') AS day,
    toTimeZone(due_at, 'Asia/Shanghai') AS due_at,
    toTimeZone(started_at, 'Asia/Shanghai') AS started_at,
    latency_ms,
    http_status,
    ret,
    outcome,
    error,
    toTimeZone(next_due_at, 'Asia/Shanghai') AS next_due_at
FROM $database.attempts FINAL
COMMENT 'The ledger of delivery, each attempt once';

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
    told AS
    (
        WITH a.outcome IN ('DONE', 'IGNORED', 'CONTESTED') AS taken
        SELECT
            a.platform AS platform,
            a.interface AS interface,
            a.key AS key,
            a.due_at AS due_at,
            any(a.connector_id) AS connector_id,
            minOrNullIf(addMilliseconds(a.started_at, a.latency_ms), taken) AS confirmed_at,
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
    toDecimal64(dateDiff('ms', t.due_at, t.confirmed_at), 3) / 1000 AS confirmed_after_s,
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

CREATE OR REPLACE VIEW $database.delivery_by_day
(
    platform LowCardinality(String) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) COMMENT 'Interface of the push, no unit',
    day Date COMMENT 'Day on which they were due, Beijing time',
    deadline_s Nullable(Float64) COMMENT 'Within which time the platform wants them, s: null if no profile was read',
    due UInt64 COMMENT 'Pushes that were due and attempted at least once, counted from 0',
    confirmed UInt64 COMMENT 'Those that the platform has, ignored and contested ones among them, counted from 0',
    ignored UInt64 COMMENT 'Statuses that it ignored, counted from 0',
    contested UInt64 COMMENT 'Orders that it contests, counted from 0',
    given_up UInt64 COMMENT 'Those that were dead-lettered, counted from 0',
    open UInt64 COMMENT 'Those that go on being sent, counted from 0',
    in_time UInt64 COMMENT 'Those that were confirmed within the deadline, counted from 0',
    late UInt64 COMMENT 'Those that were not, counted from 0: neither in time nor late is what is open with its time not over',
    in_time_share Nullable(Float64) COMMENT 'In time by in time and late, no unit, 0 to 1: null if there are none',
    p50_s Nullable(Float64) COMMENT 'Half of the confirmed ones took at most this, s: to 1 percent',
    p95_s Nullable(Float64) COMMENT 'Of 100 confirmed ones 95 took at most this, s: to 1 percent',
    p99_s Nullable(Float64) COMMENT 'Of 100 confirmed ones 99 took at most this, s: to 1 percent',
    slowest_s Nullable(Decimal(18, 3)) COMMENT 'The slowest confirmed one took this, s',
    attempts UInt64 COMMENT 'Attempts in all, counted from 1',
    attempts_per_push Float64 COMMENT 'Attempts by pushes, no unit',
    again UInt64 COMMENT 'Attempts after which a push was sent again from its lane, counted from 0',
    ladder UInt64 COMMENT 'Attempts after which an order went to its ladder, counted from 0',
    paused UInt64 COMMENT 'Attempts that paused the platform (4001, 4003), counted from 0',
    renewed UInt64 COMMENT 'Attempts that renewed the token (4002), counted from 0'
)
AS WITH
    countIf(p.confirmed_at IS NOT NULL) AS confirmed,
    -- A sketch: exact percentiles of a month's pushes would hold them all. A push can't be confirmed before it is due,
    -- but two clocks may say so.
    quantilesDDIf(0.01, 0.5, 0.95, 0.99)(
        toFloat64(greatest(assumeNotNull(p.confirmed_after_s), 0)), p.confirmed_at IS NOT NULL) AS percentiles
SELECT
    p.platform AS platform,
    p.interface AS interface,
    p.day AS day,
    any(p.deadline_s) AS deadline_s,
    count() AS due,
    confirmed,
    countIf(p.state = 'ignored') AS ignored,
    countIf(p.state = 'contested') AS contested,
    countIf(p.state = 'given_up') AS given_up,
    countIf(p.state = 'open') AS open,
    countIf(p.in_time = true) AS in_time,
    countIf(p.in_time = false) AS late,
    in_time / nullIf(in_time + late, 0) AS in_time_share,
    if(confirmed = 0, NULL, percentiles[1]) AS p50_s,
    if(confirmed = 0, NULL, percentiles[2]) AS p95_s,
    if(confirmed = 0, NULL, percentiles[3]) AS p99_s,
    max(p.confirmed_after_s) AS slowest_s,
    sum(p.attempts) AS attempts,
    attempts / due AS attempts_per_push,
    sum(p.again) AS again,
    sum(p.ladder) AS ladder,
    sum(p.paused) AS paused,
    sum(p.renewed) AS renewed
FROM $database.pushes(platform = {platform:String}, first_day = {first_day:Date}, last_day = {last_day:Date}) AS p
GROUP BY p.platform, p.interface, p.day
COMMENT 'delivery_by_day(platform, first_day, last_day): how platforms were told, against their deadlines; '''' means all platforms';
