"""Walking over records without decoding them: what is whole is told from what is not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import walking
from schemas.codec import HEADER_SIZE, RECORD_TYPES, codec_for
from schemas.errors import MisconfiguredSchemas, UndecodableRecord, UnencodableRecord
from schemas.registry import load_schemas
from schemas.varint import write_long
from schemas.walking import AllWhole, compile_all_whole, compile_walk
from tests.schemas.strategies import newest_version, records
from tests.schemas.test_examples import example

CODEC = codec_for("")
SCHEMAS = load_schemas()


def is_whole(all_whole: AllWhole, payload: bytes) -> bool:
    return all_whole([payload])


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_every_record_is_whole(record: str) -> None:
    all_whole = compile_all_whole(SCHEMAS[newest_version(record)])

    @settings(deadline=None, max_examples=25)
    @given(value=records(record))
    def holds(value: Any) -> None:
        assert is_whole(all_whole, CODEC.encode(value))

    holds()


@pytest.mark.parametrize("version", SCHEMAS, ids=str)
def test_no_part_of_a_record_is_whole_nor_is_more_than_one(version: Any) -> None:
    all_whole = compile_all_whole(SCHEMAS[version])
    if version != newest_version(version.record):
        return
    payload = CODEC.encode(example(version))
    assert is_whole(all_whole, payload)
    assert not any(is_whole(all_whole, payload[:size]) for size in range(HEADER_SIZE, len(payload)))
    assert not is_whole(all_whole, payload + b"\x00")


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_damaged_bytes_that_are_another_record_are_whole(record: str) -> None:
    all_whole = compile_all_whole(SCHEMAS[newest_version(record)])
    payload = CODEC.encode(example(newest_version(record)))

    @settings(deadline=None, max_examples=100)
    @given(at=st.integers(HEADER_SIZE, len(payload) - 1), byte=st.integers(0, 255))
    def holds(at: int, byte: int) -> None:
        damaged = payload[:at] + bytes((byte,)) + payload[at + 1 :]
        try:
            as_written = CODEC.encode(CODEC.decode(damaged)) == damaged
        except (UndecodableRecord, UnencodableRecord):
            return
        assert not as_written or is_whole(all_whole, damaged)

    holds()


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ("boolean", [b"\x00", b"\x01"], [b"\x02", b""]),
        ("int", [b"\x00", b"\xff\xff\xff\xff\x0f"], [b"\xff\xff\xff\xff\xff\x01", b"\x80"]),
        ("long", [b"\x00", b"\xff" * 9 + b"\x01"], [b"\xff" * 10 + b"\x01"]),
        ("float", [bytes(4)], [bytes(3), bytes(5)]),
        ("double", [bytes(8)], [bytes(4)]),
        ("string", [b"\x00", b"\x04ab", write_long(200) + bytes(200)], [b"\x04a", b"\x01", b"\x81\x02", b"\x04abc"]),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, [b"\x00", b"\x02"], [b"\x04", b"\x01", b"\x82\x01"]),
        (["null", "int"], [b"\x00", b"\x02\x08"], [b"\x02", b"\x04\x08", b"\x01"]),
        (
            {"type": "array", "items": "int"},
            [b"\x00", b"\x04\x02\x02\x00", b"\x02\x02\x02\x02\x00", b"\x03\x04\x02\x02\x00"],
            [b"\x04\x02\x00", b"\x02\x02", b"\xfe\xff\xff\xff\x0f\x02"],
        ),
    ],
)
def test_each_type(schema: Any, good: list[bytes], bad: list[bytes]) -> None:
    all_whole = compile_all_whole({"type": "record", "name": "R", "fields": [{"name": "f", "type": schema}]})
    assert all(is_whole(all_whole, bytes(HEADER_SIZE) + body) for body in good)
    assert not any(is_whole(all_whole, bytes(HEADER_SIZE) + body) for body in bad)


def test_a_type_by_its_name() -> None:
    inner = {"type": "record", "name": "Inner", "fields": [{"name": "n", "type": "int"}]}
    all_whole = compile_all_whole(
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": inner}, {"name": "b", "type": "Inner"}]}
    )
    assert is_whole(all_whole, bytes(HEADER_SIZE) + b"\x02\x02")


def test_types_that_we_do_not_use_are_refused() -> None:
    with pytest.raises(MisconfiguredSchemas, match="map"):
        compile_walk({"type": "map", "values": "int"})
    with pytest.raises(MisconfiguredSchemas, match="65"):
        compile_walk({"type": "enum", "name": "E", "symbols": [f"S{n}" for n in range(65)]})


@pytest.mark.parametrize("record", ["telemetry", "status_change", "attempt"])
def test_what_usually_comes_needs_no_walk(record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(payload: bytes) -> int:
        raise AssertionError("walked over")

    monkeypatch.setattr(walking, "compile_walk", lambda schema: walk)
    version = newest_version(record)
    assert compile_all_whole(SCHEMAS[version])([CODEC.encode(example(version))] * 3)


def test_one_that_is_not_whole_among_many_is_noticed() -> None:
    version = newest_version("telemetry")
    payload = CODEC.encode(example(version))
    all_whole = compile_all_whole(SCHEMAS[version])
    assert all_whole([payload] * 3)
    assert not all_whole([payload, payload + b"\x00", payload])
    assert not all_whole([payload, payload[:-1], payload])
    assert not all_whole([payload, b"", payload])
