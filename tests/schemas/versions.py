"""Records as one version of their schema has them, and as a program of that version wrote them."""

import io
import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import fastavro
import msgspec

from schemas.registry import SchemaVersion, load_schemas, pinned_ids
from tests.schemas.strategies import newest_version

#: Those that are only read.
OLDER = [version for version in load_schemas() if version != newest_version(version.record)]


def shaped(schema: Any, value: Any) -> Any:
    """The value with exactly this schema's fields: what it lacks by default, what the schema does not have left out."""
    if isinstance(schema, list):
        return None if value is None else shaped(schema[-1], value)
    if isinstance(schema, str):
        return value
    assert isinstance(schema, Mapping)
    if schema["type"] == "array":
        return [shaped(schema["items"], item) for item in value]
    if schema["type"] != "record":
        return value
    return {
        field["name"]: shaped(field["type"], value[field["name"]]) if field["name"] in value else field["default"]
        for field in schema["fields"]
    }


def written(version: SchemaVersion, record: Any, schema_id: int | None = None) -> bytes:
    """The record in the wire format under this version's schema, written by the Avro library."""
    out = io.BytesIO()
    out.write(struct.pack(">BI", 0, pinned_ids()[version] if schema_id is None else schema_id))
    schema = load_schemas()[version]
    value = shaped(schema, msgspec.to_builtins(record, builtin_types=(Decimal, bytes)))
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()
