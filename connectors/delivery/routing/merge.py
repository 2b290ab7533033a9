"""Merges the records of many partitions by their time. What reads the partitions, and what becomes of the records,
is the router's business."""

import heapq
from typing import TypeVar

from connectors.delivery.buffers import PAUSE_AT, RESUME_AT, Buffer, Buffers, Held, Place

#: How long a record waits for one that belongs before it and is about to appear, s: what lies between two fetches,
#: and little of a push's second.
WINDOW_S = 0.05

#: How long a partition that is neither read nor at its end (its leader is away) keeps the others waiting, s: longer
#: than a broker's restart and a slow start take, and well within what orders have.
SILENCE_S = 60.0

_BEHIND_ALL: Place = (1 << 62, 0)

T = TypeVar("T")


class Merge(Buffers[T]):
    """Gives out records in the order of their places, each partition's in the order of its offsets.

    A record waits until every partition has been read up to its place, or to its end, and until the window has
    passed in which one that belongs before it may still appear. With partitions whose places never go back, what is
    given out never goes back either, as long as no partition falls silent and nothing appears later than the window
    allows.
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
        bound = min((self._bound(buffer, now) for buffer in buffers), default=_BEHIND_ALL)
        heads = [(buffer.held[0].place, number) for number, buffer in enumerate(buffers) if buffer.held]
        heapq.heapify(heads)
        taken: list[Held[T]] = []
        while heads and len(taken) < limit:
            place, number = heads[0]
            buffer = buffers[number]
            if place > bound or buffer.held[0].arrived_at > due:
                break
            taken.append(buffer.held.popleft())
            if buffer.held:
                heapq.heapreplace(heads, (buffer.held[0].place, number))
            else:
                heapq.heappop(heads)
                buffer.hungry_since = now
                bound = min(bound, self._bound(buffer, now))
        return taken

    def _bound(self, buffer: Buffer[T], now: float) -> Place:
        """Up to which place the others may go as far as this one is concerned."""
        if buffer.held or buffer.at_end or now - buffer.hungry_since > self._silence_s:
            return _BEHIND_ALL
        return buffer.frontier
