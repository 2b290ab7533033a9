"""An event loop whose clock jumps to the next timer: what would take an hour is over at once, in the same order."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

#: No scenario lasts so long: what is still not over then hangs.
_END_S = 1_000_000.0


class _Jumping(selectors.SelectSelector):
    """Moves the clock on instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; where nothing is, the time of the next timer has come."""
        assert timeout is not None, "nothing will ever happen again"
        self.now += max(0.0, timeout)
        assert self.now < _END_S, "it goes on for ever"
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at 0 s."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._jumping.now


def run(scenario: Callable[[], Awaitable[T]]) -> T:
    """The scenario's result, in virtual time."""

    async def go() -> T:
        return await scenario()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(go())


def now_s() -> float:
    """The virtual clock of the running loop."""
    return asyncio.get_running_loop().time()
