"""The layout that samples are compared by, against what the codec writes."""

import io
from dataclasses import replace
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import HEADER_SIZE, codec_for
from schemas.errors import UndecodableRecord
from schemas.records.telemetry import Telemetry
from schemas.registry import SchemaVersion
from schemas.telemetry_layout import (
    EARLIEST_MS,
    INSTANT_SIZE,
    LATEST_MS,
    NEVER,
    id_suffix,
    order_code,
    read_middle,
    routing_prefix,
)
from schemas.varint import read_long, write_long
from tests.schemas.strategies import records
from tests.schemas.test_examples import example

CODEC = codec_for("")
EXAMPLE: Telemetry = example(SchemaVersion("telemetry", 1))
LONGS = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-300, 300))
REAL_INSTANTS = st.integers(EARLIEST_MS, LATEST_MS)


def avro_long(value: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, {"type": "long"}, value)
    return out.getvalue()


@given(LONGS)
def test_write_long_is_avro(value: int) -> None:
    assert write_long(value) == avro_long(value)


@given(LONGS, st.binary(max_size=3), st.binary(max_size=3))
def test_read_long_is_avro(value: int, before: bytes, behind: bytes) -> None:
    encoded = avro_long(value)
    assert read_long(before + encoded + behind, len(before)) == (value, len(before) + len(encoded))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff\xff\xff"])
def test_read_long_that_ends_too_early(data: bytes) -> None:
    with pytest.raises(IndexError):
        read_long(data, 0)


@settings(deadline=None, max_examples=100)
@given(records("telemetry"))
def test_prefix_middle_and_suffix_are_the_whole_record(sample: Telemetry) -> None:
    payload = CODEC.encode(sample)
    prefix = routing_prefix(payload)
    suffix = id_suffix(sample.connector_id, sample.equipment_id, sample.station_id)
    assert payload.startswith(prefix)
    assert payload.endswith(suffix)
    assert read_middle(payload, len(prefix), len(suffix)) == (sample.sampled_at, sample.meter_wh)


@settings(deadline=None, max_examples=100)
@given(records("telemetry"), st.data())
def test_the_prefix_is_the_leading_five_fields_and_nothing_else(sample: Telemetry, data: st.DataObject) -> None:
    other: Telemetry = data.draw(records("telemetry"))
    leading = ("status", "park_status", "lock_status", "start_charge_seq", "charge_model")
    fields: dict[str, Any] = {name: getattr(sample, name) for name in leading}
    prefix = routing_prefix(CODEC.encode(sample))
    assert CODEC.encode(replace(other, **fields)).startswith(prefix)
    changed = data.draw(st.sampled_from(leading))
    if getattr(other, changed) != getattr(sample, changed):
        assert not CODEC.encode(replace(sample, **{changed: getattr(other, changed)})).startswith(prefix)
    assert prefix == CODEC.encode_head(Telemetry, fields)


def test_a_prefix_of_a_payload_that_is_too_short() -> None:
    prefix = routing_prefix(CODEC.encode(EXAMPLE))
    for size in range(HEADER_SIZE, len(prefix)):
        try:
            found = routing_prefix(prefix[:size])
        except IndexError:
            continue
        assert len(found) <= size


def test_a_middle_that_is_cut_or_padded_is_undecodable() -> None:
    payload = CODEC.encode(EXAMPLE)
    prefix = routing_prefix(payload)
    suffix = id_suffix(EXAMPLE.connector_id, EXAMPLE.equipment_id, EXAMPLE.station_id)
    end = len(payload) - len(suffix)
    for at in range(len(prefix), end):
        for middle in (payload[len(prefix) : at], payload[len(prefix) : at] + b"\x01" + payload[at:end]):
            with pytest.raises(UndecodableRecord):
                read_middle(prefix + middle + suffix, len(prefix), len(suffix))
    for size in range(len(prefix), len(payload)):
        with pytest.raises(UndecodableRecord):
            read_middle(payload[:size], len(prefix), len(suffix))


@given(REAL_INSTANTS, REAL_INSTANTS)
def test_order_codes_compare_as_their_instants(one: int, other: int) -> None:
    assert (order_code(one) < order_code(other)) == (one < other)
    assert (order_code(one) == order_code(other)) == (one == other)


@given(REAL_INSTANTS)
def test_an_order_code_is_the_bytes_in_the_payload(at: int) -> None:
    payload = CODEC.encode(replace(EXAMPLE, sampled_at=at))
    cut = len(routing_prefix(payload))
    assert int.from_bytes(payload[cut : cut + INSTANT_SIZE], "little") == order_code(at)
    assert 0 < order_code(at) < NEVER


@given(st.integers(-(1 << 62), 1 << 62), REAL_INSTANTS)
def test_instants_outside_are_before_or_behind_all_others(at: int, real: int) -> None:
    if at < EARLIEST_MS:
        assert order_code(at) < order_code(real)
    elif at > LATEST_MS:
        assert order_code(at) > order_code(real)


@pytest.mark.parametrize("at", [EARLIEST_MS - 1, EARLIEST_MS, EARLIEST_MS + 1, LATEST_MS - 1, LATEST_MS, LATEST_MS + 1])
def test_order_codes_at_the_edges(at: int) -> None:
    assert order_code(at) <= order_code(at + 1)
    assert (order_code(at) == 0) == (at < EARLIEST_MS)
    assert (order_code(at) == NEVER) == (at > LATEST_MS)
    if EARLIEST_MS <= at <= LATEST_MS:
        assert len(write_long(at)) == INSTANT_SIZE
