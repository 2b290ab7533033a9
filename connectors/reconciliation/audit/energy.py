"""Orders against telemetry: the energy of each against what its connector's register rose by from its start to its end.

Registers are compared by the samples themselves, not by what the streams made of them. Where an end lies between two
samples its register may be anything between theirs, so an order has a least and a most energy, and is wrong outside of
these. Samples that are far apart leave much open: how many orders are right only so is a count of its own.
"""

from datetime import UTC, date, datetime, timedelta

from connectors.reconciliation.audit.asking import CLOSE_MS, Queries, Scale, Span, figure
from connectors.reconciliation.audit.figures import Figure

COMPARISON = "energy"

#: For how many days samples are kept (infra/clickhouse, telemetry).
SAMPLES_KEPT_DAYS = 90

# 1. The ends of all orders cut a connector's samples into segments. What the register rose by within one is found as
#    connector_days finds it for an hour: from first, last, lowest and highest, which no repetition changes.
# 2. From the last sample of a segment to the first of the next the register rose, too; a fall adds nothing. If an end
#    of an order lies in between, the order has from nothing to all of that rise: a charger gives full power from its
#    first second, and of one that was silent for hours nobody knows. What is told of it is spread evenly.
# 3. Without any sample beyond an end, the order has at least what is known. One of which there is no sample, nor one on
#    each side, is not known at all.
#
# Only the connectors of orders that reach over midnight, or nearly so, are looked at beyond the day. The sample beyond
# an end may be further away, if the connector was silent: the one nearest to the orders, within a week, comes from
# connector_hours. Of charges that lasted for more than a month the beginning is left out.
_JUDGING = """
    ends AS
    (
        SELECT connector_id, arrayJoin([started_at, ended_at]) AS at FROM ended GROUP BY connector_id, at
    ),
    (SELECT greatest(min(started_at), since - INTERVAL 31 DAY) FROM ended) AS earliest,
    seen AS
    (
        SELECT
            telemetry.connector_id AS connector_id,
            ends.at AS began_at,
            min(sampled_at) AS first_at,
            argMin(meter_wh, sampled_at) AS first_wh,
            max(sampled_at) AS last_at,
            argMax(meter_wh, sampled_at) AS last_wh,
            min(meter_wh) AS min_wh,
            max(meter_wh) AS max_wh
        FROM telemetry
        GLOBAL ASOF LEFT JOIN ends ON telemetry.connector_id = ends.connector_id AND telemetry.sampled_at >= ends.at
        WHERE telemetry.connector_id GLOBAL IN (SELECT connector_id FROM ended)
            AND sampled_at >= earliest - INTERVAL 1 HOUR
            AND sampled_at < until + INTERVAL 1 HOUR
            AND ((sampled_at >= since AND sampled_at < until) OR telemetry.connector_id GLOBAL IN
            (
                SELECT connector_id FROM ended
                WHERE started_at < since + INTERVAL 1 HOUR OR ended_at >= until - INTERVAL 1 HOUR
            ))
            AND meter_wh BETWEEN 0 AND 1000000000000
        GROUP BY telemetry.connector_id, ends.at
    ),
    nearest AS
    (
        SELECT
            hours.connector_id AS connector_id,
            any(spans.last_end) AS last_end,
            maxIf(hours.last_sample, hours.hour < toStartOfHour(spans.first_start)) AS before,
            minIf(hours.first_sample, hours.hour > spans.last_end) AS behind
        FROM connector_hours AS hours
        GLOBAL INNER JOIN
        (
            SELECT connector_id, min(started_at) AS first_start, max(ended_at) AS last_end
            FROM ended
            GROUP BY connector_id
        ) AS spans ON hours.connector_id = spans.connector_id
        WHERE hours.connector_id GLOBAL IN (SELECT connector_id FROM ended)
            AND hours.hour >= earliest - INTERVAL 7 DAY AND hours.hour < until + INTERVAL 7 DAY
        GROUP BY hours.connector_id
    ),
    segments AS
    (
        SELECT
            read.connector_id AS connector_id,
            read.began_at AS began_at,
            min(read.first_at) AS first_at,
            argMin(read.first_wh, read.first_at) AS first_wh,
            max(read.last_at) AS last_at,
            argMax(read.last_wh, read.last_at) AS last_wh,
            min(read.min_wh) AS min_wh,
            max(read.max_wh) AS max_wh
        FROM
        (
            SELECT * FROM seen
            UNION ALL
            SELECT connector_id, began_at, sample.1, sample.2, sample.1, sample.2, sample.2, sample.2
            FROM nearest
            ARRAY JOIN [toDateTime64(0, 3, 'UTC'), last_end] AS began_at, [before, behind] AS sample
            WHERE toUnixTimestamp64Milli(sample.1) != 0
        ) AS read
        GROUP BY read.connector_id, read.began_at
    ),
    steps AS
    (
        SELECT
            connector_id,
            began_at,
            last_at,
            if(min_wh >= first_wh AND max_wh <= last_wh,
                last_wh - first_wh,
                (max_wh - first_wh) + (last_wh - min_wh)) AS within_wh,
            lagInFrame(last_at, 1, first_at) OVER before AS from_at,
            first_at AS to_at,
            greatest(first_wh - lagInFrame(last_wh, 1, first_wh) OVER before, 0) AS between_wh
        FROM segments
        WINDOW before AS (PARTITION BY connector_id ORDER BY first_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    pieces AS
    (
        SELECT
            ended.start_charge_seq AS key,
            ended.connector_id AS connector_id,
            ended.energy_kwh AS energy_kwh,
            ended.billed AS billed,
            ended.flags AS flags,
            ended.started_at AS started_at,
            ended.ended_at AS ended_at,
            steps.connector_id != '' AS is_known,
            from_at,
            last_at,
            is_known AND began_at >= started_at AND began_at < ended_at AS is_within,
            if(is_within, within_wh, 0) AS whole_wh,
            toInt64(dateDiff('ms', from_at, to_at)) AS step_ms,
            greatest(toInt64(dateDiff('ms', greatest(from_at, started_at), least(to_at, ended_at))), 0) AS shared_ms,
            toInt64(intDiv(toInt128(between_wh) * shared_ms, greatest(step_ms, 1))) AS shared_wh,
            (from_at < started_at AND started_at < to_at) OR (from_at < ended_at AND ended_at < to_at) AS is_cut,
            if(is_cut, shared_wh, 0) AS less_wh,
            if(is_cut, between_wh - shared_wh, 0) AS more_wh,
            if(is_cut, step_ms, 0) AS gap_ms,
            if(gap_ms > {close_ms:Int64}, between_wh, 0) AS loose_wh
        FROM ended GLOBAL LEFT JOIN steps ON ended.connector_id = steps.connector_id
    ),
    measured AS
    (
        SELECT
            key,
            any(pieces.connector_id) AS connector_id,
            any(pieces.billed) AS billed,
            any(pieces.flags) AS flags,
            toDecimal128(any(pieces.energy_kwh), 3) AS order_kwh,
            countIf(is_known AND from_at <= pieces.started_at) > 0 AS reaches_start,
            countIf(is_known AND last_at >= pieces.ended_at) > 0 AS reaches_end,
            countIf(is_within) > 0 OR (reaches_start AND reaches_end) AS is_seen,
            is_seen AND NOT (reaches_start AND reaches_end) AS is_open,
            sum(whole_wh) + sum(shared_wh) AS wh,
            toDecimal128(wh, 3) / 1000 AS register_kwh,
            toDecimal128(wh - sum(less_wh), 3) / 1000 AS least_kwh,
            toDecimal128(wh + sum(more_wh), 3) / 1000 AS most_kwh,
            is_open OR toDecimal128(sum(loose_wh), 3) / 1000 > {tolerance_kwh:Decimal(18, 3)} AS is_loose,
            intDiv(max(gap_ms), 1000) AS gap_s
        FROM pieces
        GROUP BY key
    ),
    judged AS
    (
        SELECT
            key,
            connector_id,
            is_loose,
            greatest(least_kwh - order_kwh, if(is_open, 0, order_kwh - most_kwh), toDecimal128(0, 3)) AS apart_kwh,
            is_seen AND apart_kwh <= {tolerance_kwh:Decimal(18, 3)} AS is_right,
            if(is_seen, apart_kwh, order_kwh) AS off,
            multiIf(
                NOT is_seen, concat('samples of ', toDecimalString(order_kwh, 2), ' kWh'),
                is_open, concat('at least ', toDecimalString(least_kwh, 3), ' kWh'),
                is_loose, concat(toDecimalString(least_kwh, 3), ' to ', toDecimalString(most_kwh, 3), ' kWh'),
                concat(toDecimalString(register_kwh, 3), ' kWh')) AS expected,
            if(is_seen, concat(toDecimalString(order_kwh, 2), ' kWh'), 'no samples') AS found,
            arrayStringConcat(arrayFilter(told -> told != '', [
                if(billed, 'billed', 'computed'),
                if(is_seen AND NOT reaches_start, 'no sample before its start', ''),
                if(is_seen AND NOT reaches_end, 'no sample behind its end', ''),
                if(gap_s * 1000 >= {close_ms:Int64}, concat('samples at an end are ', toString(gap_s), ' s apart'), ''),
                arrayStringConcat(flags, ', ')]), ', ') AS detail
        FROM measured
    )
"""

_ANY_SAMPLE = """
SELECT 1 FROM telemetry
WHERE sampled_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND sampled_at < fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
LIMIT 1
"""


def energy(warehouse: Queries, span: Span, scale: Scale) -> Figure:
    """Raises WarehouseError."""
    asked = span.parameters()
    if span.day < _oldest_kept(span.now) and not warehouse.rows(_ANY_SAMPLE, asked):
        return Figure(
            COMPARISON, 0, 0, note=f"samples of that day are gone: they are kept for {SAMPLES_KEPT_DAYS} days"
        )
    asked |= {"tolerance_kwh": scale.tolerance_kwh, "close_ms": CLOSE_MS}
    return figure(warehouse, COMPARISON, _JUDGING, asked, scale.worst, has_loose=True)


def _oldest_kept(now: datetime) -> date:
    return (now.astimezone(UTC) - timedelta(days=SAMPLES_KEPT_DAYS)).date()
