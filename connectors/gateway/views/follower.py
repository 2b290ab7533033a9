"""Keeps the views up with their topics: reads what is there at the start, then what comes, and knows how old they are.

Every instance reads all partitions; nothing is committed.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.ends import Ends, Partition
from connectors.kafka_faults import check, is_refusal, settings_checked
from schemas.cluster import KafkaCluster
from schemas.compacted import partitions_of
from schemas.errors import UndecodableRecord
from schemas.kafka_log import kafka_log

log = logging.getLogger(__name__)

_BATCH = 2_000
_POLL_S = 0.1

#: What is logged once everything that lay on the topics at the start has been read.
READY = "the views have caught up"

#: How often the cluster is asked where the topics end.
_ASK_EVERY_S = 0.5

#: How often it is told how far the first reading is.
_TOLD_EVERY_S = 1.0

#: Who is told to stop meanwhile stops so much later.
_ANSWER_S = 2.0
_OFFSETS_S = 10.0


class Source(NamedTuple):
    """One topic of a view: `put` takes each record and may raise UndecodableRecord. With `since_ms` only what is newer
    than that long before now is read."""

    topic: str
    put: Callable[[Message], None]
    since_ms: int | None = None


class Follower:
    """`run` blocks until `stop`, on a thread of its own; everything else may be asked from any thread.

    `on_read` is called on that thread, once, when all that lay on the topics has been read and nobody knows of it yet.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        sources: Sequence[Source],
        clock: Callable[[], float] = time.monotonic,
        on_read: Callable[[], object] = lambda: None,
    ) -> None:
        self._cluster = cluster
        self._sources = {cluster.topic(source.topic): source for source in sources}
        self._clock = clock
        self._on_read = on_read
        self._stopping = threading.Event()
        with settings_checked():
            self._consumer = Consumer(
                {
                    **cluster.consumer_config(
                        group_id="evcs-gateway-views",
                        auto_offset_reset="earliest",
                        enable_partition_eof=True,
                        fetch_wait_max_ms=50,
                        queued_max_messages_kbytes=16_384,
                    ),
                    "logger": kafka_log(__name__),
                }
            )
        self._ends = Ends(cluster, between_s=_ASK_EVERY_S)
        self._asked_at = 0.0
        self._to_reach: dict[Partition, int] = {}
        self._reached: dict[Partition, int] = {}
        self._first_ends: dict[Partition, int] = {}
        self._begun_at: dict[Partition, int] = {}
        self._fresh_at: float | None = None
        self._told_at = float("-inf")
        #: Records that could not be read, by topic.
        self.passed_over: Counter[str] = Counter()

    @property
    def ready(self) -> bool:
        """Whether everything that lay on the topics at the start has been read."""
        return self._fresh_at is not None

    def age_s(self) -> float | None:
        """For how long the views may have missed something; None before they are ready."""
        return None if self._fresh_at is None else self._clock() - self._fresh_at

    def stop(self) -> None:
        """Ends `run` soon."""
        self._stopping.set()

    def run(self) -> None:
        """Follows until told to stop. Raises KafkaRefused."""
        try:
            self._begin()
            while not self._stopping.is_set():
                self._read()
                self._look_at_ends()
        finally:
            self._consumer.close()

    def _begin(self) -> None:
        """Assigns every partition; keeps trying while the cluster is away, or has not all of the topics, and says once
        what is waited for."""
        told = ""
        while not self._stopping.is_set():
            positions: list[TopicPartition] = []
            try:
                for name, source in self._sources.items():
                    positions += self._places(name, source)
            except KafkaException as error:
                told = self._waits_for(name, error.args[0], told)
                self._consumer.poll(0)  # what the client has to say piles up in it otherwise
                self._stopping.wait(_POLL_S)
            else:
                self._begun_at = {(p.topic, p.partition): p.offset for p in positions}
                self._reached = dict(self._begun_at)
                self._consumer.assign(positions)
                return

    def _waits_for(self, topic: str, error: KafkaError, told: str) -> str:
        if is_refusal(error):
            check(error, "")
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            what = f"{topic} is missing: run `evcs topics create`"
        else:
            what = self._cluster.no_answer(error.str())
        if what != told:
            log.warning("%s. Waiting for it", what)
        return what

    def _places(self, name: str, source: Source) -> list[TopicPartition]:
        """Where to begin in each partition of a topic."""
        numbers = partitions_of(self._consumer, name, _ANSWER_S)
        if source.since_ms is None:
            lows = [self._consumer.get_watermark_offsets(TopicPartition(name, n), _OFFSETS_S)[0] for n in numbers]
            return [TopicPartition(name, n, low) for n, low in zip(numbers, lows, strict=True)]
        since = time.time_ns() // 1_000_000 - source.since_ms
        found = self._consumer.offsets_for_times([TopicPartition(name, n, since) for n in numbers], _OFFSETS_S)
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        ends = {n: self._consumer.get_watermark_offsets(TopicPartition(name, n), _OFFSETS_S)[1] for n in numbers}
        return [TopicPartition(name, p.partition, p.offset if p.offset >= 0 else ends[p.partition]) for p in found]

    def _read(self) -> None:
        first = self._consumer.poll(_POLL_S)
        if first is None:
            return
        for message in [first, *self._consumer.consume(_BATCH, timeout=0)]:
            self._take(message)

    def _take(self, message: Message) -> None:
        error = message.error()
        where = (message.topic() or "", message.partition() or 0)
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._reached[where] = max(self._reached[where], message.offset() or 0)
            else:
                check(error, "")
            return
        try:
            self._sources[where[0]].put(message)
        except UndecodableRecord as problem:
            self.passed_over[self._sources[where[0]].topic] += 1
            log.error("%s/%s@%s is passed over: %s", *where, message.offset(), problem)
        self._reached[where] = (message.offset() or 0) + 1

    def _look_at_ends(self) -> None:
        """The views are as fresh as the last question about ends whose answer has been read up to."""
        now = self._clock()
        answer = self._ends.answer()
        if answer is not None and len(answer[1]) == len(self._reached):
            self._asked_at, self._to_reach = answer
            self._first_ends = self._first_ends or self._to_reach
        if self._to_reach and all(self._reached[p] >= end for p, end in self._to_reach.items()):
            if self._fresh_at is None:
                self._on_read()
                log.info(READY)
            self._fresh_at, self._to_reach = self._asked_at, {}
        if not self._to_reach:
            self._ends.ask(self._reached, now)
        if self._fresh_at is None and self._first_ends and now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            self._tell()

    def _tell(self) -> None:
        read = sum(self._reached[p] - self._begun_at[p] for p in self._first_ends)
        total = sum(max(0, end - self._begun_at[p]) for p, end in self._first_ends.items())
        log.info("views: %s of %s records read", f"{min(read, total):,}", f"{total:,}")
