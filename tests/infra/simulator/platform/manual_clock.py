"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import datetime

from infra.simulator.platform.envelope import CHINA


class ManualClock:
    """Seconds since the epoch, starting at ten in the morning of an ordinary day in China."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 10, 0, 0, tzinfo=CHINA).timestamp()

    def __call__(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds

    def timestamp(self) -> str:
        """Now, as an envelope's TimeStamp."""
        return datetime.fromtimestamp(self.now, CHINA).strftime("%Y%m%d%H%M%S")
