"""Derived records of the past, read from their topics by time: for tools that put them onto a lane once more."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.delivery.forwarder import partition_of
from connectors.ends import Partition
from infra.errors import ClusterProblem, OperatorError
from schemas.cluster import KafkaCluster
from schemas.compacted import partitions_of
from schemas.watermarks import watermarks

_BEIJING = timezone(timedelta(hours=8))
_TIMEOUT_S = 30.0
_BATCH = 1_000
_STALLED_AFTER = 60

#: No record is older: Kafka takes negative times for something else, or not at all.
_EPOCH = 0

#: A partition's times go back by this at most: a record that was due before a moment lies no further behind it.
_LATE_MS = 6 * 3_600_000


def instant(text: str) -> int:
    """UTC ms of a date (its midnight in Beijing) or an ISO instant (Beijing's, if it names no zone).

    Raises OperatorError.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(
            f"{text!r} is no date and no instant: use 2026-03-01 or 2026-03-01T08:00:00+08:00"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_BEIJING)
    return round(moment.timestamp() * 1000)


class PastRecords:
    """Reads partitions from a time on, up to what is there now. `read_to` says which partitions are at their end."""

    def __init__(self, cluster: KafkaCluster, since: int, until: int | None) -> None:
        self._cluster = cluster
        self._since = max(since, _EPOCH)
        self._until = until
        self._consumer = Consumer(
            {
                **cluster.consumer_config(
                    group_id=f"{cluster.topic_prefix}evcs-past-records",
                    auto_offset_reset="earliest",
                    enable_partition_eof=True,
                ),
                "log_level": 0,
            }
        )
        self._ends: dict[Partition, int] = {}
        #: Offsets to read, and read so far.
        self.total = 0
        self.read = 0

    def open(self, topics: Iterable[str]) -> list[Partition]:
        """Begins with all partitions of these topics (declared names); returns those that hold anything of that
        time. Raises ClusterProblem."""
        try:
            names = [self._cluster.topic(topic) for topic in topics]
            chosen = [(name, number) for name in names for number in partitions_of(self._consumer, name)]
            starts = self._offsets(chosen, self._since)
            ends = self._offsets(chosen, max(self._until + _LATE_MS, _EPOCH)) if self._until is not None else {}
            for partition in chosen:
                low, high = watermarks(self._consumer, *partition)
                start, end = max(starts.get(partition, high), low), min(ends.get(partition, high), high)
                if start < end:
                    self._ends[partition] = end
                    self.total += end - start
                    starts[partition] = start
        except KafkaException as error:
            self.close()
            raise ClusterProblem(f"the past can't be read: {error.args[0].str()}") from error
        self._consumer.assign([TopicPartition(*partition, starts[partition]) for partition in self._ends])
        return list(self._ends)

    def _offsets(self, partitions: list[Partition], at: int) -> dict[Partition, int]:
        """Of each partition the first offset of this time or later; none where there is no such record."""
        asked = [TopicPartition(*partition, at) for partition in partitions]
        found = self._consumer.offsets_for_times(asked, timeout=_TIMEOUT_S) if asked else []
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}

    def take(self) -> tuple[list[Message], list[Partition]]:
        """The next records of that time, and the partitions that are read to their end with them.

        Raises ClusterProblem when nothing comes for a minute.
        """
        for _ in range(_STALLED_AFTER):
            first = self._consumer.poll(1.0)
            if first is not None:
                return self._sorted([first, *self._consumer.consume(_BATCH, timeout=0)])
        raise ClusterProblem("the past can't be read: nothing came for a minute")

    def _sorted(self, messages: list[Message]) -> tuple[list[Message], list[Partition]]:
        good: list[Message] = []
        over: list[Partition] = []
        for message in messages:
            partition, error = partition_of(message), message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                if not error.retriable():
                    raise ClusterProblem(f"the past can't be read: {error.str()}")
                continue
            end, offset = self._ends.get(partition), message.offset() or 0
            if end is None:  # it is over
                continue
            if error is None and offset < end:
                self.read += 1
                if self._since <= message.timestamp()[1] < (self._until or 1 << 62):
                    good.append(message)
                offset += 1
            if offset >= end:
                del self._ends[partition]
                over.append(partition)
        return good, over

    def pause(self, partitions: list[Partition]) -> None:
        """Reads these no further until they are resumed."""
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: list[Partition]) -> None:
        """Reads these again."""
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()

    def __iter__(self) -> Iterator[Message]:
        """All records of that time, in the order of each partition."""
        while self._ends:
            yield from self.take()[0]
