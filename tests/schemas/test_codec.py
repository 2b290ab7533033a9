"""Bytes to records and back, in Confluent's wire format."""

import contextlib
import io
import struct
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import HEADER_SIZE, RECORD_TYPES, Codec, codec_for
from schemas.errors import MisconfiguredSchemas, SchemaError, UndecodableRecord, UnencodableRecord, UnknownSchemaId
from schemas.records.connector_state import ConnectorState
from schemas.records.derived import ChargeProgress, Order
from schemas.records.telemetry import Telemetry
from schemas.registry import SchemaVersion, load_schemas, pinned_ids
from tests.schemas.strategies import newest_version, records, values
from tests.schemas.test_examples import example
from tests.schemas.versions import OLDER, shaped, written

CODEC = codec_for("")


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_round_trip(record: str) -> None:
    @settings(deadline=None, max_examples=25)
    @given(value=records(record))
    def holds(value: Any) -> None:
        encoded = CODEC.encode(value)
        assert CODEC.decode(encoded) == value
        assert CODEC.decode_as(RECORD_TYPES[record], encoded) == value

    holds()


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_the_body_is_what_any_avro_reader_reads(record: str) -> None:
    value = example(newest_version(record))
    encoded = CODEC.encode(value)
    assert encoded[:1] == b"\x00"
    assert struct.unpack(">I", encoded[1:5])[0] == pinned_ids()[newest_version(record)]
    body = io.BytesIO(encoded[5:])
    read = fastavro.schemaless_reader(body, load_schemas()[newest_version(record)], None)
    assert isinstance(read, dict)
    assert list(read) == [field.name for field in fields(value)]
    assert not body.read()


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_the_bytes_are_the_avro_librarys(record: str) -> None:
    schema = fastavro.parse_schema(load_schemas()[newest_version(record)])

    @settings(deadline=None, max_examples=25)
    @given(value=records(record))
    def holds(value: Any) -> None:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, msgspec.to_builtins(value, builtin_types=(Decimal, bytes)))
        assert CODEC.encode(value)[HEADER_SIZE:] == out.getvalue()

    holds()


@pytest.mark.parametrize("version", OLDER, ids=str)
def test_what_an_older_version_wrote_is_read_with_defaults(version: SchemaVersion) -> None:
    schemas, record_type = load_schemas(), RECORD_TYPES[version.record]

    @settings(deadline=None, max_examples=50)
    @given(value=values(schemas[version]))
    def holds(value: Any) -> None:
        newest = shaped(schemas[newest_version(version.record)], value)
        expected: Any = msgspec.convert(newest, record_type, builtin_types=(bytes,))
        data = written(version, expected)
        assert CODEC.decode(data) == CODEC.decode_as(record_type, data) == expected
        assert CODEC.decode(CODEC.encode(expected)) == expected

    holds()


@pytest.mark.parametrize("version", OLDER, ids=str)
def test_what_an_older_version_wrote_is_read_whole_or_not_at_all(version: SchemaVersion) -> None:
    data = written(version, example(version))
    for size in range(len(data)):
        with pytest.raises(UndecodableRecord):
            CODEC.decode(data[:size])
    with pytest.raises(UndecodableRecord, match="too many"):
        CODEC.decode(data + b"\x00")


@pytest.mark.parametrize("version", OLDER, ids=str)
def test_older_versions_are_not_written(version: SchemaVersion) -> None:
    assert CODEC.encode(example(version))[:HEADER_SIZE] != written(version, example(version))[:HEADER_SIZE]


def test_a_state_of_version_1_has_no_failed_starts() -> None:
    first, second = (SchemaVersion("connector_state", number) for number in (1, 2))
    data = written(first, example(second))
    assert struct.unpack(">I", data[1:5])[0] == 9
    assert CODEC.decode(data) == replace(example(second), failed_seqs=())
    assert CODEC.encode(CODEC.decode(data))[:HEADER_SIZE] == CODEC.header(ConnectorState)


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_header(record: str) -> None:
    record_type = RECORD_TYPES[record]
    assert CODEC.header(record_type) == CODEC.encode(example(newest_version(record)))[:HEADER_SIZE]


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_a_record_cut_anywhere_is_undecodable(record: str) -> None:
    encoded = CODEC.encode(example(newest_version(record)))
    for size in range(len(encoded)):
        with pytest.raises(UndecodableRecord):
            CODEC.decode(encoded[:size])


@pytest.mark.parametrize("record", RECORD_TYPES)
@pytest.mark.parametrize("behind", [b"\x00", b"\x00\x00", b"more"])
def test_bytes_behind_a_record_make_it_undecodable(record: str, behind: bytes) -> None:
    with pytest.raises(UndecodableRecord, match="too many"):
        CODEC.decode(CODEC.encode(example(newest_version(record))) + behind)


@pytest.mark.parametrize("data", [None, b"", b"\x00", b"\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01\x02", b"{}"])
def test_what_is_not_in_the_wire_format_is_undecodable(data: bytes | None) -> None:
    with pytest.raises(UndecodableRecord) as caught:
        CODEC.decode(data)
    assert caught.value.reason == "undecodable"


@pytest.mark.parametrize("schema_id", [0, 999, 0xFFFFFFFF])
def test_an_unknown_schema_id_is_named(schema_id: int) -> None:
    with pytest.raises(UnknownSchemaId) as caught:
        CODEC.decode(b"\x00" + struct.pack(">I", schema_id) + b"\x02")
    assert (caught.value.schema_id, caught.value.reason) == (schema_id, "unknown_schema_id")


def test_another_record_type_is_undecodable_as_this_one() -> None:
    encoded = CODEC.encode(example(SchemaVersion("order", 1)))
    with pytest.raises(UndecodableRecord) as caught:
        CODEC.decode_as(Telemetry, encoded)
    assert caught.value.reason == "unexpected_record_type"
    assert "Order" in str(caught.value)


@settings(deadline=None, max_examples=150)
@given(record=st.sampled_from(list(RECORD_TYPES)), data=st.data())
def test_changed_bytes_raise_nothing_else(record: str, data: st.DataObject) -> None:
    encoded = bytearray(CODEC.encode(example(newest_version(record))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(HEADER_SIZE, len(encoded)))
        encoded[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=10))
    with contextlib.suppress(UndecodableRecord):
        assert type(CODEC.decode(bytes(encoded))) is RECORD_TYPES[record]


@settings(deadline=None, max_examples=150)
@given(record=st.sampled_from(list(RECORD_TYPES)), body=st.binary(max_size=200))
def test_any_body_raises_nothing_else(record: str, body: bytes) -> None:
    with contextlib.suppress(UndecodableRecord):
        assert type(CODEC.decode(CODEC.header(RECORD_TYPES[record]) + body)) is RECORD_TYPES[record]


@pytest.mark.parametrize(
    "wrong",
    [
        {"energy_kwh": Decimal("1.001")},
        {"energy_kwh": Decimal(10) ** 15},
        {"energy_kwh": Decimal("NaN")},
        {"energy_kwh": Decimal("Infinity")},
        {"energy_kwh": "1.00"},
        {"energy_kwh": None},
        {"started_at": "now"},
        {"started_at": None},
        {"started_at": 1 << 70},
        {"user_name": 5},
        {"user_name": None},
        {"user_name": "\ud800"},
        {"periods": None},
        {"periods": (5,)},
    ],
)
def test_a_value_that_does_not_fit_is_unencodable(wrong: dict[str, Any]) -> None:
    order = replace(example(SchemaVersion("order", 1)), **wrong)
    with pytest.raises(UnencodableRecord, match="Order"):
        CODEC.encode(order)


def test_an_enum_value_that_is_not_in_the_schema_is_unencodable() -> None:
    progress = replace(example(SchemaVersion("charge_progress", 1)), kind="NEVER")
    with pytest.raises(UnencodableRecord, match="ChargeProgress"):
        CODEC.encode(progress)


@dataclass(frozen=True)
class Stranger:
    name: str


def test_what_is_no_record_is_unencodable() -> None:
    with pytest.raises(UnencodableRecord, match="Stranger"):
        CODEC.encode(Stranger("x"))


@pytest.mark.parametrize("record_type", [ChargeProgress, ConnectorState, Telemetry, Order])
def test_a_head_and_the_rest_are_the_whole(record_type: type) -> None:
    record = {v: k for k, v in RECORD_TYPES.items()}[record_type]

    @settings(deadline=None, max_examples=25)
    @given(value=records(record), count=st.integers(1, len(fields(record_type))))
    def holds(value: Any, count: int) -> None:
        whole = CODEC.encode(value)
        names = [field.name for field in fields(value)]
        head = CODEC.encode_head(record_type, {name: getattr(value, name) for name in names[:count]})
        assert whole.startswith(head)
        if count == len(names):
            assert head == whole
        assert CODEC.decode(head + whole[len(head) :]) == value

    holds()


def test_a_head_has_the_first_fields_in_order() -> None:
    with pytest.raises(UnencodableRecord, match="not its first fields"):
        CODEC.encode_head(Telemetry, {"park_status": 1, "status": 1})
    with pytest.raises(UnencodableRecord):
        CODEC.encode_head(Telemetry, {"status": "idle"})


def test_every_schema_needs_an_id() -> None:
    ids = pinned_ids()
    del ids[SchemaVersion("order", 1)]
    with pytest.raises(MisconfiguredSchemas, match=r"order\.v1"):
        Codec(ids)


def test_ids_of_a_registry_are_used() -> None:
    codec = Codec({version: 1000 + n for n, version in enumerate(pinned_ids())})
    value = example(SchemaVersion("telemetry", 1))
    encoded = codec.encode(value)
    assert struct.unpack(">I", encoded[1:5])[0] >= 1000
    assert codec.decode(encoded) == value
    with pytest.raises(UnknownSchemaId):
        codec.decode(CODEC.encode(value))


def test_the_pinned_codec_is_made_once() -> None:
    assert codec_for("") is CODEC


def test_every_error_is_a_schema_error() -> None:
    for error in (UnknownSchemaId(1), UndecodableRecord("x"), UnencodableRecord("x"), MisconfiguredSchemas("x")):
        assert isinstance(error, SchemaError)
