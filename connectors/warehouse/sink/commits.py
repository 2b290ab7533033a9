"""Commits the offsets behind what is in the tables, without waiting for the answer where nobody has to."""

import contextlib
import logging
from collections.abc import Collection, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.ends import Partition
from connectors.errors import KafkaRefused
from connectors.kafka_faults import commit_refusal

log = logging.getLogger(__name__)


class Commits:
    """Of one consumer, whose `on_commit` is `answered`."""

    def __init__(self) -> None:
        self._asked = False
        self._committed: dict[Partition, int] = {}
        #: Why nothing can be committed any more.
        self.refusal: KafkaRefused | None = None

    def open(self, committable: Mapping[Partition, int]) -> dict[Partition, int]:
        """What of these is not committed yet."""
        return {place: offset for place, offset in committable.items() if offset != self._committed.get(place)}

    def is_settled(self, committable: Mapping[Partition, int]) -> bool:
        """Whether all of these are committed."""
        return not self._asked and not self.open(committable)

    def commit(self, consumer: Consumer, committable: Mapping[Partition, int]) -> None:
        """Begins to, unless an answer is waited for: while the group's coordinator is away that takes seconds."""
        offsets = self.open(committable)
        if offsets and not self._asked:
            self._asked = True
            consumer.commit(offsets=_positions(offsets), asynchronous=True)

    def answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll. What failed is committed with the next."""
        self._asked = False
        self.refusal = commit_refusal(error, partitions) or self.refusal
        if error is not None:
            log.warning("offsets are not committed, later again: %s", error.str())
            return
        for done in partitions:
            if done.error is None:
                self._committed[done.topic, done.partition] = done.offset

    def hand_over(
        self, consumer: Consumer, committable: Mapping[Partition, int], places: Collection[Partition]
    ) -> None:
        """Commits what is in of partitions that go to another, before they do."""
        offsets = {place: offset for place, offset in self.open(committable).items() if place in places}
        if offsets:
            with contextlib.suppress(KafkaException):
                consumer.commit(offsets=_positions(offsets), asynchronous=False)

    def forget(self, places: Collection[Partition]) -> None:
        """These are no longer ours: another commits them."""
        for place in places:
            self._committed.pop(place, None)


def _positions(offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(*place, offset) for place, offset in offsets.items()]
