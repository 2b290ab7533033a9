"""A consumer that can't leave its group keeps no service from ending."""

import logging
import threading

import pytest

from connectors.leaving import leave


class Hanging:
    """A consumer that is closed once it is let go."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.is_closed = threading.Event()

    def close(self) -> None:
        assert self.may_go.wait(60)
        self.is_closed.set()


def test_one_that_hangs_is_left_behind_and_told_of(caplog: pytest.LogCaptureFixture) -> None:
    consumer = Hanging()
    with caplog.at_level(logging.WARNING):
        assert not leave(consumer, within_s=0.05)  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [
        "the cluster does not let this consumer go: its partitions go to others when its session is over"
    ]
    consumer.may_go.set()
    assert consumer.is_closed.wait(60)


def test_one_that_leaves_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    consumer = Hanging()
    consumer.may_go.set()
    assert leave(consumer)  # type: ignore[arg-type]
    assert consumer.is_closed.is_set()
    assert caplog.records == []
