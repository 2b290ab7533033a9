"""Who may use the engine now: one request after the other, in a thread of its own, and not too many in the queue."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from infra.local.clickhouse.limits import REQUESTS_MAX, TURN_WAIT_S
from infra.local.clickhouse.refusals import Code, Refusal

T = TypeVar("T")


class Turns:
    """A queue before one thread. What has begun is not interrupted, whatever becomes of who asked for it."""

    def __init__(self, requests_max: int = REQUESTS_MAX, wait_s: float = TURN_WAIT_S) -> None:
        self._requests_max = requests_max
        self._wait_s = wait_s
        self._requests = 0
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")

    async def take(self, work: Callable[[], T], wanted: Callable[[], bool] = lambda: True) -> T:
        """What `work` gives, run when its turn has come. Raises Refusal when the queue is full, the turn does not
        come in time, or the work is not `wanted` any more when it does."""
        if self._requests >= self._requests_max:
            raise self._too_many(f"{self._requests} wait already")
        self._requests += 1
        try:
            try:
                async with asyncio.timeout(self._wait_s):
                    await self._turn.acquire()
            except TimeoutError:
                raise self._too_many(f"no turn within {self._wait_s:g} s") from None
            running = None
            try:
                if not wanted():
                    raise self._too_many("nobody waits for the answer any more")
                running = asyncio.get_running_loop().run_in_executor(self._thread, work)
                return await asyncio.shield(running)
            finally:
                if running is None or running.done():
                    self._turn.release()
                else:  # the asker was cancelled: the next one waits for the work all the same
                    running.add_done_callback(lambda _: self._turn.release())
        finally:
            self._requests -= 1

    def close(self) -> None:
        """Waits for what runs."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _too_many(why: str) -> Refusal:
        return Refusal.of(Code.TOO_MANY_SIMULTANEOUS_QUERIES, f"Too many simultaneous queries: {why}")
