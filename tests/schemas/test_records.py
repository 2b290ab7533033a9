"""Every schema has an id, a dataclass, a topic and its documentation; nothing lies about unused."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.resources import files
from typing import Any, get_type_hints

import pytest

from schemas.codec import RECORD_TYPES
from schemas.registry import SchemaVersion, load_schemas, pinned_ids
from schemas.telemetry_layout import METER_MAX_WH
from schemas.topic import all_topics
from tests.schemas.strategies import newest_version

SCHEMAS = load_schemas()


def nested_records(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The record itself and all records in it."""
    if isinstance(schema, list):
        for branch in schema:
            yield from nested_records(branch)
    elif isinstance(schema, Mapping):
        if schema["type"] == "record":
            yield schema
            for field in schema["fields"]:
                yield from nested_records(field["type"])
        else:
            yield from nested_records(schema["type"])
            yield from nested_records(schema.get("items"))


def test_every_schema_has_an_id_and_every_id_a_schema() -> None:
    assert set(SCHEMAS) == set(pinned_ids())


def test_every_schema_has_a_dataclass_and_every_dataclass_a_schema() -> None:
    assert {version.record for version in SCHEMAS} == set(RECORD_TYPES)


def test_every_record_is_in_a_topic_and_every_topic_record_has_a_schema() -> None:
    assert {record for topic in all_topics().values() for record in topic.records} == set(RECORD_TYPES)


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_the_dataclass_has_the_newest_versions_fields_in_order(record: str) -> None:
    record_type, schema = RECORD_TYPES[record], SCHEMAS[newest_version(record)]
    assert schema["name"] == record_type.__name__
    assert sorted(f.name for f in fields(record_type)) == sorted(f["name"] for f in schema["fields"])
    without_default = [f.name for f in fields(record_type)]
    assert without_default == [f["name"] for f in schema["fields"]]


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_the_dataclasses_inside_have_their_schemas_fields(record: str) -> None:
    by_name = {record_type.__name__: record_type for record_type in _dataclasses(RECORD_TYPES[record])}
    for schema in nested_records(SCHEMAS[newest_version(record)]):
        assert {f.name for f in fields(by_name[schema["name"]])} == {f["name"] for f in schema["fields"]}


def _dataclasses(record_type: Any) -> Iterator[type]:
    if isinstance(record_type, type) and is_dataclass(record_type):
        yield record_type
        for hint in get_type_hints(record_type).values():
            yield from _dataclasses(hint)
    for part in getattr(record_type, "__args__", ()):
        yield from _dataclasses(part)


@pytest.mark.parametrize("version", SCHEMAS, ids=str)
def test_every_record_and_field_says_what_it_is(version: SchemaVersion) -> None:
    for schema in nested_records(SCHEMAS[version]):
        assert schema.get("doc", "").strip(), schema["name"]
        for field in schema["fields"]:
            assert field.get("doc", "").strip(), f"{schema['name']}.{field['name']}"


@pytest.mark.parametrize("version", SCHEMAS, ids=str)
def test_a_schema_names_its_records_once(version: SchemaVersion) -> None:
    names = [schema["name"] for schema in nested_records(SCHEMAS[version])]
    assert len(names) == len(set(names))
    assert SCHEMAS[version]["namespace"] == "evcs"


@pytest.mark.parametrize(("record", "inside"), [("connector_state", "Telemetry"), ("charge_progress", "Telemetry")])
def test_the_telemetry_inside_is_telemetry_field_by_field(record: str, inside: str) -> None:
    (embedded,) = [s for s in nested_records(SCHEMAS[newest_version(record)]) if s["name"] == inside]
    assert embedded["fields"] == SCHEMAS[newest_version("telemetry")]["fields"]


@pytest.mark.parametrize("record", ["connector_state", "charge_progress"])
def test_the_sample_is_the_last_field_and_may_be_null(record: str) -> None:
    last = SCHEMAS[newest_version(record)]["fields"][-1]
    assert last["name"] == "sample"
    assert last["type"][0] == "null"


def test_the_bill_inside_a_state_is_a_bill() -> None:
    (embedded,) = [s for s in nested_records(SCHEMAS[newest_version("connector_state")]) if s["name"] == "BillIssued"]
    assert embedded["fields"] == SCHEMAS[newest_version("bill_issued")]["fields"]


def test_an_order_can_hold_any_register() -> None:
    (energy,) = [f for f in SCHEMAS[newest_version("order")]["fields"] if f["name"] == "meter_end_kwh"]
    assert 10 ** energy["type"]["precision"] > 2 * METER_MAX_WH // 10


def test_the_records_folder_holds_nothing_else() -> None:
    kinds = {file.name.rpartition(".")[2] for file in files("schemas.records").iterdir() if file.is_file()}
    assert kinds <= {"avsc", "py", "toml"}
