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
    """Cuts a batch of one topic's records into runs of one partition each, in order.

    The partitions are asked for and compared in C, and a run's end is found by halves: a loop over the records
    would cost more than all that follows. Offsets tell nothing, since markers of transactions leave gaps.
    """
    partitions = list(map(Message.partition, records))
    runs: list[list[Message]] = []
    start, size = 0, len(records)
    while start < size:
        partition = partitions[start]
        end = start + 1
        step = size - end
        while step:
            if partitions[end : end + step].count(partition) == step:
                end += step
                step = min(step, size - end)
            else:
                step //= 2
        runs.append(records[start:end])
        start = end
    return runs
