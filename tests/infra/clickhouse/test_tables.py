"""The tables as they are made: comments, types, windows, retention; and that a station's electricity reads little."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.warehouse.sink.sources import SOURCES, Source
from infra.sql_tokens import Kind, tokens
from schemas.registry import load_schemas
from tests.infra.clickhouse.database import Database
from tests.schemas.strategies import newest_version

pytestmark = pytest.mark.clickhouse

UNITS = re.compile(r"no unit|UTC|\bWh|\bkWh|\bkW\b|, A$|, V$|, W$|, ms$|CNY|percent|counted|Beijing time|, s(?:$|:)")

#: A table's type for each of Avro's: never narrower, since what does not fit would be cut off.
TYPES = {
    "int": "Int32",
    "long": "Int64",
    "float": "Float32",
    "string": "String",
    "boolean": "Bool",
    "timestamp-millis": "DateTime64(3, 'UTC')",
}


def columns(database: Database, table: str) -> list[tuple[str, str, str]]:
    """Name, type and default kind of a table's columns."""
    query = (
        f"SELECT name, type, default_kind FROM system.columns WHERE database = '{database.name}' AND table = '{table}'"
    )
    return [tuple(row) for row in database.rows(f"{query} ORDER BY position")]


def test_every_table_and_view_says_what_it_is(database: Database) -> None:
    found = database.rows(f"SELECT name, comment FROM system.tables WHERE database = '{database.name}'")
    ours = {name: comment for name, comment in found if not name.endswith("migrations")}
    assert {source.table for source in SOURCES} | {"connector_hours", "connector_days", "electricity"} <= set(ours)
    assert not [name for name, comment in ours.items() if not comment]


def test_every_column_says_what_it_is_and_its_unit(database: Database) -> None:
    found = database.rows(f"SELECT table, name, comment FROM system.columns WHERE database = '{database.name}'")
    ours = [row for row in found if not row[0].endswith("migrations") and not row[0].startswith("telemetry_to_")]
    assert len(ours) > 90
    assert not [row for row in ours if not UNITS.search(row[2])]


def test_every_column_of_every_view_says_what_it_is_and_its_unit(database: Database) -> None:
    """Of views with parameters system.columns says nothing: what they were made with does."""
    views = database.rows(
        f"SELECT name, create_table_query FROM system.tables WHERE database = '{database.name}' AND engine = 'View'"
    )
    found = {name: dict(declared(query)) for name, query in views}
    assert len(found) >= 18
    assert list(found["electricity"]) == ["connector_id", "day", "energy_kwh"]
    for name, comments in found.items():
        assert comments, name
        assert not [column for column, comment in comments.items() if not UNITS.search(comment)], name


def declared(query: str) -> Iterator[tuple[str, str]]:
    """Name and comment of each column that a CREATE VIEW declares; the comment is "" where there is none."""
    name, comment, before = "", "", None
    for token in tokens(query):
        if token.depth == 1 and token.kind is Kind.NAME and before is not None and before.text in "(,":
            name, comment = token.text[1:-1], ""
        elif token.kind is Kind.STRING and before is not None and before.is_word("COMMENT"):
            comment = token.text
        if name and not token.depth and token.is_sign(")"):
            yield name, comment[1:-1]
            return
        if name and token.depth == 1 and token.is_sign(","):
            yield name, comment[1:-1]
        before = token


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_its_columns_are_the_records_fields(source: Source, database: Database) -> None:
    wanted: dict[str, str] = {}
    for field in load_schemas()[newest_version(source.record)]["fields"]:
        if field["name"] == "periods":
            wanted |= {
                f"periods.{inner['name']}": f"Array({wide(inner['type'])})"
                for inner in field["type"]["items"]["fields"]
            }
        elif field["name"] != "sample":
            wanted[field["name"]] = wide(field["type"])
    found = {name: kind for name, kind, default in columns(database, source.table) if not default}
    assert {name: re.sub(r"LowCardinality\((\w+)\)", r"\1", kind) for name, kind in found.items()} == wanted


def wide(kind: Any) -> str:
    """The type of a column for one of Avro's."""
    if isinstance(kind, list):
        return f"Nullable({wide(kind[1])})"
    if isinstance(kind, Mapping):
        if kind.get("logicalType") == "decimal":
            return f"Decimal({kind['precision']}, {kind['scale']})"
        if kind["type"] == "array":
            return f"Array({wide(kind['items'])})"
        return "String" if kind["type"] == "enum" else wide(kind.get("logicalType") or kind["type"])
    return TYPES[kind]


def test_every_table_remembers_tokens_and_forgets_rows(database: Database) -> None:
    """The register of connectors is kept for good, and so are deadlines."""
    found = database.rows(
        "SELECT name, create_table_query FROM system.tables "
        f"WHERE database = '{database.name}' AND engine LIKE '%MergeTree'"
    )
    ours = {name: query for name, query in found if not name.endswith("migrations")}
    assert {source.table for source in SOURCES} | {"connector_hours", "deadlines", "station_connectors"} <= set(ours)
    assert not [name for name, query in ours.items() if "non_replicated_deduplication_window = 10000" not in query]
    assert sorted(name for name, query in ours.items() if " TTL " not in query) == ["deadlines", "station_connectors"]


def test_a_stations_electricity_reads_its_own_hours_only(database: Database) -> None:
    """300 connectors for 60 days, of which a station has three: its days are a hundredth of what is there."""
    since = datetime.now(UTC).date() - timedelta(days=70)
    database.client.run(f"""
        INSERT INTO connector_hours (connector_id, hour, first_sample, last_sample, min_wh, max_wh)
        SELECT concat('P', leftPad(toString(intDiv(number, 1440)), 5, '0')),
            toDateTime('{since}', 'UTC') + (number % 1440) * 3600 AS hour,
            (toDateTime64(hour, 3, 'UTC'), number % 1440 * 1000),
            (toDateTime64(hour, 3, 'UTC') + 3500, number % 1440 * 1000 + 900),
            number % 1440 * 1000, number % 1440 * 1000 + 900
        FROM numbers(300 * 1440)""")
    database.client.run("""
        INSERT INTO station_connectors (station_id, connector_id)
        SELECT concat('P', toString(intDiv(number, 3))), concat('P', leftPad(toString(number), 5, '0'))
        FROM numbers(300)""")
    first = since + timedelta(days=20)
    view = f"electricity(station_id = 'P7', first_day = '{first}', last_day = '{first + timedelta(days=6)}')"
    (total,) = database.rows(f"SELECT count(), sum(energy_kwh) FROM {view}")
    assert total == (21, 3 * 7 * 24)
    read = database.rows(f"EXPLAIN ESTIMATE SELECT * FROM {view}")
    rows = sum(row[3] for row in read if row[1] == "connector_hours")
    assert 0 < rows < 300 * 1440 / 20
