"""What has been read of each partition and is not yet written: a bounded queue each. When a record leaves is decided
by who takes it."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from connectors.ends import Partition

#: A record's time (UTC ms) and its rank among those of the same time.
Place = tuple[int, int]

#: A partition that holds so many records is read no further until it holds few again. Each has its own limit: the one
#: that all the others wait for holds none, so it is always read.
PAUSE_AT = 2_000
RESUME_AT = 500

BEFORE_ALL: Place = (-1, -1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held(Generic[T]):
    """A record with its place among all; `arrived_at` in seconds of the reader's clock."""

    partition: Partition
    offset: int
    place: Place
    arrived_at: float
    item: T


@dataclass(slots=True)
class Buffer(Generic[T]):
    """One partition. `frontier`: all before this place has been read. `read_to`: all before this offset has been read.
    `end`: where it ended when it was asked at `end_asked_at`. `heard_at`: when it last owed nothing."""

    heard_at: float
    held: deque[Held[T]] = field(default_factory=deque)
    frontier: Place = BEFORE_ALL
    read_to: int = -1
    end: int | None = None
    end_asked_at: float = -math.inf
    paused: bool = False


class Buffers(Generic[T]):
    """The buffers of all partitions that are ours; each gives out its records in the order of their offsets.

    `now` is in seconds of any clock that stands still while nothing is read.
    """

    def __init__(self, pause_at: int = PAUSE_AT, resume_at: int = RESUME_AT) -> None:
        self._pause_at = pause_at
        self._resume_at = resume_at
        self._buffers: dict[Partition, Buffer[T]] = {}

    def __len__(self) -> int:
        return sum(len(buffer.held) for buffer in list(self._buffers.values()))

    @property
    def partitions(self) -> int:
        """How many partitions are ours; like `len`, for any thread."""
        return len(self._buffers)

    def assign(self, partitions: Iterable[Partition], now: float) -> None:
        """These are ours from now on; nothing of them has been read."""
        for partition in partitions:
            self._buffers[partition] = Buffer(heard_at=now)

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more; what is held of them is another's to give out."""
        for partition in partitions:
            self._buffers.pop(partition, None)

    def put(self, held: Held[T]) -> None:
        """Takes a record; passes over one of a partition that is not ours."""
        buffer = self._buffers.get(held.partition)
        if buffer is not None:
            buffer.held.append(held)
            buffer.frontier = max(buffer.frontier, held.place)
            buffer.read_to = held.offset + 1

    def reached(self, partition: Partition, offset: int) -> None:
        """A partition has been read up to this offset, whatever lies before it."""
        buffer = self._buffers.get(partition)
        if buffer is not None:
            buffer.read_to = max(buffer.read_to, offset)

    def ends_are(self, ends: Mapping[Partition, int], asked_at: float) -> None:
        """Where partitions ended at or after this time of the buffers' clock."""
        for partition, end in ends.items():
            buffer = self._buffers.get(partition)
            if buffer is not None:
                buffer.end, buffer.end_asked_at = end, asked_at

    def asks_ends_of(self) -> list[Partition]:
        """Of which partitions the ends must be known before more can leave."""
        return []

    def take(self, now: float, limit: int) -> list[Held[T]]:
        """What has its turn, at most so many."""
        raise NotImplementedError

    def put_back(self, given_out: Iterable[Held[T]]) -> None:
        """Takes back what was given out, in that order, to give it out again; for a transaction that failed."""
        for held in reversed(list(given_out)):
            buffer = self._buffers.get(held.partition)
            if buffer is not None:
                buffer.held.appendleft(held)

    def to_pause(self) -> list[Partition]:
        """Partitions that have just become full; each is told once."""
        found = [p for p, b in self._buffers.items() if not b.paused and len(b.held) >= self._pause_at]
        for partition in found:
            self._buffers[partition].paused = True
        return found

    def to_resume(self) -> list[Partition]:
        """Partitions that were full and have room again; each is told once."""
        found = [p for p, b in self._buffers.items() if b.paused and len(b.held) <= self._resume_at]
        for partition in found:
            self._buffers[partition].paused = False
        return found
