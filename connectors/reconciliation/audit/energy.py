"""Orders against telemetry: the energy of each against what its connector's register rose by from its start to its end.

Registers are compared by the samples themselves, not by what the streams made of them. Where an end lies between two
samples the register is interpolated, as the streams do at tariff boundaries.
"""

from datetime import UTC, date, datetime, timedelta

from connectors.reconciliation.audit.asking import Queries, Scale, Span, figure
from connectors.reconciliation.audit.figures import Figure

COMPARISON = "energy"

#: For how many days samples are kept (infra/clickhouse, telemetry).
SAMPLES_KEPT_DAYS = 90

# 1. The ends of all orders cut a connector's samples into segments. What the register rose by within one is found as
#    connector_days finds it for an hour: from first, last, lowest and highest, which no repetition changes.
# 2. From the last sample of a segment to the first of the next the register rose steadily, as far as anyone knows: an
#    order has the part of it that lies between its ends. A fall adds nothing.
# 3. Between two samples that are close, the register at an end may have been anything between theirs: a charger that
#    gives full power from its first second does. What that leaves open is no error of the order's.
#
# Only the connectors of orders that reach over midnight, or nearly so, are looked at beyond the day. Of charges that
# lasted for more than a month the beginning is left out.
_JUDGING = """
    60000 AS close_ms,
    ends AS
    (
        SELECT connector_id, arrayJoin([started_at, ended_at]) AS at FROM ended GROUP BY connector_id, at
    ),
    segments AS
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
            AND sampled_at >= (SELECT greatest(min(started_at), since - INTERVAL 31 DAY) FROM ended) - INTERVAL 1 HOUR
            AND sampled_at < until + INTERVAL 1 HOUR
            AND ((sampled_at >= since AND sampled_at < until) OR telemetry.connector_id GLOBAL IN
            (
                SELECT connector_id FROM ended
                WHERE started_at < since + INTERVAL 1 HOUR OR ended_at >= until - INTERVAL 1 HOUR
            ))
            AND meter_wh BETWEEN 0 AND 1000000000000
        GROUP BY telemetry.connector_id, ends.at
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
            if(began_at >= started_at AND began_at < ended_at, within_wh, 0) AS whole_wh,
            toInt64(dateDiff('ms', from_at, to_at)) AS step_ms,
            greatest(toInt64(dateDiff('ms', greatest(from_at, started_at), least(to_at, ended_at))), 0) AS shared_ms,
            toInt64(intDiv(toInt128(between_wh) * shared_ms, greatest(step_ms, 1))) AS shared_wh,
            (from_at < started_at AND started_at < to_at) OR (from_at < ended_at AND ended_at < to_at) AS is_cut,
            if(is_cut AND step_ms <= close_ms, shared_wh, 0) AS less_wh,
            if(is_cut AND step_ms <= close_ms, between_wh - shared_wh, 0) AS more_wh,
            if(is_cut, step_ms, 0) AS gap_ms
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
            countIf(is_known) AS known,
            known > 0 AND minIf(from_at, is_known) <= any(pieces.started_at) AS reaches_start,
            known > 0 AND maxIf(last_at, is_known) >= any(pieces.ended_at) AS reaches_end,
            sum(whole_wh) + sum(shared_wh) AS wh,
            toDecimal128(wh, 3) / 1000 AS register_kwh,
            toDecimal128(wh - sum(less_wh), 3) / 1000 AS least_kwh,
            toDecimal128(wh + sum(more_wh), 3) / 1000 AS most_kwh,
            intDiv(max(gap_ms), 1000) AS gap_s
        FROM pieces
        GROUP BY key
    ),
    judged AS
    (
        SELECT
            key,
            connector_id,
            greatest(least_kwh - order_kwh, order_kwh - most_kwh, toDecimal128(0, 3)) AS apart_kwh,
            known > 0 AND apart_kwh <= {tolerance_kwh:Decimal(18, 3)} AS is_right,
            if(known > 0, apart_kwh, order_kwh) AS off,
            if(known > 0, concat(toDecimalString(register_kwh, 3), ' kWh'), 'samples') AS expected,
            if(known > 0, concat(toDecimalString(order_kwh, 2), ' kWh'), 'none') AS found,
            arrayStringConcat(arrayFilter(told -> told != '', [
                if(billed, 'billed', 'computed'),
                if(known > 0 AND NOT reaches_start, 'no sample before its start', ''),
                if(known > 0 AND NOT reaches_end, 'no sample behind its end', ''),
                if(gap_s > 60, concat('samples at an end are ', toString(gap_s), ' s apart'), ''),
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
    return figure(warehouse, COMPARISON, _JUDGING, {**asked, "tolerance_kwh": scale.tolerance_kwh}, scale.worst)


def _oldest_kept(now: datetime) -> date:
    return (now.astimezone(UTC) - timedelta(days=SAMPLES_KEPT_DAYS)).date()
