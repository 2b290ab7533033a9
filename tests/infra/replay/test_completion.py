"""The wait for the workers: over when all is committed and quiet, and not for ever. No test sleeps."""

from collections.abc import Callable

import pytest

from infra.replay.completion import LOOK_EVERY_S, QUIET_S, QUIET_WITHOUT_S, STALLED_S, await_end
from infra.replay.errors import ReplayStalled
from infra.replay.positions import Position


class _Worker:
    """Says at each second of a manual clock where it is."""

    def __init__(self, at: Callable[[float], Position]) -> None:
        self.now_s = 0.0
        self._at = at
        self.seen: list[Position] = []

    def look(self) -> Position:
        return self._at(self.now_s)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def await_end(self, orders: int, timeout_s: float = 3600.0) -> Position:
        return await_end(self.look, orders, timeout_s, self.seen.append, lambda: self.now_s, self.sleep)


def position(committed: int, outputs: int, orders: int) -> Position:
    return Position(committed=committed, inputs=100, outputs=outputs, orders=orders, event_time=0)


def test_it_is_over_once_all_is_committed_and_nothing_more_comes() -> None:
    worker = _Worker(lambda now_s: position(min(int(now_s) * 10, 100), min(int(now_s), 12), min(int(now_s), 12)))
    assert worker.await_end(orders=12).orders == 12
    assert 12 + QUIET_S <= worker.now_s <= 12 + QUIET_S + 2 * LOOK_EVERY_S
    assert worker.seen


def test_missing_orders_are_waited_for_longer() -> None:
    worker = _Worker(lambda _: position(100, 5, 5))
    assert worker.await_end(orders=6).orders == 5
    assert QUIET_WITHOUT_S <= worker.now_s <= QUIET_WITHOUT_S + 2 * LOOK_EVERY_S


def test_a_worker_that_stands_still_is_told() -> None:
    worker = _Worker(lambda _: position(40, 5, 5))
    with pytest.raises(ReplayStalled, match="40 of 100 input records are done, 5 orders made"):
        worker.await_end(orders=6)
    assert worker.now_s <= STALLED_S + 2 * LOOK_EVERY_S


def test_a_worker_that_takes_too_long_is_told() -> None:
    worker = _Worker(lambda now_s: position(0, int(now_s), 0))
    with pytest.raises(ReplayStalled, match="after 300 s"):
        worker.await_end(orders=6, timeout_s=300)
