"""Any record of any type, made from its Avro schema."""

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.codec import RECORD_TYPES
from schemas.registry import SchemaVersion, load_schemas

_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(1 << 31), (1 << 31) - 1),
    "long": st.integers(-(1 << 63), (1 << 63) - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=40),
    "bytes": st.binary(max_size=40),
}


def newest_version(record: str) -> SchemaVersion:
    """The newest version of a record."""
    return max(version for version in load_schemas() if version.record == record)


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Values of an Avro schema in which no type is used by its name."""
    if isinstance(schema, list):
        return st.one_of(*map(values, schema))
    if isinstance(schema, str):
        return _PRIMITIVES[schema]
    assert isinstance(schema, Mapping)
    kind = schema["type"]
    if schema.get("logicalType") == "decimal":
        limit, scale = 10 ** schema["precision"] - 1, schema["scale"]
        return st.integers(-limit, limit).map(lambda unscaled: _decimal(unscaled, scale))
    if kind == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in schema["fields"]})
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "array":
        return st.lists(values(schema["items"]), max_size=3)
    return values(kind)


def _decimal(unscaled: int, scale: int) -> Any:
    from decimal import Decimal

    return Decimal(unscaled).scaleb(-scale)


def records(record: str) -> st.SearchStrategy[Any]:
    """Records of the newest version of this name."""
    schema, record_type = load_schemas()[newest_version(record)], RECORD_TYPES[record]
    return values(schema).map(lambda value: msgspec.convert(value, record_type, builtin_types=(bytes,)))
