"""The tables and views as they are rendered for a cluster, run. `python -m tests.infra.clickhouse.sharded FOLDER`
prints a line for each view that answers otherwise than on a single ClickHouse, and `compared <n>`.

The cluster is one shard, which is the engine itself, and nothing is replicated, since there is no keeper: what is shown
is that views stand on distributed tables as on plain ones. A process of its own, since there is one engine in each.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.clickhouse.engine import Engine, Query
from infra.warehouse.cluster import ClusterRenderer
from infra.warehouse.migration import load_migrations

CLUSTER, PLAIN, SHARDED = "one", "plain", "sharded"
CONFIG = f"""<clickhouse><tcp_port>9000</tcp_port><remote_servers><{CLUSTER}>
<shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
</{CLUSTER}></remote_servers></clickhouse>"""

TODAY = datetime.now(UTC).date()
SPAN = f"first_day = '{TODAY - timedelta(days=8)}', last_day = '{TODAY - timedelta(days=2)}'"


def chance(seed: int, below: int) -> str:
    """A number that follows from the row's."""
    return f"(cityHash64(number, {seed}) % {below})"


def at(seed: int) -> str:
    """An instant within the last twelve days."""
    return f"(toDateTime64('{TODAY}', 3, 'UTC') - toIntervalMillisecond({chance(seed, 12 * 86_400_000)}))"


CONNECTOR = f"concat('C', toString({chance(1, 12)})), concat('S', toString(intDiv({chance(1, 12)}, 4)))"
INTERFACE = "notification_charge_order_info_for_bonus"
ROWS = {
    "telemetry (connector_id, station_id, sampled_at, meter_wh)": f"{CONNECTOR}, {at(2)}, number * 1000",
    "status_changes (connector_id, station_id, kind, status, observed_at)": (
        f"{CONNECTOR}, ['CHANGED', 'HEARTBEAT'][1 + {chance(3, 2)}], [0, 1, 2, 3, 4, 255][1 + {chance(4, 6)}], {at(5)}"
    ),
    "charge_progress (connector_id, station_id, start_charge_seq, kind, started_at, due_at, observed_at, energy_wh)": (
        f"{CONNECTOR}, toString(number * 2 % 400), 'PERIODIC', {at(6)}, {at(6)}, {at(6)}, number"
    ),
    "orders (connector_id, station_id, start_charge_seq, started_at, ended_at, energy_kwh, total_money, billed, "
    "`periods.started_at`, `periods.ended_at`, `periods.elec_price`, `periods.service_price`, `periods.energy_kwh`, "
    "`periods.elec_money`, `periods.service_money`)": (
        f"{CONNECTOR}, toString(number), {at(6)}, {at(6)} + INTERVAL 40 MINUTE, number % 50, number % 70, number % 2, "
        f"[{at(6)}], [{at(6)}], [1], [1], [1], [1], [1]"
    ),
    "attempts (platform, interface, key, connector_id, attempt, due_at, started_at, latency_ms, outcome, error)": (
        f"'beijing', '{INTERFACE}', toString(number % 200), 'C1', 1, toDateTime64('{TODAY}', 3, 'UTC') - "
        "toIntervalDay(number % 200 % 10) AS due_at, due_at + toIntervalSecond(number), 10, "
        f"['DONE', 'LADDER', 'CONTESTED', 'DEAD_LETTER'][1 + {chance(7, 4)}], toString(number)"
    ),
    "disputes (start_charge_seq, connector_id, platform, interface, code, disputed_at)": (
        f"toString(number * 3), 'C1', 'beijing', '{INTERFACE}', 1, {at(8)}"
    ),
    "station_load_parts (connector_id, station_id, minute_at, first_at, last_at, last_wh, peak_w, charging)": (
        f"{CONNECTOR}, toStartOfMinute({at(9)}) AS minute, minute, minute + 50, number + 100, number, number % 2"
    ),
    "deadlines (platform, interface, deadline_s, noted_at)": f"'beijing', '{INTERFACE}', 150, {at(9)}",
}


def rendered() -> Iterator[str]:
    """The cluster's statements without what needs a keeper."""
    renderer = ClusterRenderer(CLUSTER, SHARDED)
    for migration in load_migrations():
        for sql in renderer.render(migration):
            here = sql.replace(f" ON CLUSTER '{CLUSTER}'", "").replace("replicated_dedup", "non_replicated_dedup")
            yield re.sub(r"Replicated(\w+)\('[^']*', '[^']*'(?:, )?", r"\1(", here)


def questions(views: list[tuple[str, str]]) -> Iterator[str]:
    """Each view, with parameters where it has some."""
    for name, query in views:
        asked = re.findall(r"{(station_id|platform):", query)
        if not asked:
            yield name
        for value in ("", "S1" if "station_id" in asked else "beijing") if asked else ():
            yield f"{name}({asked[0]} = '{value}', {SPAN})"


def main(folder: str) -> None:
    config = Path(folder) / "config.xml"
    config.write_text(CONFIG, encoding="utf-8")
    engine = Engine(f"{folder}/data", str(config))

    def run(sql: str) -> list[str]:
        return sorted(engine.run(Query(sql)).body.decode().splitlines())

    for database in (PLAIN, SHARDED):
        run(f"CREATE DATABASE {database}")
    for migration in load_migrations():
        for statement in migration.statements:
            run(statement.in_database(PLAIN))
    for sql in rendered():
        run(sql)
    for into, values in ROWS.items():
        for database in (PLAIN, SHARDED, PLAIN, SHARDED):  # twice each
            settings = "SETTINGS distributed_foreground_insert = 1, insert_deduplicate = 0"
            run(f"INSERT INTO {database}.{into} {settings} SELECT {values} FROM numbers(600)")
    found = run(f"SELECT name, create_table_query FROM system.tables WHERE database = '{PLAIN}' AND engine = 'View'")
    asked = list(questions([(row.split("\t")[0], row) for row in found]))
    for view in asked:
        plain, sharded = (run(f"SELECT * FROM {database}.{view}") for database in (PLAIN, SHARDED))
        if plain != sharded or not plain:
            print(f"{view}: {len(plain)} rows, sharded {len(sharded)}")  # noqa: T201
    print(f"compared {len(asked)}")  # noqa: T201
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1])
