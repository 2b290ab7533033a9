"""The head of a state, read by position, against the complete decode."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import HEADER_SIZE, Codec, codec_for
from schemas.connector_state_layout import StateHead, read_head
from schemas.errors import UndecodableRecord, UnknownSchemaId
from schemas.records.connector_state import ConnectorState
from schemas.registry import SchemaVersion, pinned_ids
from schemas.varint import write_long
from tests.schemas.strategies import newest_version, records
from tests.schemas.test_examples import example
from tests.schemas.versions import OLDER, written

CODEC = codec_for("")
EXAMPLE: ConnectorState = example(newest_version("connector_state"))
RUNNING = EXAMPLE.charges[0]

STATES = {
    "at rest": replace(EXAMPLE, charges=(), closed_seqs=(), failed_seqs=()),
    "never seen": replace(EXAMPLE, charges=(), status=0, status_since=0, station_id="", equipment_id="", sample=None),
    "running": EXAMPLE,
    "fault": replace(EXAMPLE, status=255),
    "two charges": replace(EXAMPLE, charges=(RUNNING, replace(RUNNING, start_charge_seq="another", bill=None))),
    "a hundred closed": replace(EXAMPLE, closed_seqs=tuple(f"S{number}" for number in range(100))),
    "a hundred failed": replace(EXAMPLE, failed_seqs=tuple(f"S{number}" for number in range(100))),
    "a hundred charges": replace(EXAMPLE, charges=(RUNNING,) * 100),
    "long ids": replace(EXAMPLE, connector_id="C" * 64, station_id="站" * 5000),
    "a long seq": replace(EXAMPLE, charges=(replace(RUNNING, start_charge_seq="9" * 64),)),
    "the longest numbers": replace(EXAMPLE, status=-(1 << 31), lock_status=(1 << 31) - 1, status_since=-(1 << 63)),
}

USUAL = ("at rest", "never seen", "running", "fault", "the longest numbers")


def head_of(state: ConnectorState) -> StateHead:
    fields: dict[str, Any] = {name: getattr(state, name) for name in StateHead._fields[:-1]}
    return StateHead(**fields, charge_seqs=tuple(charge.start_charge_seq for charge in state.charges))


class Reading(Codec):
    """A codec that does not decode."""

    def decode(self, data: bytes | None) -> Any:
        raise AssertionError("it decodes")


READING = Reading(pinned_ids())


@pytest.mark.parametrize("kind", STATES)
def test_the_head_is_the_decodes(kind: str) -> None:
    assert read_head(CODEC, CODEC.encode(STATES[kind])) == head_of(STATES[kind])


@settings(deadline=None, max_examples=100)
@given(records("connector_state"))
def test_the_head_of_any_state_is_the_decodes(state: ConnectorState) -> None:
    payload = CODEC.encode(state)
    assert read_head(CODEC, payload) == head_of(CODEC.decode_as(ConnectorState, payload)) == head_of(state)


@pytest.mark.parametrize("kind", USUAL)
def test_a_usual_state_is_not_decoded(kind: str) -> None:
    assert read_head(READING, CODEC.encode(STATES[kind])) == head_of(STATES[kind])


@pytest.mark.parametrize("kind", USUAL)
def test_a_usual_state_needs_its_head_alone(kind: str) -> None:
    payload, head = CODEC.encode(STATES[kind]), head_of(STATES[kind])
    fields = head._asdict()
    seqs: tuple[str, ...] = fields.pop("charge_seqs")
    size = len(CODEC.encode_head(ConnectorState, fields)) + 1 + sum(1 + len(seq) for seq in seqs)
    for end in range(size):
        with pytest.raises(UndecodableRecord):
            read_head(CODEC, payload[:end])
    for end in range(size, len(payload)):
        assert read_head(CODEC, payload[:end]) == head


@pytest.mark.parametrize("kind", [kind for kind in STATES if kind not in USUAL])
def test_any_other_state_is_needed_whole(kind: str) -> None:
    payload = CODEC.encode(STATES[kind])
    for end in [*range(min(len(payload), 2000)), len(payload) - 1]:
        with pytest.raises(UndecodableRecord):
            read_head(CODEC, payload[:end])


@settings(deadline=None, max_examples=200)
@given(kind=st.sampled_from([kind for kind in STATES if "hundred" not in kind]), data=st.data())
def test_damaged_bytes_give_what_the_decode_gives_or_are_undecodable(kind: str, data: st.DataObject) -> None:
    payload = bytearray(CODEC.encode(STATES[kind]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(HEADER_SIZE, min(len(payload), HEADER_SIZE + 160)))
        payload[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=10))
    head = whole = None
    with contextlib.suppress(UndecodableRecord):
        head = read_head(CODEC, bytes(payload))
    with contextlib.suppress(UndecodableRecord):
        whole = head_of(CODEC.decode_as(ConnectorState, bytes(payload)))
    if whole is not None:
        assert head is not None
        assert head[:-1] == whole[:-1]
        assert head.charge_seqs == whole.charge_seqs[: len(head.charge_seqs)]


@settings(deadline=None, max_examples=100)
@given(body=st.binary(max_size=200))
def test_any_body_raises_nothing_else(body: bytes) -> None:
    with contextlib.suppress(UndecodableRecord):
        assert type(read_head(CODEC, CODEC.header(ConnectorState) + body)) is StateHead


@pytest.mark.parametrize(
    "body",
    [
        b"\xff" * 1_000_000,
        b"\x02a" * 3 + b"\xff" * 1_000_000,
        b"\x00" * 7 + b"\x01" * 1_000_000,
        b"\x00" * 7 + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x00" * 7 + b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x00" * 9 + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x7e" * 40,
        b"\x02\xff" * 3,
    ],
    ids=["varint", "number", "blocks", "longest array", "longest block", "most charges", "long id", "no text"],
)
def test_damage_that_promises_much_ends(body: bytes) -> None:
    with pytest.raises(UndecodableRecord):
        read_head(CODEC, CODEC.header(ConnectorState) + body)


def one_block(items: list[bytes]) -> bytes:
    return (write_long(len(items)) if items else b"") + b"".join(items) + b"\x00"


def block_each(items: list[bytes]) -> bytes:
    return b"".join(write_long(1) + item for item in items) + b"\x00"


def with_sizes(items: list[bytes]) -> bytes:
    return b"".join(write_long(-1) + write_long(len(item)) + item for item in items) + b"\x00"


def one_with_size(items: list[bytes]) -> bytes:
    return (write_long(-len(items)) + write_long(sum(map(len, items))) if items else b"") + b"".join(items) + b"\x00"


@pytest.mark.parametrize("closed", [one_block, block_each, with_sizes, one_with_size])
@pytest.mark.parametrize("charges", [one_block, with_sizes, one_with_size])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_arrays_as_other_writers_have_them(
    closed: Callable[[list[bytes]], bytes], charges: Callable[[list[bytes]], bytes], count: int
) -> None:
    state = replace(EXAMPLE, closed_seqs=("A", "B", "C")[:count], failed_seqs=("D", "E")[:count])
    state = replace(state, charges=(RUNNING, replace(RUNNING, start_charge_seq="another"), RUNNING)[:count])
    names = list(StateHead._fields)
    before = CODEC.encode_head(ConnectorState, {name: getattr(state, name) for name in names[:7]})
    head = CODEC.encode_head(ConnectorState, {name: getattr(state, name) for name in names[:9]})
    none, whole = CODEC.encode(replace(state, charges=())), CODEC.encode(state)
    each = [CODEC.encode(replace(state, charges=(charge,))) for charge in state.charges]
    behind = none[len(head) + 1 :]
    encoded = [one[len(head) + 1 : -len(behind) - 1] for one in each]
    texts = [[b"\x02" + seq.encode() for seq in seqs] for seqs in (state.closed_seqs, state.failed_seqs)]
    assert before + one_block(texts[0]) + one_block(texts[1]) + one_block(encoded) + behind == whole
    payload = before + closed(texts[0]) + closed(texts[1]) + charges(encoded) + behind
    assert CODEC.decode(payload) == state
    assert read_head(CODEC, payload) == head_of(state)


def test_a_second_block_is_not_taken_for_the_next_array() -> None:
    state = replace(EXAMPLE, closed_seqs=("A", "\0"), failed_seqs=(), charges=())
    payload = CODEC.encode(state).replace(b"\x04\x02A\x02\0\0", b"\x02\x02A\x02\x02\0\0")
    assert payload != CODEC.encode(state)
    assert CODEC.decode(payload) == state
    assert read_head(CODEC, payload) == head_of(state)


def test_a_number_of_more_than_64_bits_is_what_the_decode_makes_of_it() -> None:
    state = replace(EXAMPLE, status_since=-(1 << 63))
    payload = CODEC.encode(state).replace(b"\xff" * 9 + b"\x01", b"\xff" * 9 + b"\x7f")
    assert payload != CODEC.encode(state)
    assert read_head(CODEC, payload) == head_of(CODEC.decode(payload))


@pytest.mark.parametrize("version", [version for version in OLDER if version.record == "connector_state"], ids=str)
def test_a_state_of_an_older_version_is_decoded(version: SchemaVersion) -> None:
    payload = written(version, EXAMPLE)
    assert read_head(CODEC, payload) == head_of(CODEC.decode(payload))
    for size in range(len(payload)):
        with pytest.raises(UndecodableRecord):
            read_head(CODEC, payload[:size])


def test_the_schema_id_is_the_codecs() -> None:
    codec = Codec({version: 1000 + n for n, version in enumerate(pinned_ids())})
    assert read_head(codec, codec.encode(EXAMPLE)) == head_of(EXAMPLE)
    with pytest.raises(UnknownSchemaId):
        read_head(codec, CODEC.encode(EXAMPLE))


@pytest.mark.parametrize("payload", [None, b"", b"\x00\x00", b"{}", CODEC.encode(EXAMPLE)[1:]])
def test_what_is_no_record_is_undecodable(payload: bytes | None) -> None:
    with pytest.raises(UndecodableRecord):
        read_head(CODEC, payload)


def test_another_record_is_undecodable() -> None:
    with pytest.raises(UndecodableRecord) as caught:
        read_head(CODEC, CODEC.encode(example(SchemaVersion("telemetry", 1))))
    assert caught.value.reason == "unexpected_record_type"
