"""How many records of a lane's partitions are not done with, also while the lane is paused: nothing is fetched of it
then, so the client hears of no new ends, and of some partitions nothing may have been read at all."""

import contextlib
from collections.abc import Mapping

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from connectors.ends import Partition
from schemas.offsets import ContiguousOffsets

_ANSWER_S = 1.0


class Lag:
    """Of one consumer's partitions."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        #: Where partitions go on of which nothing has been read, and where those that were asked about ended.
        self._goes_on: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}

    def ask(self, paused: Mapping[Partition, ContiguousOffsets]) -> None:
        """Asks the cluster about partitions that are not read for now. Blocks for a second or two at most, so it is for
        the consumer's own thread."""
        unread = [p for p, books in paused.items() if books.committable() is None and p not in self._goes_on]
        with contextlib.suppress(KafkaException):  # the cluster is away: what was known stays
            if unread:
                found = self._consumer.committed([TopicPartition(*place) for place in unread], timeout=_ANSWER_S)
                self._goes_on.update({(one.topic, one.partition): max(0, one.offset) for one in found})
            asked = [TopicPartition(*place, OFFSET_END) for place in paused]
            found = self._consumer.offsets_for_times(asked, timeout=_ANSWER_S)
            self._ends.update({(one.topic, one.partition): one.offset for one in found if one.error is None})

    def of(self, place: Partition, done: int | None) -> int:
        """Records of a partition behind the offset up to which all is done, None if nothing of it has been read."""
        since = self._goes_on.get(place) if done is None else done
        if since is None:
            return 0  # it is about to be read
        _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        return max(0, end - since, self._ends.get(place, 0) - since)

    def forget(self, place: Partition) -> None:
        """A partition that is another process's now."""
        self._goes_on.pop(place, None)
        self._ends.pop(place, None)
