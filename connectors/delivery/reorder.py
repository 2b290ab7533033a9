"""Puts the derived records of one connector, which come from several topics, back into the order in which they
happened. Topics are fetched independently: an order may be read milliseconds before the stop that it follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.records.derived import ChargeProgress, Derived, Order, StartResult, StatusChange, StopResult

#: How long a record waits for one that should precede it, s: what lies between two fetches, and little of a push's
#: second.
WINDOW_S = 0.05

_RANKS: dict[type, int] = {StatusChange: 0, StartResult: 1, ChargeProgress: 2, StopResult: 3, Order: 4}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """A record with what belongs to it; `recorded_at` in UTC ms, `arrived_at` in seconds of any clock."""

    record: Derived
    recorded_at: int
    arrived_at: float
    item: T

    @property
    def place(self) -> tuple[int, int]:
        """Where it belongs among its connector's records."""
        return self.recorded_at, _RANKS[type(self.record)]


class Reorder(Generic[T]):
    """Holds records for a window and gives them out by connector in their own order."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._waiting: dict[str, list[Waiting[T]]] = {}
        self.count = 0

    def put(self, waiting: Waiting[T]) -> None:
        """Takes a record."""
        self._waiting.setdefault(waiting.record.connector_id, []).append(waiting)
        self.count += 1

    def take(self, now: float) -> Iterable[Waiting[T]]:
        """What has waited long enough, each with those that belong before it."""
        due = now - self._window_s
        for connector_id, waiting in list(self._waiting.items()):
            if all(w.arrived_at > due for w in waiting):
                continue
            waiting.sort(key=lambda w: w.place)
            last = max(index for index, w in enumerate(waiting) if w.arrived_at <= due)
            ready, rest = waiting[: last + 1], waiting[last + 1 :]
            if rest:
                self._waiting[connector_id] = rest
            else:
                del self._waiting[connector_id]
            self.count -= len(ready)
            yield from ready
