"""Reads the partitions that Faust has been assigned, through librdkafka, in chunks.

Faust's consumer keeps the group, the assignment and the commits; this reader only fetches, since librdkafka
fetches, decompresses and checks outside the interpreter and hands out a record in a third of the time.
Events wait until telemetry of the same partition has come as far as they have, so that a replay meets them
in the order in which they happened.
"""

import logging
import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log
from schemas.watermarks import watermarks
from streams.errors import MisconfiguredStreams
from streams.transport.chunk import Chunk, split_runs

log = logging.getLogger(__name__)

#: Records a call takes from librdkafka, and at most in one chunk: large enough that a chunk's own cost does
#: not count, small enough that a chunk is done within some 10 ms.
BATCH = 8_000
CHUNK = 2_000

#: Held events of a partition at which no more of it are fetched, and at which they are again. Between the two what
#: librdkafka has fetched ahead is thrown away and fetched anew, so the two are far apart.
_HELD_MAX = 10_000
_HELD_FEW = 5_000

#: The longest wait for telemetry before events are looked at again.
_POLL_S = 0.02

#: After the brokers were away nothing counts as read to its end for so long: those who write need to come back too,
#: and until then their silence says nothing.
_RETURN_S = 10.0

#: A process that has not read for so long (its machine was moved, or the clock set) knows nothing of its silence: well
#: within that of a connector that counts as offline, s.
_STOOD_STILL_S = 15.0

#: While the brokers are away one is asked for a partition's end so long, s.
_PROBE_S = 0.2

#: How often the lags are told, s.
_TELL_EVERY_S = 1.0

Partition = tuple[str, int]


class ChunkReader:
    """Fetches assigned partitions of the `leading` topic (telemetry) and the `following` one (events).

    Used from one thread at a time. A following record is handed out once the leading topic's partition of
    the same number has passed its Kafka timestamp, or has nothing left to read. Raises MisconfiguredStreams
    unless there is one topic of each.
    """

    def __init__(self, cluster: KafkaCluster, leading: Iterable[str], following: Iterable[str]) -> None:
        self.leading = frozenset(leading)
        self.following = frozenset(following)
        if len(self.leading) != 1 or len(self.following) != 1:
            raise MisconfiguredStreams("events are joined with telemetry: one topic of each is read in chunks")
        self._leader = self._client(cluster)
        self._follower = self._client(cluster)
        #: How far all is handed out, the last record handed out, and where librdkafka last found nothing more.
        self._next: dict[Partition, int] = {}
        self._last: dict[Partition, int] = {}
        self._end_seen: dict[Partition, int] = {}
        self._passed: dict[int, int] = {}
        self._held: dict[int, list[Message]] = {}
        #: Events that are not fetched for now, and the numbers of those that are again and have not come yet.
        self._paused: set[Partition] = set()
        self._awaited: set[int] = set()
        #: Whether no broker answers, when they came back (monotonic s), and where the partitions ended then.
        self._away = False
        self._returned_at = float("-inf")
        self._read_at = _now()
        self._ends_on_return: dict[Partition, int] = {}
        #: Records by topic that are not handed out yet, as of the last second; made anew each time, for any thread.
        self.lags: dict[str, int] = {}
        self._tell_at = 0.0

    def _client(self, cluster: KafkaCluster) -> Consumer:
        return Consumer(
            cluster.consumer_config(
                group_id="evcs-chunk-reader",  # never joined: partitions are assigned by hand
                enable_auto_offset_store=False,
                enable_partition_eof=True,
                auto_offset_reset="earliest",
                queued_min_messages=200_000,
                queued_max_messages_kbytes=131_072,
                fetch_max_bytes=16_777_216,
                max_partition_fetch_bytes=4_194_304,
            )
            | {"error_cb": self._heard_of, "logger": kafka_log(__name__)}
        )

    def _heard_of(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:
            log.warning("Kafka: no broker answers: time stands still until one does")
            self._away = True

    def _look_for_brokers(self) -> None:
        """Once brokers answer again: what they hold now is what must be read before a partition is at its end."""
        ends: dict[Partition, int] = {}
        try:
            for partition in self._next:
                _, high = self._of(partition).get_watermark_offsets(TopicPartition(*partition), timeout=_PROBE_S)
                ends[partition] = high
        except KafkaException:
            return
        log.warning("Kafka: brokers answer again")
        self._ends_on_return = ends
        self._returned_at = time.monotonic()
        self._away = False

    def assign(self, positions: Mapping[Partition, int | None], reset: str) -> None:
        """Reads exactly these partitions from now on; None stands for `reset`: earliest or latest.

        Raises KafkaException when a partition has no leader for long.
        """
        start: dict[Partition, int] = {}
        for partition, at in positions.items():
            low, high = watermarks(self._of(partition), *partition)
            wanted = (low if reset == "earliest" else high) if at is None else at
            start[partition] = min(max(wanted, low), high)
            if at is not None and start[partition] != at:
                log.warning("%s/%d: offset %d is not there any more, going on at %d", *partition, at, start[partition])
        self._resume(*self._paused)
        for client, topics in ((self._leader, self.leading), (self._follower, self.following)):
            client.assign([TopicPartition(*p, at) for p, at in start.items() if p[0] in topics])
        self._next = start
        self._last = {}
        self._end_seen = {}
        self._passed = {}
        self._held = {}
        self._awaited = set()
        self._ends_on_return = {}
        self._read_at = _now()
        self._tell_at = 0.0

    def _of(self, partition: Partition) -> Consumer:
        return self._leader if partition[0] in self.leading else self._follower

    def read(self, active: frozenset[Partition], timeout_s: float) -> list[Chunk]:
        """Chunks of the partitions in `active`, waiting up to `timeout_s` for the first record.

        Raises KafkaException on errors that do not pass by themselves.
        """
        if self._stood_still() and not self._away:
            log.warning("nothing was read for more than %.0f s: time stands still until brokers answer", _STOOD_STILL_S)
            self._away = True
        deadline = time.monotonic() + timeout_s
        while True:
            if self._away:
                self._look_for_brokers()
            self._hold(self._take(self._follower, 0.0))
            records = self._take(self._leader, min(timeout_s, _POLL_S))
            self._read_at = _now()
            chunks: list[Chunk] = []
            left_alone: dict[Partition, int] = {}
            for run in split_runs(records):
                partition = (run[0].topic() or "", run[0].partition() or 0)
                if partition in active and not self._lacks_events(partition[1]):
                    self._passed[partition[1]] = run[-1].timestamp()[1]
                    chunks += self._hand_out(partition, run)
                elif partition in self._next:
                    left_alone.setdefault(partition, run[0].offset() or 0)
            for partition, offset in left_alone.items():
                # Faust's buffer for it is full, or its events are on their way: it is read again later.
                self._leader.seek(TopicPartition(*partition, offset))
                self._end_seen.pop(partition, None)
            chunks += self._release(active)
            for partition, end in self._end_seen.items():
                # Behind the last record there may be transaction markers, which are never handed out.
                if partition in self._next and not (partition[0] in self.following and partition[1] in self._held):
                    self._next[partition] = max(self._next[partition], end)
            self._tell_lags()
            if chunks or time.monotonic() >= deadline:
                return chunks

    def _take(self, client: Consumer, wait_s: float) -> list[Message]:
        first = client.poll(wait_s)
        if first is None:
            return []
        batch = [first, *client.consume(BATCH - 1, timeout=0)]
        if not any(map(Message.error, batch)):
            return batch
        good: list[Message] = []
        for message in batch:
            error = message.error()
            if error is None:
                good.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._end_seen[message.topic() or "", message.partition() or 0] = message.offset() or 0
                if client is self._follower:
                    self._awaited.discard(message.partition() or 0)
            elif not _passes_by_itself(error):
                raise KafkaException(error)
        return good

    def _hold(self, records: list[Message]) -> None:
        for run in split_runs(records):
            partition = (run[0].topic() or "", run[0].partition() or 0)
            held = self._held.setdefault(partition[1], [])
            held += run
            self._awaited.discard(partition[1])
            if len(held) >= _HELD_MAX and partition not in self._paused:
                self._paused.add(partition)
                self._follower.pause([TopicPartition(*partition)])
                # The end moves on unseen; it is told anew after the pause.
                self._end_seen.pop(partition, None)

    def _lacks_events(self, number: int) -> bool:
        """Whether telemetry would overtake events that are fetched anew after a pause."""
        return number in self._awaited and number not in self._held

    def _resume(self, *partitions: Partition) -> None:
        """Goes on behind the last record that was taken from each."""
        self._follower.resume([TopicPartition(*partition) for partition in partitions])
        self._paused.difference_update(partitions)
        self._awaited.update(number for _, number in partitions)

    def _release(self, active: frozenset[Partition]) -> list[Chunk]:
        """Held events whose time telemetry has passed, or all where telemetry has nothing left."""
        chunks: list[Chunk] = []
        for number, held in list(self._held.items()):
            partition = (held[0].topic() or "", number)
            if partition not in active:
                continue
            if all(self.at_end((topic, number)) for topic in self.leading):
                count = len(held)
            else:
                passed = self._passed.get(number, -1)
                count = next((i for i, m in enumerate(held) if m.timestamp()[1] > passed), len(held))
            if count:
                chunks += self._hand_out(partition, held[:count])
                if count < len(held):
                    self._held[number] = held[count:]
                else:
                    del self._held[number]
                if partition in self._paused and len(held) - count <= _HELD_FEW:
                    self._resume(partition)
        return chunks

    def _hand_out(self, partition: Partition, run: list[Message]) -> list[Chunk]:
        self._last[partition] = run[-1].offset() or 0
        self._next[partition] = self._last[partition] + 1
        at_end = self.at_end(partition)
        parts = [run[i : i + CHUNK] for i in range(0, len(run), CHUNK)]
        return [
            Chunk(
                topic=partition[0],
                partition=partition[1],
                records=part,
                first_offset=part[0].offset() or 0,
                last_offset=part[-1].offset() or 0,
                newest_at=part[-1].timestamp()[1],
                caught_up=at_end and part is parts[-1],
            )
            for part in parts
        ]

    def at_end(self, partition: Partition) -> bool:
        """Whether all that the partition holds has been handed out; True for one that is not assigned.

        While no broker answers, and shortly after, nobody can tell, and it is False; nor can it before the first read
        behind a standstill.
        """
        if partition not in self._next:
            return True
        end = self._end_seen.get(partition)
        if end is None or self._away or self._stood_still() or time.monotonic() < self._returned_at + _RETURN_S:
            return False
        end = max(end, self.high_watermark(partition), self._ends_on_return.get(partition, 0))
        return self._next[partition] >= end

    def _stood_still(self) -> bool:
        return any(now - then > _STOOD_STILL_S for now, then in zip(_now(), self._read_at, strict=True))

    def last_handed_out(self, partition: Partition) -> int:
        """The newest offset that was handed out since the assignment, -1 for none."""
        return self._last.get(partition, -1)

    def high_watermark(self, partition: Partition) -> int:
        """The partition's end as last heard from the broker, 0 if nothing was heard."""
        _, high = self._of(partition).get_watermark_offsets(TopicPartition(*partition), cached=True)
        return max(high, 0)

    @property
    def hears_brokers(self) -> bool:
        """Whether brokers answer, as far as is known; for any thread."""
        return not self._away

    def _tell_lags(self) -> None:
        now = time.monotonic()
        if now < self._tell_at:
            return
        self._tell_at = now + _TELL_EVERY_S
        lags = dict.fromkeys(self.leading | self.following, 0)
        for partition, at in self._next.items():
            lags[partition[0]] += max(0, self.high_watermark(partition) - at)
        self.lags = lags

    def close(self) -> None:
        """Leaves the brokers."""
        self._leader.close()
        self._follower.close()


def _now() -> tuple[float, float]:
    """By both clocks: one of them may not know of a standstill, s."""
    return time.monotonic(), time.time()


def _passes_by_itself(error: KafkaError) -> bool:
    """librdkafka reconnects and retries by itself after these; a broker that is away is one of them."""
    if error.retriable() or error.code() in (
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._MAX_POLL_EXCEEDED,
    ):
        log.warning("Kafka: %s", error.str())
        return True
    return False
