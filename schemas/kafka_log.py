"""What librdkafka says for itself. While a cluster is away each of its clients says so twenty times a second; what
follows from an outage is its user's to tell."""

import logging
import time
from collections.abc import Callable

#: A line of the same kind and client is not written again within this, s.
EVERY_S = 60.0


class Seldom(logging.Filter):
    """Lets a line through unless one of its kind went through just now. librdkafka's lines have as arguments what kind
    they are, the client, and the text, which differs from one to the next."""

    def __init__(self, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._next_at: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        kind = record.args[:2] if isinstance(record.args, tuple) else ()
        now = self._clock()
        if now < self._next_at.get(kind, now):
            return False
        self._next_at[kind] = now + self._every_s
        return True


def kafka_log(name: str) -> logging.Logger:
    """The `logger` of a client that is used in the module `name`."""
    logger = logging.getLogger(f"{name}.kafka")
    if not logger.filters:
        logger.addFilter(Seldom())
    return logger
