"""Writes to chosen partitions under chosen times, and reads what a ChunkReader hands out."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Producer

from schemas.cluster import KafkaCluster
from streams.transport.chunk import Chunk
from streams.transport.reader import ChunkReader, Partition

_TIMEOUT_S = 120.0


def feed(cluster: KafkaCluster, topic: str, partition: int, times: Iterable[int]) -> None:
    """One record for each time (UTC ms), whose value is that time; `topic` is the declared name."""
    producer = Producer(cluster.producer_config(linger_ms=5))
    write(producer, cluster, topic, partition, times)
    assert producer.flush(_TIMEOUT_S) == 0


def write(producer: Producer, cluster: KafkaCluster, topic: str, partition: int, times: Iterable[int]) -> None:
    """The same with a producer of the caller's, who flushes or commits."""
    for at in times:
        producer.produce(cluster.topic(topic), str(at).encode(), b"key", partition=partition, timestamp=at)


@dataclass(slots=True)
class Reading:
    """What a reader has handed out, in order."""

    chunks: list[Chunk] = field(default_factory=list)

    def offsets(self) -> dict[Partition, list[int]]:
        """The offsets of all records by partition, in order."""
        found: dict[Partition, list[int]] = defaultdict(list)
        for chunk in self.chunks:
            found[chunk.topic, chunk.partition] += [record.offset() or 0 for record in chunk.records]
        return dict(found)

    def read(self, reader: ChunkReader, active: frozenset[Partition]) -> Sequence[Chunk]:
        """Reads once."""
        chunks = reader.read(active, 0.2)
        self.chunks += chunks
        return chunks

    def to_the_end(self, reader: ChunkReader, active: frozenset[Partition]) -> None:
        """Reads until all active partitions are at their end."""
        deadline = time.monotonic() + _TIMEOUT_S
        while not all(reader.at_end(partition) for partition in active):
            self.read(reader, active)
            assert time.monotonic() < deadline, "the partitions' ends are not reached"
