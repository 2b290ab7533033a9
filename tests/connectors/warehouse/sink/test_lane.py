"""One partition's records: where they are cut, what is put aside, and what may be committed."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.warehouse.sink.batch import Batch
from connectors.warehouse.sink.forms import Forms
from connectors.warehouse.sink.lane import Cuts, Lane
from schemas.codec import Codec
from schemas.registry import SchemaVersion, load_schemas, pinned_ids
from tests.connectors.warehouse.sink.records import CODEC, TELEMETRY, forms_of, messages, payloads
from tests.schemas.strategies import newest_version
from tests.schemas.test_examples import example

PLACE = (TELEMETRY.topic, 0)
FORMS = forms_of(TELEMETRY)
AN_ORDER = CODEC.encode(example(newest_version("order")))
UNKNOWN_ID = b"\x00\x7f\xff\xff\xf0" + payloads(1)[0][5:]


def lane(**cuts: Any) -> Lane:
    return Lane(PLACE, TELEMETRY, FORMS, Cuts(**cuts))


def all_batches(lane: Lane) -> list[Batch]:
    """Takes every batch in."""
    lane.finish()
    found = []
    while (batch := lane.next_batch(0.0)) is not None:
        found.append(batch)
        lane.done(batch)
    return found


def offsets(batch: Batch) -> list[int | None]:
    return [message.offset() for message in batch.messages]


def test_nothing_goes_in_before_it_is_old_or_large_enough() -> None:
    one = lane(wait_s=5.0, rows=10)
    one.put(messages(payloads(3)), now=100.0)
    assert one.next_batch(104.9) is None
    batch = one.next_batch(105.0)
    assert batch is not None
    assert offsets(batch) == [0, 1, 2]
    assert one.committable is None
    one.done(batch)
    assert one.committable == 3
    assert one.is_empty and not one.held


def test_a_batch_is_cut_by_rows_and_by_bytes() -> None:
    size = len(payloads(1)[0])
    assert [len(batch.messages) for batch in all_batches(filled(lane(rows=4), 10))] == [4, 4, 2]
    by_bytes = lane(bytes=3 * size, rows=2)
    assert [len(batch.messages) for batch in all_batches(filled(by_bytes, 7))] == [2, 2, 2, 1]
    assert [len(batch.messages) for batch in all_batches(filled(lane(bytes=1), 3))] == [3]


def filled(lane: Lane, count: int) -> Lane:
    lane.put(messages(payloads(count)), 0.0)
    return lane


def test_batches_of_a_partition_go_in_one_after_the_other() -> None:
    one = filled(lane(rows=2), 4)
    first = one.next_batch(0.0)
    assert first is not None
    assert one.next_batch(0.0) is None
    one.done(first)
    second = one.next_batch(0.0)
    assert second is not None
    assert offsets(second) == [2, 3]


def test_what_is_no_record_of_the_topic_is_put_aside_with_its_reason() -> None:
    good = payloads(3)
    damaged = [good[0], good[1][:-1], AN_ORDER, UNKNOWN_ID, b"\xff\xfe", None, good[1] + b"\x00", good[2]]
    one = lane()
    one.put(messages(damaged), 0.0)
    (batch,) = all_batches(one)
    assert offsets(batch) == [0, 7]
    assert [(message.offset(), error.reason) for message, error in batch.refused] == [
        (1, "undecodable"),
        (2, "unexpected_record_type"),
        (3, "unknown_schema_id"),
        (4, "undecodable"),
        (5, "undecodable"),
        (6, "undecodable"),
    ]
    assert one.committable == 8


def test_a_batch_of_nothing_good_is_one_all_the_same() -> None:
    one = lane(wait_s=1.0)
    one.put(messages([b"", b""]), 0.0)
    batch = one.next_batch(1.0)
    assert batch is not None
    assert not batch.messages and len(batch.refused) == 2


def test_another_version_begins_another_batch() -> None:
    """There is but one of telemetry: here a codec knows a second."""
    newest, second = newest_version("telemetry"), SchemaVersion("telemetry", 2)
    schemas = {**load_schemas(), second: load_schemas()[newest]}
    forms = Forms("telemetry", Codec({**pinned_ids(), second: 99}), schemas)
    one = Lane(PLACE, TELEMETRY, forms, Cuts())
    old = payloads(2)
    new = [b"\x00\x00\x00\x00\x63" + payload[5:] for payload in payloads(2)]
    one.put(messages([old[0], new[0], b"", new[1], old[1]]), 0.0)
    assert [(offsets(batch), len(batch.refused)) for batch in all_batches(one)] == [([0], 0), ([1, 3], 1), ([4], 0)]


def test_the_end_of_a_partition_counts_behind_marks_of_transactions() -> None:
    one = lane(wait_s=0.0)
    one.reached(5)
    assert one.committable == 5
    one.put(messages(payloads(1), first=7), 0.0)
    one.reached(9)
    batch = one.next_batch(0.0)
    assert batch is not None
    assert one.behind(9) == 4
    one.done(batch)
    assert one.committable == 9
    assert one.behind(9) == 0


def test_reading_from_further_back_begins_anew() -> None:
    one = filled(lane(rows=2), 4)
    going_in = one.next_batch(0.0)
    assert going_in is not None
    one.put(messages(payloads(1), first=1), 0.0)
    assert going_in.abandoned.is_set()
    one.done(going_in)
    assert one.committable is None
    assert [offsets(batch) for batch in all_batches(one)] == [[1]]
    assert one.committable == 2


def test_abandoned_batches_know_it() -> None:
    one = filled(lane(rows=2), 3)
    going_in = one.next_batch(0.0)
    assert going_in is not None
    one.abandon()
    assert going_in.abandoned.is_set()


@given(
    kinds=st.lists(st.sampled_from(["good", "short", "foreign"]), max_size=40),
    pieces=st.lists(st.integers(1, 10), max_size=10),
    rows=st.integers(1, 7),
)
def test_every_record_is_in_one_batch_or_put_aside(kinds: Sequence[str], pieces: Sequence[int], rows: int) -> None:
    good = payloads(1)[0]
    values = [{"good": good, "short": good[:-3], "foreign": AN_ORDER}[kind] for kind in kinds]
    read, one = messages(values), lane(rows=rows)
    at = 0
    for piece in [*pieces, len(read)]:
        if read[at : at + piece]:
            one.put(read[at : at + piece], 0.0)
            at += piece
    batches = all_batches(one)
    assert [offset for batch in batches for offset in offsets(batch)] == [
        n for n, kind in enumerate(kinds) if kind == "good"
    ]
    put_aside = [message.offset() for batch in batches for message, _ in batch.refused]
    assert put_aside == [n for n, kind in enumerate(kinds) if kind != "good"]
    assert one.committable == (len(values) or None)
    assert one.held == 0
