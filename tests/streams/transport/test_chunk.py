"""A batch is cut where the partition changes, whatever offsets and interleaving it has."""

from itertools import groupby

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.chunk import split_runs

#: What follows the record before it: its partition, and by how much its partition's offset has grown (transactions
#: leave gaps).
_STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=60)
_BLOCKS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40), st.integers(0, 40)), max_size=12)


def _record(partition: int, offset: int) -> Message:
    return Message(topic="t", partition=partition, offset=offset)


def _naive(records: list[Message]) -> list[list[Message]]:
    return [list(run) for _, run in groupby(records, key=lambda record: record.partition())]


def test_an_empty_batch_has_no_runs() -> None:
    assert split_runs([]) == []


@given(_STEPS)
def test_any_interleaving_is_cut_as_a_walk_would(steps: list[tuple[int, int]]) -> None:
    ends = dict.fromkeys(range(4), -1)
    records = []
    for partition, grown in steps:
        ends[partition] += grown
        records.append(_record(partition, ends[partition]))
    assert split_runs(records) == _naive(records)


@given(_BLOCKS)
def test_blocks_with_gaps_between_them_too(blocks: list[tuple[int, int, int]]) -> None:
    ends = dict.fromkeys(range(4), -1)
    records = []
    for partition, size, gap in blocks:
        for _ in range(size):
            ends[partition] += 1
            records.append(_record(partition, ends[partition]))
        ends[partition] += gap
    assert split_runs(records) == _naive(records)


def test_another_partition_in_a_gap_is_not_taken_for_the_first_one() -> None:
    # Partition 0 has a transaction's marker at offset 1, where a record of partition 1 came in between.
    records = [_record(0, 0), _record(1, 5), _record(0, 2)]
    assert split_runs(records) == [[record] for record in records]
