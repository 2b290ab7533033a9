"""Files of encoded records: any reader of Avro reads them, and what it reads is what was encoded."""

import io
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.warehouse.sink.avro_file import AvroFile
from connectors.warehouse.sink.sources import SOURCES, Source
from schemas.codec import RECORD_TYPES
from schemas.registry import load_schemas
from tests.connectors.warehouse.sink.records import CODEC
from tests.schemas.strategies import newest_version, records

SCHEMAS = load_schemas()


def file_of(source: Source) -> AvroFile:
    return AvroFile(SCHEMAS[newest_version(source.record)])


def read(file: bytes, record_type: type) -> list[Any]:
    found = map(_without_instants, fastavro.reader(io.BytesIO(file)))
    return [msgspec.convert(value, record_type, builtin_types=(bytes,)) for value in found]


def _without_instants(value: Any) -> Any:
    """fastavro makes datetimes of instants."""
    if isinstance(value, dict):
        return {name: _without_instants(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_instants(inner) for inner in value]
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else value


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_a_file_holds_its_records_in_order(source: Source) -> None:
    plausible = st.integers(0, 4_000_000_000_000)

    @settings(max_examples=20)
    @given(values=st.lists(records(source.record), min_size=1, max_size=4), at=plausible)
    def holds(values: list[Any], at: int) -> None:
        values = [_at(value, at) for value in values]
        file = file_of(source).of([CODEC.encode(value) for value in values])
        assert read(file, RECORD_TYPES[source.record]) == values

    holds()


def _at(value: Any, at: int) -> Any:
    """The same with instants that fastavro can show."""
    if isinstance(value, tuple):
        return tuple(_at(inner, at) for inner in value)
    if not hasattr(value, "__dataclass_fields__"):
        return value
    changed = {name: _at(getattr(value, name), at) for name in value.__dataclass_fields__}
    for name, inner in changed.items():
        if name.endswith("_at") and inner is not None:
            changed[name] = at
    return type(value)(**changed)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_a_file_of_nothing_is_a_file(source: Source) -> None:
    assert list(fastavro.reader(io.BytesIO(file_of(source).of([])))) == []
