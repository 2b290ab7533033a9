"""Pushes against orders: which orders a platform has confirmed, which of them in time, and which it contests.

Owed to a platform are the orders of the charge models that its profile names, from the stations in its scope. Where
only the catalog knows these, a station is in scope if the platform was told of any of its connectors, or of the order.
"""

from collections.abc import Iterator
from typing import Any

from connectors.delivery.outcomes import Action, Sign
from connectors.interfaces.registry import interfaces
from connectors.platform import Platform
from connectors.reconciliation.audit.asking import Queries, Scale, Span, figure
from connectors.reconciliation.audit.figures import Figure
from connectors.scope import asks_catalog
from schemas.records.derived import Order

CONFIRMED, IN_TIME, UNDISPUTED = "confirmed", "in_time", "undisputed"

#: What the ledger says of an attempt behind which the platform has the order, contested or not.
_TAKEN = [Action.DONE.value, Sign.CONTESTED.value]

_ATTEMPTS = """
    attempts_made AS
    (
        SELECT
            key,
            count() AS attempts,
            countIf(has({taken:Array(String)}, outcome)) > 0 AS is_confirmed,
            min(due_at) AS first_due_at,
            minIf(addMilliseconds(started_at, latency_ms), has({taken:Array(String)}, outcome)) AS confirmed_at,
            argMax(outcome, (started_at, attempt)) AS last_outcome,
            argMax(error, (started_at, attempt)) AS last_error,
            max(started_at) AS last_at
        FROM attempts FINAL
        WHERE platform = {platform:String} AND has({interfaces:Array(String)}, interface)
            AND key GLOBAL IN (SELECT start_charge_seq FROM ended)
        GROUP BY key
    ),
"""

_OWED = """
    stations_told_of AS
    (
        SELECT station_id FROM station_connectors
        WHERE {asks_catalog:Bool} AND connector_id GLOBAL IN
        (
            SELECT connector_id FROM attempts
            WHERE platform = {platform:String} AND started_at >= since AND started_at < day_end + INTERVAL 1 DAY
        )
    ),
    owed AS
    (
        SELECT
            ended.start_charge_seq AS key,
            ended.connector_id AS connector_id,
            ended.ended_at AS ended_at,
            made.attempts AS attempts,
            made.is_confirmed AS is_confirmed,
            if(attempts > 0, made.first_due_at, ended.ended_at) AS due_at,
            made.confirmed_at AS confirmed_at,
            made.last_outcome AS last_outcome,
            made.last_error AS last_error,
            made.last_at AS last_at
        FROM ended
        GLOBAL LEFT JOIN attempts_made AS made ON ended.start_charge_seq = made.key
        WHERE has({charge_models:Array(Int32)}, ended.charge_model)
            AND (empty({stations:Array(String)}) OR has({stations:Array(String)}, ended.station_id))
            AND (NOT {asks_catalog:Bool} OR made.attempts > 0
                OR ended.station_id GLOBAL IN (SELECT station_id FROM stations_told_of))
    ),
"""

_JUDGING_CONFIRMED = """
    judged AS
    (
        SELECT
            key,
            connector_id,
            is_confirmed AS is_right,
            dateDiff('second', ended_at, asked_at) AS off,
            'confirmed' AS expected,
            if(attempts = 0, 'never pushed', last_outcome) AS found,
            if(attempts = 0, '', concat(toString(attempts), ' attempts, the last at ', toString(last_at), ' UTC',
                if(last_error = '', '', concat(': ', last_error)))) AS detail
        FROM owed
    )
"""

# From the moment at which the order was made until the answer was there.
_JUDGING_IN_TIME = """
    judged AS
    (
        SELECT
            key,
            connector_id,
            dateDiff('ms', due_at, if(is_confirmed, confirmed_at, asked_at)) AS took_ms,
            is_confirmed AND took_ms <= {deadline_ms:Int64} AS is_right,
            toDecimal128(took_ms - {deadline_ms:Int64}, 3) / 1000 AS off,
            concat('within ', toString({deadline_ms:Int64} / 1000), ' s') AS expected,
            if(is_confirmed, concat(toString(took_ms / 1000), ' s'), 'not confirmed') AS found,
            concat('made at ', toString(due_at), ' UTC, ', toString(attempts), ' attempts') AS detail
        FROM owed
    )
"""

# Whoever contests an order in the nightly check was told of it before.
_JUDGING_UNDISPUTED = """
    contested AS
    (
        SELECT
            start_charge_seq AS key,
            any(total_money) AS money,
            arrayStringConcat(arraySort(groupUniqArray(
                concat(interface, ' code ', toString(code), ' at ', toString(disputed_at), ' UTC'))), ', ') AS told
        FROM disputes FINAL
        WHERE platform = {platform:String} AND start_charge_seq GLOBAL IN (SELECT start_charge_seq FROM ended)
        GROUP BY key
    ),
    judged AS
    (
        SELECT
            ended.start_charge_seq AS key,
            ended.connector_id AS connector_id,
            contested.told = '' AS is_right,
            abs(contested.money) AS off,
            'not contested' AS expected,
            concat('contested, ', toDecimalString(contested.money, 2), ' CNY') AS found,
            contested.told AS detail
        FROM ended
        GLOBAL LEFT JOIN attempts_made AS made ON ended.start_charge_seq = made.key
        GLOBAL LEFT JOIN contested ON ended.start_charge_seq = contested.key
        WHERE made.is_confirmed OR contested.told != ''
    )
"""


def told_by(platform: Platform) -> list[str]:
    """The interfaces by which the platform is told of orders."""
    return [name for name, one in sorted(interfaces().items()) if one.record is Order and platform.is_on(name)]


def pushes(warehouse: Queries, span: Span, scale: Scale, platform: Platform) -> Iterator[Figure]:
    """Of each interface by which the platform is told of orders, what is confirmed, and what in time; and what it
    contests of all that it has. Raises WarehouseError."""
    names = told_by(platform)
    asked: dict[str, Any] = {
        **span.parameters(),
        "platform": platform.name,
        "taken": _TAKEN,
        "stations": sorted(platform.scope.stations),
        "asks_catalog": asks_catalog([platform.scope]),
    }
    for name in names:
        policy = platform.interfaces[name]
        of_interface = {
            **asked,
            "interfaces": [name],
            "charge_models": sorted(map(int, policy.charge_models)),
            "deadline_ms": round(policy.deadline_s * 1000),
        }
        for comparison, judging in ((CONFIRMED, _JUDGING_CONFIRMED), (IN_TIME, _JUDGING_IN_TIME)):
            statement = _ATTEMPTS + _OWED + judging
            yield figure(warehouse, comparison, statement, of_interface, scale.worst, platform.name, name)
    of_all = {**asked, "interfaces": names}
    yield figure(warehouse, UNDISPUTED, _ATTEMPTS + _JUDGING_UNDISPUTED, of_all, scale.worst, platform.name)
