"""Being told to end, in whichever way: by Ctrl-C, by a supervisor, or because the terminal is gone."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def told_to_end_as_by_ctrl_c() -> Iterator[None]:
    """Inside, each of these signals raises KeyboardInterrupt, so that what was started is ended in order.

    SIGINT too, since a script's background job inherits it as ignored. For the main thread only.
    """
    before = {number: signal.signal(number, signal.default_int_handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
