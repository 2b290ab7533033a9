"""Merges the records of many partitions by their time. What reads the partitions, and what becomes of the records,
is the router's business."""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

#: Topic and number.
Partition = tuple[str, int]

#: A record's time (UTC ms) and its rank among those of the same time.
Place = tuple[int, int]

#: How long a record waits for one that belongs before it and is about to appear, s: what lies between two fetches,
#: and little of a push's second.
WINDOW_S = 0.05

#: How long a partition that is neither read nor at its end (its leader is away) keeps the others waiting, s.
SILENCE_S = 2.0

#: A partition that holds so many records is read no further until it holds few again. The one that is behind holds
#: none, so it is always read.
PAUSE_AT = 2_000
RESUME_AT = 500

_BEFORE_ALL: Place = (-1, -1)
_BEHIND_ALL: Place = (1 << 62, 0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held(Generic[T]):
    """A record with its place among all; `arrived_at` in seconds of the merge's clock."""

    partition: Partition
    offset: int
    place: Place
    arrived_at: float
    item: T


@dataclass(slots=True)
class _Source(Generic[T]):
    """One partition. `frontier`: all before this place has been read. `hungry_since`: since when it holds nothing."""

    hungry_since: float
    held: deque[Held[T]] = field(default_factory=deque)
    frontier: Place = _BEFORE_ALL
    at_end: bool = False
    paused: bool = False


class Merge(Generic[T]):
    """Gives out records in the order of their places, each partition's in the order of its offsets.

    A record waits until every partition has been read up to its place, or to its end, and until the window has
    passed in which one that belongs before it may still appear. With partitions whose places never go back, what is
    given out never goes back either, as long as no partition falls silent and nothing appears later than the window
    allows. `now` is in seconds of any clock that stands still while nothing is read.
    """

    def __init__(
        self,
        window_s: float = WINDOW_S,
        silence_s: float = SILENCE_S,
        pause_at: int = PAUSE_AT,
        resume_at: int = RESUME_AT,
    ) -> None:
        self._window_s = window_s
        self._silence_s = silence_s
        self._pause_at = pause_at
        self._resume_at = resume_at
        self._sources: dict[Partition, _Source[T]] = {}

    def __len__(self) -> int:
        return sum(len(source.held) for source in self._sources.values())

    def assign(self, partitions: Iterable[Partition], now: float) -> None:
        """These are to be merged from now on; nothing of them has been read."""
        for partition in partitions:
            self._sources[partition] = _Source(hungry_since=now)

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more; what is held of them is another's to give out."""
        for partition in partitions:
            self._sources.pop(partition, None)

    def put(self, held: Held[T]) -> None:
        """Takes a record; passes over one of a partition that is not ours."""
        source = self._sources.get(held.partition)
        if source is not None:
            source.held.append(held)
            source.frontier = max(source.frontier, held.place)
            source.at_end = False

    def ended(self, partition: Partition) -> None:
        """A partition has been read to its end."""
        source = self._sources.get(partition)
        if source is not None:
            source.at_end = True

    def put_back(self, given_out: Iterable[Held[T]]) -> None:
        """Takes back what was given out, in that order, to give it out again; for a transaction that failed."""
        for held in reversed(list(given_out)):
            source = self._sources.get(held.partition)
            if source is not None:
                source.held.appendleft(held)

    def take(self, now: float, limit: int) -> list[Held[T]]:
        """What has its turn, at most so many."""
        due = now - self._window_s
        sources = list(self._sources.values())
        bound = min((self._bound(source, now) for source in sources), default=_BEHIND_ALL)
        heads = [(source.held[0].place, number) for number, source in enumerate(sources) if source.held]
        heapq.heapify(heads)
        taken: list[Held[T]] = []
        while heads and len(taken) < limit:
            place, number = heads[0]
            source = sources[number]
            if place > bound or source.held[0].arrived_at > due:
                break
            taken.append(source.held.popleft())
            if source.held:
                heapq.heapreplace(heads, (source.held[0].place, number))
            else:
                heapq.heappop(heads)
                source.hungry_since = now
                bound = min(bound, self._bound(source, now))
        return taken

    def _bound(self, source: _Source[T], now: float) -> Place:
        """Up to which place the others may go as far as this one is concerned."""
        if source.held or source.at_end or now - source.hungry_since > self._silence_s:
            return _BEHIND_ALL
        return source.frontier

    def to_pause(self) -> list[Partition]:
        """Partitions that have just become full; each is told once."""
        found = [p for p, s in self._sources.items() if not s.paused and len(s.held) >= self._pause_at]
        for partition in found:
            self._sources[partition].paused = True
        return found

    def to_resume(self) -> list[Partition]:
        """Partitions that were full and have room again; each is told once."""
        found = [p for p, s in self._sources.items() if s.paused and len(s.held) <= self._resume_at]
        for partition in found:
            self._sources[partition].paused = False
        return found
