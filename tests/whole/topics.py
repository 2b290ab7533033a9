"""What lies on a cluster's topics, decoded, for tests that compare it with what should."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import read_to_end
from schemas.records.faults import DeadLetter
from schemas.topic import all_topics

CODEC = codec_for("")


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as its topic keeps it; `recorded_at` in UTC ms."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    recorded_at: int
    record: Any


def kept_on(cluster: KafkaCluster, topic: str) -> list[Kept]:
    """All records of a declared topic, in order within each partition; tombstones are left out."""
    return [
        Kept(
            message.partition() or 0,
            message.offset() or 0,
            message.key(),
            value,
            message.timestamp()[1],
            CODEC.decode(value),
        )
        for batch in read_to_end(cluster, cluster.topic(topic))
        for message in batch
        if (value := message.value()) is not None
    ]


def records_on(cluster: KafkaCluster, topic: str) -> list[Any]:
    """The same without what Kafka adds."""
    return [kept.record for kept in kept_on(cluster, topic)]


def dead_letters(cluster: KafkaCluster) -> list[DeadLetter]:
    """Everything on all dead-letter topics."""
    names = [name for name in all_topics() if name.endswith("-dlq")]
    return [letter for name in names for letter in records_on(cluster, name)]


def repeats(kept: list[Kept]) -> int:
    """How many records are byte for byte what another record of the topic is."""
    return sum(count - 1 for count in Counter((k.key, k.value) for k in kept).values())


#: No test asks that something comes within this; it only ends one that would wait for ever, however slow the machine.
PATIENCE_S = 120.0


def until(condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S, every_s: float = 0.1) -> float:
    """Asks until the condition holds; returns how many seconds that took. Fails, saying what was waited for."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < timeout_s, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(every_s)
    return time.monotonic() - began
