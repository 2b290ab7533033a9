"""Statistics against orders: the electricity of each connector on the day, as platforms are told of it, against the
energy of its orders on that day."""

from connectors.reconciliation.audit.asking import Queries, Scale, Span, figure
from connectors.reconciliation.audit.figures import Figure

COMPARISON = "statistics"

# Of an order that reaches over a midnight the day has what its own registers and the register at that midnight leave;
# that one lies between the samples of the hours around it, as in connector_days. A connector whose charge still runs
# has no order to compare: it is left out, as long as its charge was heard of within the last hour.
_JUDGING = """
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
    neighbours AS
    (
        SELECT connector_id, midnight, maxIf(last_sample, hour < midnight) AS before,
            minIf(first_sample, hour >= midnight) AS behind
        FROM connector_hours
        ARRAY JOIN [since, day_end] AS midnight
        WHERE hour >= midnight - INTERVAL 2 DAY AND hour < midnight + INTERVAL 2 DAY AND connector_id GLOBAL IN
            (SELECT connector_id FROM reaching WHERE started_at < since OR ended_at > day_end)
        GROUP BY connector_id, midnight
    ),
    registers AS
    (
        SELECT
            connector_id,
            midnight,
            multiIf(
                toUnixTimestamp64Milli(before.1) = 0, behind.2,
                toUnixTimestamp64Milli(behind.1) = 0, before.2,
                before.2 + toInt64(intDiv(
                    toInt128(greatest(behind.2 - before.2, 0)) * dateDiff('ms', before.1, midnight),
                    greatest(dateDiff('ms', before.1, behind.1), 1)))) AS wh
        FROM neighbours
    ),
    shares AS
    (
        SELECT
            reaching.connector_id AS connector_id,
            order_wh
                - if(started_at < since, greatest(least(first.wh - start_wh, order_wh), 0), 0)
                - if(ended_at > day_end, greatest(least(end_wh - last.wh, order_wh), 0), 0) AS wh
        FROM reaching
        GLOBAL LEFT JOIN (SELECT connector_id, wh FROM registers WHERE midnight = since) AS first
            ON reaching.connector_id = first.connector_id
        GLOBAL LEFT JOIN (SELECT connector_id, wh FROM registers WHERE midnight = day_end) AS last
            ON reaching.connector_id = last.connector_id
    ),
    both AS
    (
        SELECT connector_id, toDecimal128(energy_kwh, 3) AS statistics_kwh, toDecimal128(0, 3) AS orders_kwh, 0 AS order
        FROM electricity(station_id = '', first_day = {day:Date}, last_day = {day:Date})
        WHERE energy_kwh != 0
        UNION ALL
        SELECT connector_id, toDecimal128(0, 3), toDecimal128(wh, 3) / 1000, 1 FROM shares
    ),
    judged AS
    (
        SELECT
            connector_id AS key,
            connector_id,
            sum(statistics_kwh) AS in_statistics_kwh,
            sum(orders_kwh) AS in_orders_kwh,
            abs(in_statistics_kwh - in_orders_kwh) AS off,
            off <= {tolerance_kwh:Decimal(18, 3)} AS is_right,
            concat('orders ', toDecimalString(in_orders_kwh, 3), ' kWh') AS expected,
            concat('statistics ', toDecimalString(in_statistics_kwh, 3), ' kWh') AS found,
            concat(toString(sum(order)), ' orders') AS detail
        FROM both
        WHERE connector_id GLOBAL NOT IN (SELECT connector_id FROM running)
        GROUP BY connector_id
    )
"""


def electricity(warehouse: Queries, span: Span, scale: Scale) -> Figure:
    """Raises WarehouseError."""
    asked = {**span.parameters(), "day": span.day, "tolerance_kwh": scale.tolerance_kwh}
    return figure(warehouse, COMPARISON, _JUDGING, asked, scale.worst)
