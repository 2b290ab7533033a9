"""Reads topics and writes what becomes of their records, exactly once: outputs and offsets in one transaction.

What that is, and when a record has its turn, is the services' decision (router, retry scheduler).
"""

import logging
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.delivery.buffers import Buffers, Held
from connectors.delivery.parcel import Parcel
from connectors.delivery.peers import Peers
from connectors.delivery.places import require_place
from connectors.delivery.topics import dead_letter_topic
from connectors.delivery.transactions import Transactions, Unsettled
from connectors.ends import Ends, Partition
from connectors.kafka_faults import check, settings_checked
from connectors.leaving import leave
from schemas.cluster import KafkaCluster
from schemas.codec import Codec, codec_for
from schemas.kafka_log import kafka_log
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

#: What a service logs, after its name, once it takes records.
READY = "takes records"

_POLL_S = 0.01
_READ_AT_ONCE = 1_000

#: The buffers' clock runs no faster than we read: a stall of ours is no silence of a partition.
_TICK_MAX_S = 0.025

#: A service that is told to end finishes its transaction within this, if the cluster lets it.
_LEAVE_S = 5.0

#: What one fetch takes of a partition. A partition that is paused loses what was fetched ahead, so little is.
_FETCH_BYTES = 262_144
_FETCH_AHEAD = 2_000

#: New topics of a pattern are found within this.
_METADATA_MS = 10_000

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Outputs:
    """What a record's turn writes, within the transaction at hand."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, transactions: Transactions) -> None:
        self._cluster = cluster
        self._codec = codec
        self._transactions = transactions

    def put(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, parcel: Parcel | None = None
    ) -> bool:
        """A record to a declared topic; False if no message may be so large."""
        headers = parcel.headers() if parcel else None
        return self._transactions.put(self._cluster.topic(topic), key, value, timestamp, headers)

    def bury(self, letter: DeadLetter, topic: str = "", parcel: Parcel | None = None) -> None:
        """A dead letter to those of `topic`, by default of the one that it names; without the value if that leaves
        no room for the rest."""
        to = dead_letter_topic(topic or letter.topic)
        if not self.put(to, letter.key, self._codec.encode(letter), 0, parcel):
            size = len(letter.value or b"")
            letter = replace(letter, value=None, detail=f"{letter.detail} (its {size} bytes are too many to keep)")
            self.put(to, letter.key, self._codec.encode(letter), 0, parcel)


class Work(Protocol[T]):
    """What a service does with records."""

    def subscription(self, there: set[str]) -> list[str]:
        """What to read, given the topics that the cluster has. Raises MisconfiguredService if one is missing."""

    def platforms(self) -> Iterable[str]:
        """For which platforms, once `subscription` was asked for: all of its kind must say the same."""

    def begin(self, give_up: "threading.Event") -> None:
        """Runs before the first record."""

    def tend(self) -> None:
        """Runs between two reads; does not wait."""

    def held(self, message: Message, now: float) -> Held[T]:
        """A message with what is to become of it."""

    def write(self, held: Held[T], outputs: Outputs) -> None:
        """Writes what becomes of a record that has its turn."""

    def close(self) -> None:
        """Runs at the end."""


class Forwarder(Generic[T]):
    """One process's share of the work. `run` blocks until `stop`, which may be called from a signal handler.

    `instance` names it among those of its kind, across restarts. A transaction ends after `commit_every_s` or
    `batch` records, whichever comes first. `ends` is for buffers that ask where partitions end. What `parts.Forwarding`
    says is for any thread.
    """

    def __init__(
        self,
        name: str,
        cluster: KafkaCluster,
        instance: str,
        work: Work[T],
        buffers: Buffers[T],
        commit_every_s: float,
        batch: int,
        ends: Ends | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._buffers = buffers
        self._ends = ends
        self._commit_every_s = commit_every_s
        self._batch = batch
        self._our_place = f"another {name} has this EVCS_DELIVERY_INSTANCE: give each its own"
        self._stopping = threading.Event()
        self._stop_at = 0.0
        self._failure: BaseException | None = None
        self._written: list[Held[T]] = []
        self._given_out = False
        self.forwarded = 0
        self._first_written_at = 0.0
        self._clock = 0.0
        self._ticked_at = time.monotonic()
        self._cluster = cluster
        self._instance = instance
        self._group = group = group_of(cluster, name)
        self._transactions = Transactions(cluster, f"{group}-{instance}", self._our_place, self._give_up)
        self._outputs = Outputs(cluster, codec_for(cluster.schema_registry_url), self._transactions)
        self._reading: Consumer | None = None
        self._peers: Peers | None = None
        self._has_joined = False

    @property
    def _consumer(self) -> Consumer:
        assert self._reading is not None, "only while it runs"
        return self._reading

    @property
    def ready(self) -> bool:
        """Whether the group has given this process its partitions, and it is not ending."""
        return self._given_out and not self._stopping.is_set()

    @property
    def partitions(self) -> int:
        """How many partitions this process has."""
        return self._buffers.partitions

    @property
    def waiting(self) -> int:
        """Records that were read and have not had their turn."""
        return len(self._buffers)

    def stop(self) -> None:
        """Ends `run` after the transaction at hand, within seconds."""
        self._stop_at = time.monotonic()
        self._stopping.set()

    def _give_up(self) -> bool:
        return self._stopping.is_set() and time.monotonic() - self._stop_at > _LEAVE_S

    def run(self) -> None:
        """Works until `stop`. Raises KafkaRefused for faults that do not pass by themselves, MisconfiguredService."""
        try:
            self._transactions.start()
            there = self._transactions.topics()
            topics = self._work.subscription(there)
            self._peers = Peers(self._cluster, self._group, self._name, self._instance, self._work.platforms())
            self._peers.require_alike(self._stopping.is_set)
            self._reading = _consumer_of(self._cluster, self._group, self._peers.client_id)
            require_place(self._consumer, _matching(topics, there), self._group, self._name, self._stopping.is_set)
            self._work.begin(self._stopping)
            self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
            while not self._stopping.is_set():
                self._turn()
            self._finish()
        except Unsettled:
            log.warning("the cluster does not answer: what is not committed is done again after the next start")
            self._written.clear()
        finally:
            self._given_out = False
            if self._reading is not None:
                leave(self._reading)
            self._work.close()

    def _turn(self) -> None:
        """One round: read, write what has its turn, and end the transaction when it is time."""
        self._work.tend()
        self._read()
        if self._failure is not None:
            raise self._failure
        if self._has_joined and self._peers is not None:
            # Another may have begun in the same moment, and not have seen this one.
            self._has_joined = False
            self._peers.require_alike(self._stopping.is_set)
        answer = self._ends.answer() if self._ends is not None else None
        if answer is not None:
            asked_at, ends = answer
            self._buffers.ends_are(ends, asked_at)
        for held in self._buffers.take(self._clock, self._batch - len(self._written)):
            if not self._written:
                self._first_written_at = time.monotonic()
            self._written.append(held)
            self._work.write(held, self._outputs)
        if self._ends is not None:
            self._ends.ask(self._buffers.asks_ends_of(), self._clock)
        self._transactions.tend()
        if self._written and self._is_due():
            self._finish()

    def _is_due(self) -> bool:
        full = max(self._transactions.count, len(self._written)) >= self._batch
        return full or time.monotonic() - self._first_written_at >= self._commit_every_s

    def _read(self) -> None:
        first = self._consumer.poll(_POLL_S)
        messages = [] if first is None else [first, *self._consumer.consume(_READ_AT_ONCE, timeout=0)]
        now = time.monotonic()
        self._clock += min(now - self._ticked_at, _TICK_MAX_S)
        self._ticked_at = now
        for message in messages:
            error = message.error()
            if error is None:
                self._buffers.put(self._work.held(message, self._clock))
            elif error.code() == KafkaError._PARTITION_EOF:
                self._buffers.reached(partition_of(message), message.offset() or 0)
            else:
                check(error, self._our_place)
        full = self._buffers.to_pause()
        if full:
            self._consumer.pause([TopicPartition(*partition) for partition in full])
        roomy = self._buffers.to_resume()
        if roomy:
            self._consumer.resume([TopicPartition(*partition) for partition in roomy])

    def _finish(self) -> None:
        """Ends the transaction; what it wrote in vain is written again."""
        if not self._written:
            return
        lost: list[Held[T]] = []
        ends = {held.partition: held.offset + 1 for held in self._written}
        offsets = [TopicPartition(*partition, offset) for partition, offset in ends.items()]
        if not self._transactions.commit(offsets, self._consumer.consumer_group_metadata()):
            committed = self._committed(ends)
            lost = [held for held in self._written if held.offset >= committed[held.partition]]
            self._buffers.put_back(lost)
        self.forwarded += len(self._written) - len(lost)
        self._written.clear()

    def _committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """What counts, whatever became of an answer that was lost; below 0 where nothing does."""
        asked = [TopicPartition(*partition) for partition in partitions]
        while True:
            try:
                return {(tp.topic, tp.partition): tp.offset for tp in self._consumer.committed(asked, timeout=1.0)}
            except KafkaException as error:
                check(error.args[0], self._our_place)
                if self._give_up():
                    raise Unsettled from error

    # Partitions change hands. These run inside a poll, through which no exception passes in good order.

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._buffers.assign([(p.topic, p.partition) for p in partitions], self._clock)
        self._given_out = self._has_joined = True
        log.info("the %s %s of %d partitions", self._name, READY, len(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What is written is committed; what waits is the next owner's."""
        try:
            self._finish()
        except Exception as failure:
            self._failure = failure
        self._let_go(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group has gone on without us: nothing can be committed any more."""
        try:
            self._transactions.abort()
        except Exception as failure:
            self._failure = failure
        self._let_go(consumer, partitions)

    def _let_go(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._given_out = False
        self._written.clear()
        self._buffers.revoke([(p.topic, p.partition) for p in partitions])
        consumer.resume(partitions)  # one that is paused would still be so when it comes back, and nobody would know


def group_of(cluster: KafkaCluster, name: str) -> str:
    """The consumer group of all services of this name."""
    return f"{cluster.topic_prefix}evcs-{name}"


def _matching(topics: Iterable[str], there: Iterable[str]) -> list[str]:
    """What a subscription means: names, and regular expressions that begin with ^."""
    known = sorted(there)
    return [
        name
        for topic in topics
        for name in ([n for n in known if re.fullmatch(topic, n)] if topic.startswith("^") else [topic])
    ]


def partition_of(message: Message) -> Partition:
    """Where a message lay."""
    return message.topic() or "", message.partition() or 0


def _consumer_of(cluster: KafkaCluster, group: str, client_id: str) -> Consumer:
    config = cluster.consumer_config(
        group_id=group,
        client_id=client_id,
        # No static membership: while a broker restarts, a member's second try to join can count as another's, which
        # fences the member itself. A second process of this name is told by its producer.
        # The same partition of every topic lies with the same process.
        partition_assignment_strategy="range",
        auto_offset_reset="earliest",
        enable_partition_eof=True,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        max_partition_fetch_bytes=_FETCH_BYTES,
        queued_min_messages=_FETCH_AHEAD,
        topic_metadata_refresh_interval_ms=_METADATA_MS,
    )
    with settings_checked():
        return Consumer({**config, "logger": kafka_log(__name__)})
