"""Being told to end, in whichever way: by Ctrl-C, by a supervisor, or because the terminal is gone."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: What a client written in C was seen to raise in place of the KeyboardInterrupt that it met, within this, s.
_IN_ITS_PLACE = (TypeError, SystemError)
_AT_ONCE_S = 1.0


@contextmanager
def told_to_end_as_by_ctrl_c() -> Iterator[None]:
    """Inside, each of these signals raises KeyboardInterrupt, so that what was started is ended in order.

    SIGINT too, since a script's background job inherits it as ignored. For the main thread only.
    """
    told_at = -math.inf

    def told(_number: int, _frame: FrameType | None) -> None:
        nonlocal told_at
        told_at = time.monotonic()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, told) for number in _SIGNALS}
    try:
        yield
    except _IN_ITS_PLACE as error:
        if time.monotonic() - told_at > _AT_ONCE_S:
            raise
        raise KeyboardInterrupt from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
