"""All that has been read and is not in the warehouse yet, by partition, within a bound on memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from confluent_kafka import Message

from connectors.ends import Partition
from connectors.warehouse.sink.batch import Batch
from connectors.warehouse.sink.lane import Lane


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes of records may be held, of one partition and of all. In memory a record takes some four times its
    bytes. A partition that was paused is read on when half of that is in: the client loses what it has fetched ahead
    of a partition that it pauses, so it should not happen often."""

    of_one: int = 32 * 1024 * 1024
    of_all: int = 96 * 1024 * 1024


class Intake:
    """`lane_of` makes the lane of a partition."""

    def __init__(self, lane_of: Callable[[Partition], Lane], room: Room) -> None:
        self._lane_of = lane_of
        self._room = room
        self.lanes: dict[Partition, Lane] = {}

    def assign(self, places: Iterable[Partition]) -> None:
        """These partitions are ours, from their committed offsets on."""
        for place in places:
            self.revoke([place])
            self.lanes[place] = self._lane_of(place)

    def revoke(self, places: Iterable[Partition]) -> None:
        """These are ours no longer: what is not confirmed is their next owner's."""
        for place in places:
            lane = self.lanes.pop(place, None)
            if lane is not None:
                lane.abandon()

    def put(self, messages: Iterable[Message], now: float) -> None:
        """Records as they were read; those of partitions that changed hands meanwhile are passed over."""
        for place, run in groupby(messages, partition_of):
            lane = self.lanes.get(place)
            if lane is not None:
                lane.put(list(run), now)

    def reached(self, place: Partition, offset: int) -> None:
        """The end of a partition."""
        lane = self.lanes.get(place)
        if lane is not None:
            lane.reached(offset)

    def next_batches(self, now: float) -> list[Batch]:
        """What may go in now, of each partition one batch at most."""
        return [batch for lane in self.lanes.values() if (batch := lane.next_batch(now)) is not None]

    def finish(self) -> None:
        """Nothing more will come."""
        for lane in self.lanes.values():
            lane.finish()

    def done(self, batch: Batch) -> None:
        """A batch is in its table."""
        lane = self.lanes.get(batch.place)
        if lane is not None:
            lane.done(batch)

    def committable(self) -> dict[Partition, int]:
        """The offsets to commit."""
        return {place: offset for place, lane in self.lanes.items() if (offset := lane.committable) is not None}

    @property
    def is_empty(self) -> bool:
        """Whether all that was read is in."""
        return all(lane.is_empty for lane in self.lanes.values())

    @property
    def held(self) -> int:
        """Bytes of all records here."""
        return sum(lane.held for lane in self.lanes.values())

    @property
    def oldest_at(self) -> float | None:
        """Since when the oldest record here waits, None if there is none."""
        return min((at for lane in self.lanes.values() if (at := lane.oldest_at) is not None), default=None)

    def to_pause(self) -> list[Partition]:
        """Partitions that hold as much as they may; where there is not enough room for all, those with more than their
        share of it."""
        crowded = self.held > self._room.of_all
        most = self._room.of_all // max(1, len(self.lanes)) if crowded else self._room.of_one
        full = [lane for lane in self.lanes.values() if not lane.paused and lane.held > min(most, self._room.of_one)]
        for lane in full:
            lane.paused = True
        return [lane.place for lane in full]

    def to_resume(self) -> list[Partition]:
        """Partitions that may be read on."""
        if self.held > self._room.of_all // 2:
            return []
        roomy = [lane for lane in self.lanes.values() if lane.paused and lane.held <= self._room.of_one // 2]
        for lane in roomy:
            lane.paused = False
        return [lane.place for lane in roomy]


def partition_of(message: Message) -> Partition:
    """Where a message lay."""
    return message.topic() or "", message.partition() or 0
