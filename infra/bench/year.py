"""`evcs bench year`: what platforms and auditors ask of a warehouse that holds a year: statistics of a month, through
the gateway, and the audit of a day."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.platform import load_platforms
from connectors.reconciliation.audit.pushes import told_by
from connectors.reconciliation.audit.run import audit
from connectors.reconciliation.days import yesterday
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.bench.database import tables
from infra.bench.gateway_load import caller, load
from infra.bench.gateway_service import PLATFORM
from infra.bench.gateway_stand import Stand, made_stand
from infra.bench.year_of_data import (
    CONNECTOR_COLUMNS,
    DAY_KWH,
    HOURS,
    ORDERS_EACH,
    SAMPLES_EACH,
    connector_rows,
    filling,
)
from infra.errors import OperatorError
from infra.simulator.fleet.population import CONNECTORS_PER_STATION
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster

MONTH_DAYS = 30

#: A merge may follow another's end.
_LOOK_EVERY_S, _QUIET_LOOKS, _SETTLE_TIMEOUT_S = 2.0, 3, 600.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class YearBenchSettings:
    """`others` are the orders of the year before the day; `per_s` questions for `seconds`."""

    connectors: int = 10_000
    others: int = 10_000_000
    per_s: float = 5.0
    seconds: float = 60.0


def measure(
    cluster: KafkaCluster, warehouse: Warehouse, settings: YearBenchSettings, runs: Path, tell: Tell
) -> dict[str, object]:
    """On topics and in a database of its own. `runs` is `infra.runs`' folder.

    Raises OperatorError when an answer or the audit is not right, WarehouseError.
    """
    connectors = settings.connectors // CONNECTORS_PER_STATION * CONNECTORS_PER_STATION
    warehouse = replace(warehouse, database=f"bench_{uuid.uuid4().hex[:8]}")
    with made_stand(cluster, connectors, runs, tell) as stand, tables(warehouse) as client:
        began = time.perf_counter()
        _fill(client, stand, settings, tell)
        filled_s = time.perf_counter() - began
        settled_s = _settle(client, tell)
        tell(f"{settings.per_s:g} questions a second for {settings.seconds:g} s")
        statistics = _statistics(stand, warehouse, settings)
        audited = _audit(client, connectors * ORDERS_EACH, tell)
    return {
        **statistics,
        **audited,
        "filled_s": round(filled_s),
        "settled_s": round(settled_s),
        "connectors": connectors,
        "hours": connectors * HOURS,
        "samples": connectors * SAMPLES_EACH,
        "orders": connectors * ORDERS_EACH + settings.others,
        "per_s": settings.per_s,
    }


def _fill(client: WarehouseClient, stand: Stand, settings: YearBenchSettings, tell: Tell) -> None:
    now = datetime.now(UTC)
    rows = [(*row, now, now) for row in connector_rows(stand.fleet.stations)]
    client.insert_rows("station_connectors", CONNECTOR_COLUMNS, rows)
    told = told_by(load_platforms().platforms[PLATFORM])
    for what, statement in filling(yesterday(wall_ms()), settings.others, PLATFORM, told):
        tell(what)
        client.run(statement)


def _settle(client: WarehouseClient, tell: Tell) -> float:
    """Waits, for so many seconds, until ClickHouse has merged what one statement after the other inserted: a year that
    came in a year's time has long been merged."""
    began = time.perf_counter()
    quiet = 0
    while quiet < _QUIET_LOOKS and time.perf_counter() < began + _SETTLE_TIMEOUT_S:
        [(merges,)] = client.rows("SELECT count() FROM system.merges WHERE database = currentDatabase()")
        if merges:
            tell(f"merges at work: {merges}")
        quiet = 0 if merges else quiet + 1
        time.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - began


def _statistics(stand: Stand, warehouse: Warehouse, settings: YearBenchSettings) -> dict[str, object]:
    """A month's of one station after the other."""
    count = round(settings.per_s * settings.seconds)
    station_kwh = round(DAY_KWH * MONTH_DAYS * CONNECTORS_PER_STATION)
    with stand.gateway(warehouse=warehouse) as gateway:
        asker = caller(stand, gateway, 1)
        calls = [asker.statistics(MONTH_DAYS, station_kwh) for _ in range(count)]
        figures = load(stand, gateway, "open", calls, str(settings.per_s)).figures
    (p50_ms,), (p99_ms,) = figures["p50_ms"].values(), figures["p99_ms"].values()
    return {"statistics_p50_ms": p50_ms, "statistics_p99_ms": p99_ms, "questions": count}


def _audit(client: WarehouseClient, orders: int, tell: Tell) -> dict[str, Any]:
    platforms = [load_platforms().platforms[PLATFORM]]
    began = time.perf_counter()
    found = audit(client, yesterday(wall_ms()), datetime.now(UTC), platforms, tell=tell)
    audit_s = time.perf_counter() - began
    rates = {" ".join(filter(None, (one.comparison, one.interface))): str(one.percent) for one in found.figures}
    if set(rates.values()) != {"100.0000"} or found.figures[0].checked != orders:
        raise OperatorError(f"100 % of {orders:,} orders are right, {rates} of {found.figures[0].checked:,} were found")
    return {"audit_s": round(audit_s, 1), "audited_orders": orders}
