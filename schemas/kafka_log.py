"""What librdkafka and aiokafka say for themselves. While a cluster is away each of their clients says so twenty times a
second; what follows from an outage is its user's to tell."""

import logging
import time
from collections.abc import Callable

#: A line of the same kind and client is not written again within this, s.
EVERY_S = 60.0

#: So many kinds are remembered at most.
_KINDS_MAX = 1_000


class Seldom(logging.Filter):
    """Lets a line through unless one of its kind went through just now: of the same form and first two arguments.
    librdkafka's are what kind of line it is, the client, and behind them the text, which differs from one to the next;
    aiokafka's are nodes and exceptions."""

    def __init__(self, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._next_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        kind = (str(record.msg), repr(record.args[:2]) if isinstance(record.args, tuple) else "")
        now = self._clock()
        if now < self._next_at.get(kind, now):
            return False
        if len(self._next_at) >= _KINDS_MAX:
            self._next_at.clear()
        self._next_at[kind] = now + self._every_s
        return True


def kafka_log(name: str) -> logging.Logger:
    """The `logger` of a client that is used in the module `name`."""
    return seldom(f"{name}.kafka")


def seldom(name: str) -> logging.Logger:
    """The logger `name`, of which a line of each kind is written once in EVERY_S; those below it are loggers of their
    own."""
    logger = logging.getLogger(name)
    if not logger.filters:
        logger.addFilter(Seldom())
    return logger
