"""The queue before the engine: one at a time, not too many, and nobody for whom nobody waits."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from infra.local.clickhouse.refusals import Refusal
from infra.local.clickhouse.turns import Turns
from tests.whole.topics import PATIENCE_S


class Work:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._end = threading.Event()
        self.ended = False

    def __call__(self) -> str:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self._end.wait(PATIENCE_S)
        self.ended = True
        return "done"

    def let_go(self) -> None:
        self._end.set()


def test_one_after_the_other_in_order() -> None:
    seen: list[int] = []

    def work(number: int) -> Callable[[], str]:
        def note() -> str:
            seen.append(number)
            return ""

        return note

    async def story() -> None:
        turns = Turns()
        first = Work()
        others = [asyncio.create_task(turns.take(first))]
        await first.begun.wait()
        others += [asyncio.create_task(turns.take(work(number))) for number in range(5)]
        await asyncio.sleep(0)
        assert seen == []
        first.let_go()
        await asyncio.gather(*others)
        turns.close()

    asyncio.run(story())
    assert seen == [0, 1, 2, 3, 4]


def test_too_many_and_too_long() -> None:
    async def story() -> None:
        turns = Turns(requests_max=2, wait_s=0.05)
        first = Work()
        running = asyncio.create_task(turns.take(first))
        await first.begun.wait()
        waiting = asyncio.create_task(turns.take(lambda: None))
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="2 wait already") as refused:
            await turns.take(lambda: None)
        assert refused.value.name == "TOO_MANY_SIMULTANEOUS_QUERIES"
        with pytest.raises(Refusal, match=r"no turn within 0\.05 s"):
            await waiting
        first.let_go()
        assert await running == "done"
        assert await turns.take(lambda: 5) == 5
        turns.close()

    asyncio.run(story())


def test_nobody_waits_any_more() -> None:
    async def story() -> None:
        turns = Turns()
        with pytest.raises(Refusal, match="nobody waits"):
            await turns.take(lambda: 5, lambda: False)
        assert await turns.take(lambda: 5) == 5
        turns.close()

    asyncio.run(story())


def test_work_that_has_begun_goes_on_when_its_asker_leaves_and_the_next_waits_for_it() -> None:
    async def story() -> None:
        turns = Turns()
        first = Work()
        running = asyncio.create_task(turns.take(first))
        await first.begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        following = asyncio.create_task(turns.take(lambda: first.ended))
        first.let_go()
        assert await following is True
        turns.close()

    asyncio.run(story())


def test_an_exception_of_the_work_is_the_askers() -> None:
    def fail() -> None:
        raise KeyError("x")

    async def story() -> None:
        turns = Turns()
        with pytest.raises(KeyError):
            await turns.take(fail)
        assert await turns.take(lambda: 5) == 5
        turns.close()

    asyncio.run(story())
