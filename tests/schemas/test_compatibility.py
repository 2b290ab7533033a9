"""Newer versions read older ones: the repository's, and made-up ones that do or do not."""

import io
from typing import Any

import fastavro
import pytest

from schemas.compatibility import problems, unreadable
from schemas.registry import SchemaVersion, load_schemas

Field = dict[str, Any]


def record(*fields: Field, name: str = "Thing") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "evcs", "fields": list(fields)}


def field(name: str, kind: Any, **more: Any) -> Field:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": "Kind", "symbols": list(symbols)}


def money(precision: int = 14, scale: int = 2) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


INSTANT = {"type": "long", "logicalType": "timestamp-millis"}
OLD = record(field("a", "int"), field("kind", enum("X", "Y")), field("inner", record(field("b", "int"), name="Inner")))


def changed(old: Any, new: Any) -> list[str]:
    return unreadable(record(field("a", old)), record(field("a", new)))


def test_the_repositorys_schemas_are_compatible() -> None:
    assert problems() == []


GOOD = {
    "nothing changed": (OLD, OLD),
    "a field with a default": (OLD, record(*OLD["fields"], field("new", "string", default=""))),
    "a nullable field with a default": (OLD, record(*OLD["fields"], field("new", ["null", "int"], default=None))),
    "a field left out": (OLD, record(*OLD["fields"][1:])),
    "fields in another order": (OLD, record(*OLD["fields"][::-1])),
    "int to long": (record(field("a", "int")), record(field("a", "long"))),
    "int to double": (record(field("a", "int")), record(field("a", "double"))),
    "float to double": (record(field("a", "float")), record(field("a", "double"))),
    "string to bytes": (record(field("a", "string")), record(field("a", "bytes"))),
    "to nullable": (record(field("a", "int")), record(field("a", ["null", "int"]))),
    "a union that grew": (record(field("a", ["null", "int"])), record(field("a", ["null", "int", "string"]))),
    "an enum that grew": (record(field("a", enum("X"))), record(field("a", enum("X", "Y")))),
    "items promoted": (
        record(field("a", {"type": "array", "items": "int"})),
        record(field("a", {"type": "array", "items": "long"})),
    ),
    "a name renamed with its alias": (record(field("a", "int")), record(field("b", "int", aliases=["a"]))),
    "a named type used twice": (
        record(field("a", record(field("x", "int"), name="Inner")), field("b", "Inner")),
        record(field("a", record(field("x", "long"), name="Inner")), field("b", "evcs.Inner")),
    ),
}

BAD = {
    "a field without a default": (OLD, record(*OLD["fields"], field("new", "string")), "new: new without a default"),
    "a field renamed": (record(field("a", "int")), record(field("b", "int")), "b: new without a default"),
    "long to int": (record(field("a", "long")), record(field("a", "int")), "a: long can't be read as int"),
    "int to string": (record(field("a", "int")), record(field("a", "string")), "a: int can't be read as string"),
    "double to float": (record(field("a", "double")), record(field("a", "float")), "a: double"),
    "no longer nullable": (record(field("a", ["null", "int"])), record(field("a", "int")), "a: null"),
    "a branch gone": (record(field("a", ["null", "int"])), record(field("a", ["null", "string"])), "a: no branch"),
    "a symbol gone": (record(field("a", enum("X", "Y"))), record(field("a", enum("X"))), "symbols Y are gone"),
    "a symbol renamed": (record(field("a", enum("X"))), record(field("a", enum("Z"))), "symbols X are gone"),
    "another scale": (record(field("a", money())), record(field("a", money(scale=4))), "a: "),
    "another precision": (record(field("a", money())), record(field("a", money(precision=8))), "a: "),
    "an instant into a number": (record(field("a", INSTANT)), record(field("a", "long")), "timestamp-millis"),
    "deep inside": (
        record(field("a", {"type": "array", "items": record(field("b", "long"), name="Inner")})),
        record(field("a", {"type": "array", "items": record(field("b", "int"), name="Inner")})),
        r"a[].b: long can't be read as int",
    ),
    "another record": (
        record(field("a", record(field("b", "int"), name="Inner"))),
        record(field("a", record(field("b", "int"), name="Outer"))),
        "record Inner is called Outer",
    ),
    "fixed of another size": (
        record(field("a", {"type": "fixed", "name": "F", "size": 4})),
        record(field("a", {"type": "fixed", "name": "F", "size": 8})),
        "fixed of 4 bytes",
    ),
    "a map's values": (
        record(field("a", {"type": "map", "values": "string"})),
        record(field("a", {"type": "map", "values": "int"})),
        "a{}: string",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_readable(case: str) -> None:
    older, newer = GOOD[case]
    assert unreadable(older, newer) == []
    assert problems({SchemaVersion("thing", 1): older, SchemaVersion("thing", 2): newer}) == []


@pytest.mark.parametrize("case", BAD)
def test_unreadable(case: str) -> None:
    older, newer, word = BAD[case]
    found = problems({SchemaVersion("thing", 1): older, SchemaVersion("thing", 2): newer})
    assert len(found) == 1
    assert found[0].startswith("thing.v2 reading thing.v1: ")
    assert word in found[0]


@pytest.mark.parametrize("case", ["int to long", "float to double", "an enum that grew", "to nullable"])
def test_the_avro_library_reads_what_is_called_readable(case: str) -> None:
    older, newer = GOOD[case]
    kind = older["fields"][0]["type"]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(older), {"a": "X" if isinstance(kind, dict) else 1})
    out.seek(0)
    assert fastavro.schemaless_reader(out, fastavro.parse_schema(older), fastavro.parse_schema(newer))


def test_every_newer_version_is_held_against_every_older_one() -> None:
    one = record(field("a", "int"))
    two = record()
    three = record(field("a", "string", default=""))
    versions = {SchemaVersion("thing", number): schema for number, schema in ((1, one), (2, two), (3, three))}
    assert problems(versions) == ["thing.v3 reading thing.v1: a: int can't be read as string"]


def test_a_state_is_held_against_the_one_before() -> None:
    first, second = (SchemaVersion("connector_state", number) for number in (1, 2))
    older, newer = load_schemas()[first], load_schemas()[second]
    assert problems({first: older, second: newer}) == []
    fields = [{key: value for key, value in f.items() if key != "default"} for f in newer["fields"]]
    assert problems({first: older, second: {**newer, "fields": fields}}) == [
        "connector_state.v2 reading connector_state.v1: failed_seqs: new without a default"
    ]


def test_versions_have_no_gap() -> None:
    assert problems({SchemaVersion("thing", 1): OLD, SchemaVersion("thing", 3): OLD}) == [
        "thing: versions [1, 3] have a gap"
    ]
    assert problems({SchemaVersion("thing", 2): OLD}) == ["thing: versions [2] have a gap"]


def telemetry_v2(*fields: Field) -> list[str]:
    first = load_schemas()[SchemaVersion("telemetry", 1)]
    return problems({SchemaVersion("telemetry", 1): first, SchemaVersion("telemetry", 2): {**first, "fields": fields}})


TELEMETRY: list[Field] = load_schemas()[SchemaVersion("telemetry", 1)]["fields"]
NEW = field("power_w", "long", default=0)


def test_telemetry_may_grow_in_its_middle() -> None:
    assert telemetry_v2(*TELEMETRY[:7], NEW, *TELEMETRY[7:]) == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ((NEW, *TELEMETRY), "must begin with status"),
        ((*TELEMETRY[:5], NEW, *TELEMETRY[5:]), "must begin with status"),
        ((TELEMETRY[1], TELEMETRY[0], *TELEMETRY[2:]), "must begin with status"),
        ((TELEMETRY[0] | {"name": "state", "aliases": ["status"]}, *TELEMETRY[1:]), "must begin with status"),
        ((TELEMETRY[0] | {"type": "long"}, *TELEMETRY[1:]), "status is read by position"),
        ((*TELEMETRY, NEW), "must end with connector_id"),
    ],
)
def test_what_is_compared_as_bytes_stays_where_it_is(fields: tuple[Field, ...], word: str) -> None:
    (found,) = telemetry_v2(*fields)
    assert word in found
