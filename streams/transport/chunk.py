"""A chunk: consecutive records of one partition that travel through Faust as one message."""

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Message


@dataclass(slots=True, frozen=True)
class Chunk:
    """Records of one partition in order of offset.

    `newest_at` is the last record's Kafka timestamp (UTC ms). `caught_up` tells that nothing more lay in the
    partition when the chunk was read.
    """

    topic: str
    partition: int
    records: Sequence[Message]
    first_offset: int
    last_offset: int
    newest_at: int
    caught_up: bool


def split_runs(records: list[Message]) -> list[list[Message]]:
    """Cuts a batch of several partitions into runs of one partition each, in order.

    Asking every record for its partition would cost more than the rest, so runs are found by halves: when a
    slice's ends are of one partition and their offsets are as far apart as the slice is long, so is all
    between them.
    """
    runs: list[list[Message]] = []
    start, size = 0, len(records)
    while start < size:
        first = records[start]
        topic, partition, offset = first.topic(), first.partition(), first.offset() or 0
        end, step = start + 1, size - start - 1
        while step and end < size:
            last = records[min(end + step, size) - 1]
            reach = min(end + step, size)
            if (
                last.partition() == partition
                and last.topic() == topic
                and (last.offset() or 0) - offset == reach - 1 - start
            ):
                end = reach
            else:
                step //= 2
        runs.append(records[start:end])
        start = end
    return runs
