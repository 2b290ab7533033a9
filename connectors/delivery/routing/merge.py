"""Merges the records of many partitions by their time. What reads the partitions, and what becomes of the records,
is the router's business."""

import heapq
import math
from dataclasses import dataclass
from typing import TypeVar

from connectors.delivery.buffers import PAUSE_AT, RESUME_AT, Buffer, Buffers, Held, Place
from connectors.ends import Partition

#: How long a record waits for one that belongs before it and is still on its way to its topic, s: what a producer
#: that sends both at once needs, and little of a push's second.
WINDOW_S = 0.05

#: How long a partition that can't be read (its leader is away) keeps the others waiting, s: longer than a broker's
#: restart and a slow start take, and well within what orders have.
SILENCE_S = 60.0

_BEHIND_ALL: Place = (1 << 62, 0)

T = TypeVar("T")


@dataclass(slots=True)
class _Bounds:
    """What the partitions that hold nothing allow: `read`, up to which place all have been read; `behind`, up to which
    place those have been read that have not come to their ends; `ends_asked_at`, as of when the others have."""

    read: Place = _BEHIND_ALL
    behind: Place = _BEHIND_ALL
    ends_asked_at: float = math.inf

    def allow(self, place: Place, since: float) -> bool:
        """Whether a record of this place may leave, given that it had waited enough at `since`."""
        return place <= self.read or (place <= self.behind and since <= self.ends_asked_at)


class Merge(Buffers[T]):
    """Gives out records in the order of their places, each partition's in the order of its offsets.

    A record waits until every partition has been read up to its place, or to the end that the partition had once the
    record had been here for the window. So what lay on a topic when the record came is given out before it, if it
    belongs there, however the partitions are fetched; what a producer had still in flight has the window to appear.
    With partitions whose places never go back, what is given out never goes back either, as long as no partition is
    silent for too long.
    """

    def __init__(
        self,
        window_s: float = WINDOW_S,
        silence_s: float = SILENCE_S,
        pause_at: int = PAUSE_AT,
        resume_at: int = RESUME_AT,
    ) -> None:
        super().__init__(pause_at, resume_at)
        self._window_s = window_s
        self._silence_s = silence_s

    def take(self, now: float, limit: int) -> list[Held[T]]:
        """What has its turn, at most so many."""
        due = now - self._window_s
        buffers = list(self._buffers.values())
        bounds = _Bounds()
        for buffer in buffers:
            self._consider(buffer, now, bounds)
        heads = [(buffer.held[0].place, number) for number, buffer in enumerate(buffers) if buffer.held]
        heapq.heapify(heads)
        taken: list[Held[T]] = []
        while heads and len(taken) < limit:
            place, number = heads[0]
            buffer = buffers[number]
            arrived_at = buffer.held[0].arrived_at
            if arrived_at > due or not bounds.allow(place, arrived_at + self._window_s):
                break
            taken.append(buffer.held.popleft())
            if buffer.held:
                heapq.heapreplace(heads, (buffer.held[0].place, number))
            else:
                heapq.heappop(heads)
                buffer.heard_at = now
                self._consider(buffer, now, bounds)
        return taken

    def _consider(self, buffer: Buffer[T], now: float, bounds: _Bounds) -> None:
        """How far the others may go as far as this one is concerned."""
        if buffer.held:
            return
        at_end = buffer.end is not None and buffer.read_to >= buffer.end
        if at_end:
            buffer.heard_at = max(buffer.heard_at, buffer.end_asked_at)
        if now - buffer.heard_at > self._silence_s:
            return
        bounds.read = min(bounds.read, buffer.frontier)
        if at_end:
            bounds.ends_asked_at = min(bounds.ends_asked_at, buffer.end_asked_at)
        else:
            bounds.behind = min(bounds.behind, buffer.frontier)

    def over(self, partition: Partition) -> None:
        """Nothing of this partition will be read any more."""
        buffer = self._buffers.get(partition)
        if buffer is not None:
            buffer.end, buffer.end_asked_at = buffer.read_to, math.inf

    def asks_ends_of(self) -> list[Partition]:
        """Those that hold nothing, if others wait."""
        hungry = [partition for partition, buffer in self._buffers.items() if not buffer.held]
        return hungry if len(hungry) < len(self._buffers) else []
