"""Leaving a consumer group when a service ends."""

import logging
import threading

from confluent_kafka import Consumer

log = logging.getLogger(__name__)

#: A consumer whose coordinator answers is gone within tenths of a second; one whose broker dies as it leaves was
#: seen to wait for minutes. The group does without it after its session's 6 s anyway.
LEAVE_S = 10.0


def leave(consumer: Consumer, within_s: float = LEAVE_S) -> bool:
    """Closes it: its callbacks run in another thread meanwhile. False if that takes too long; then it is left to
    itself, and ends with the process."""
    closing = threading.Thread(target=consumer.close, name="leave", daemon=True)
    closing.start()
    closing.join(within_s)
    if closing.is_alive():
        log.warning("the cluster does not let this consumer go: its partitions go to others when its session is over")
    return not closing.is_alive()
