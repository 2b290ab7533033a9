"""When a replay is over: the worker has committed all of its input and has nothing more to put out.

Waits are injected, so that a test needs none.
"""

import time
from collections.abc import Callable

from infra.replay.errors import ReplayStalled
from infra.replay.positions import Position

#: After its last input the worker puts out what it waited with, at its next ticks of 0.1 s each.
QUIET_S = 2.0

#: Orders that are still missing get more time before the replay is called over without them.
QUIET_WITHOUT_S = 10.0

#: Starting, joining and recovering take seconds; two minutes without a commit are a fault.
STALLED_S = 120.0

LOOK_EVERY_S = 0.5


def await_end(
    look: Callable[[], Position],
    orders: int,
    timeout_s: float,
    on_look: Callable[[Position], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Position:
    """Returns the last position. `orders` are expected; `on_look` may raise to end the wait.

    Raises ReplayStalled after `timeout_s`, or after two minutes without progress.
    """
    began = moved_at = clock()
    last = look()
    while True:
        on_look(last)
        sleep(LOOK_EVERY_S)
        now = clock()
        position = look()
        if (position.committed, position.outputs) != (last.committed, last.outputs):
            moved_at = now
        last = position
        still_s = now - moved_at
        if position.input_done and still_s >= (QUIET_S if position.orders >= orders else QUIET_WITHOUT_S):
            return position
        where = f"{position.committed:,} of {position.inputs:,} input records are done, {position.orders} orders made"
        if still_s > STALLED_S:
            raise ReplayStalled(f"the worker has not moved for {STALLED_S:.0f} s: {where}")
        if now - began > timeout_s:
            raise ReplayStalled(f"the worker is not done after {timeout_s:.0f} s (--timeout): {where}")
