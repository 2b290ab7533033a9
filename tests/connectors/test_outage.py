"""An outage is told once, and so is its end."""

import logging

import pytest

from connectors.outage import Outage


def test_told_once_each(caplog: pytest.LogCaptureFixture) -> None:
    now = [10.0]
    outage = Outage("The server", logging.getLogger("tests.outage"), clock=lambda: now[0])
    outage.over()
    for reason in ("gone", "still gone"):
        outage.began(reason)
        assert outage.is_on
        now[0] += 30.0
    outage.over()
    outage.over()
    assert not outage.is_on
    outage.began("gone again")
    assert [line.getMessage() for line in caplog.records] == [
        "The server is waited for: gone",
        "The server is back after 60 s",
        "The server is waited for: gone again",
    ]
