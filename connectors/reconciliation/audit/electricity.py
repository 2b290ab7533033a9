"""Statistics against orders: the electricity of each connector on the day, as platforms are told of it, against the
energy of its orders on that day."""

from connectors.reconciliation.audit.asking import CLOSE_MS, Queries, Scale, Span, figure
from connectors.reconciliation.audit.figures import Figure

COMPARISON = "statistics"

# Of an order that reaches over a midnight the day has what its own registers and the register at that midnight leave;
# that one lies between the samples of the hours around it, as in connector_days. What it rose by between these two is
# spread evenly over the time between them. If an order began or ended in between, all of the rise may have been on
# one side of midnight: then the statistics may be off by as much, and nobody knows better. Of a connector that was
# silent ever since, or until then, for a week, they lack what its orders have of that time. A connector whose charge
# still runs has no order to compare: it is left out, as long as its charge was heard of within the last hour.
_JUDGING = """
    -- Of a rise by so many Wh from one instant to another, the whole Wh up to an instant in between.
    (wh, from_at, to_at, at) -> toInt64(intDiv(
        toInt128(wh) * dateDiff('ms', from_at, at), greatest(dateDiff('ms', from_at, to_at), 1))) AS risen,
    nearby AS
    (
        SELECT connector_id, arrayJoin([started_at, ended_at]) AS at FROM orders FINAL
        WHERE ended_at >= since - INTERVAL 7 DAY AND ended_at < day_end + INTERVAL 31 DAY
    ),
    reaching AS
    (
        SELECT start_charge_seq, connector_id, started_at, ended_at, toInt64(energy_kwh * 1000) AS order_wh,
            toInt64(meter_start_kwh * 1000) AS start_wh, toInt64(meter_end_kwh * 1000) AS end_wh
        FROM orders FINAL
        WHERE ended_at >= since AND ended_at < day_end + INTERVAL 31 DAY AND started_at < day_end
    ),
    running AS
    (
        SELECT connector_id FROM charge_progress
        WHERE due_at >= asked_at - INTERVAL 1 HOUR AND started_at < day_end
            AND start_charge_seq GLOBAL NOT IN (SELECT start_charge_seq FROM orders WHERE ended_at >= since)
    ),
    samples AS
    (
        SELECT
            connector_id,
            maxIf(last_sample, hour < since) AS before_first,
            minIf(first_sample, hour >= since) AS behind_first,
            maxIf(last_sample, hour < day_end) AS before_last,
            minIf(first_sample, hour >= day_end) AS behind_last
        FROM connector_hours
        WHERE hour >= since - INTERVAL 7 DAY AND hour < day_end + INTERVAL 7 DAY
            AND connector_id GLOBAL IN (SELECT connector_id FROM nearby)
        GROUP BY connector_id
    ),
    neighbours AS
    (
        SELECT
            connector_id,
            around.1 AS midnight,
            around.2.1 AS before_at,
            around.2.2 AS before_wh,
            around.3.1 AS behind_at,
            around.3.2 AS behind_wh,
            toUnixTimestamp64Milli(before_at) != 0 AS has_before,
            toUnixTimestamp64Milli(behind_at) != 0 AS has_behind,
            if(has_before AND has_behind, greatest(behind_wh - before_wh, 0), 0) AS rise_wh
        FROM samples
        ARRAY JOIN [(since, before_first, behind_first), (day_end, before_last, behind_last)] AS around
    ),
    registers AS
    (
        SELECT
            connector_id,
            sumIf(wh, midnight = since) AS first_wh,
            sumIf(wh, midnight = day_end) AS last_wh
        FROM
        (
            SELECT connector_id, midnight, multiIf(
                NOT has_before, behind_wh,
                NOT has_behind, before_wh,
                before_wh + risen(rise_wh, before_at, behind_at, midnight)) AS wh
            FROM neighbours
        )
        GROUP BY connector_id
    ),
    gaps AS
    (
        SELECT DISTINCT
            around.connector_id AS connector_id,
            around.before_at AS before_at,
            around.rise_wh AS rise_wh,
            NOT (has_before AND has_behind) AS is_open,
            dateDiff('ms', before_at, behind_at) AS gap_ms,
            risen(rise_wh, before_at, behind_at, least(behind_at, day_end))
                - risen(rise_wh, before_at, behind_at, greatest(before_at, since)) AS shared_wh
        FROM neighbours AS around
        GLOBAL INNER JOIN nearby ON around.connector_id = nearby.connector_id
        WHERE (before_at < nearby.at OR NOT has_before) AND (nearby.at < behind_at OR NOT has_behind)
    ),
    margins AS
    (
        SELECT
            connector_id,
            toDecimal128(sum(shared_wh), 3) / 1000 AS less_kwh,
            toDecimal128(sum(rise_wh - shared_wh), 3) / 1000 AS more_kwh,
            toDecimal128(sumIf(rise_wh, gap_ms > {close_ms:Int64}), 3) / 1000 AS silent_kwh,
            max(is_open) AS is_open
        FROM gaps
        GROUP BY connector_id
    ),
    shares AS
    (
        SELECT
            reaching.connector_id AS connector_id,
            order_wh
                - if(started_at < since, greatest(least(first_wh - start_wh, order_wh), 0), 0)
                - if(ended_at > day_end, greatest(least(end_wh - last_wh, order_wh), 0), 0) AS wh
        FROM reaching
        GLOBAL LEFT JOIN registers ON reaching.connector_id = registers.connector_id
    ),
    both AS
    (
        SELECT connector_id, toDecimal128(energy_kwh, 3) AS statistics_kwh, toDecimal128(0, 3) AS orders_kwh, 0 AS order
        FROM electricity(station_id = '', first_day = {day:Date}, last_day = {day:Date})
        WHERE energy_kwh != 0
        UNION ALL
        SELECT connector_id, toDecimal128(0, 3), toDecimal128(wh, 3) / 1000, 1 FROM shares
    ),
    compared AS
    (
        SELECT
            connector_id,
            sum(statistics_kwh) AS in_statistics_kwh,
            sum(orders_kwh) AS in_orders_kwh,
            sum(order) AS orders
        FROM both
        WHERE connector_id GLOBAL NOT IN (SELECT connector_id FROM running)
        GROUP BY connector_id
    ),
    judged AS
    (
        SELECT
            compared.connector_id AS key,
            compared.connector_id AS connector_id,
            greatest(
                in_statistics_kwh - less_kwh - in_orders_kwh,
                if(is_open, 0, in_orders_kwh - in_statistics_kwh - more_kwh),
                toDecimal128(0, 3)) AS off,
            off <= {tolerance_kwh:Decimal(18, 3)} AS is_right,
            is_open OR silent_kwh > {tolerance_kwh:Decimal(18, 3)} AS is_loose,
            concat(toDecimalString(in_orders_kwh, 3), ' kWh by its orders') AS expected,
            concat(toDecimalString(in_statistics_kwh, 3), ' kWh') AS found,
            concat(toString(orders), ' orders',
                if(is_loose, ', silent around midnight', '')) AS detail
        FROM compared
        GLOBAL LEFT JOIN margins ON compared.connector_id = margins.connector_id
    )
"""


def electricity(warehouse: Queries, span: Span, scale: Scale) -> Figure:
    """Raises WarehouseError."""
    asked = {**span.parameters(), "day": span.day, "tolerance_kwh": scale.tolerance_kwh, "close_ms": CLOSE_MS}
    return figure(warehouse, COMPARISON, _JUDGING, asked, scale.worst, has_loose=True)
