"""The examples under schemas/examples: one per schema version, each a record of its type."""

import io
import json
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

import fastavro
import msgspec
import pytest

from schemas.codec import RECORD_TYPES, codec_for
from schemas.registry import SchemaVersion, load_schemas, pinned_ids

FOLDER = files("schemas") / "examples"
CODEC = codec_for("")


def example(version: SchemaVersion) -> Any:
    """The example of this version, as a record."""
    text = (FOLDER / f"{version}.json").read_text(encoding="utf-8")
    return msgspec.json.decode(text, type=RECORD_TYPES[version.record])


def test_exactly_one_per_schema_version() -> None:
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(f"{version}.json" for version in load_schemas())


@pytest.mark.parametrize("version", load_schemas(), ids=str)
def test_encodes_and_decodes(version: SchemaVersion) -> None:
    record = example(version)
    assert CODEC.decode(CODEC.encode(record)) == record


@pytest.mark.parametrize("version", load_schemas(), ids=str)
def test_what_was_written_in_this_version_decodes(version: SchemaVersion) -> None:
    record, out = example(version), io.BytesIO()
    value = msgspec.to_builtins(record, builtin_types=(Decimal, bytes))
    fastavro.schemaless_writer(out, fastavro.parse_schema(load_schemas()[version]), value)
    assert CODEC.decode(b"\x00" + pinned_ids()[version].to_bytes(4, "big") + out.getvalue()) == record


@pytest.mark.parametrize("version", load_schemas(), ids=str)
def test_says_every_field_and_no_other(version: SchemaVersion) -> None:
    text = (FOLDER / f"{version}.json").read_text(encoding="utf-8")
    newest = json.loads(msgspec.json.encode(example(version)))
    assert in_version(newest, load_schemas()[version]) == json.loads(text)


def in_version(value: Any, schema: Any) -> Any:
    """Of a record of the newest version, as JSON, what this one's schema has."""
    if isinstance(schema, list):
        return None if value is None else in_version(value, schema[-1])
    if not isinstance(schema, Mapping):
        return value
    if schema["type"] == "record":
        return {field["name"]: in_version(value[field["name"]], field["type"]) for field in schema["fields"]}
    if schema["type"] == "array":
        return [in_version(item, schema["items"]) for item in value]
    return value
