"""A clock that only moves when told, and a link that keeps what is sent."""

from collections.abc import Sequence

from infra.simulator.fleet.link import Command
from infra.simulator.fleet.outgoing import Outgoing


class ManualClock:
    """Milliseconds; `wait` lets seconds pass."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def wait(self, seconds: float) -> None:
        self.now_ms += max(1, round(seconds * 1000))


class FakeLink:
    """What Kafka would hold, in memory."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.queued: list[Command] = []
        self.is_open = False

    def open(self) -> None:
        self.is_open = True

    def send(self, records: Sequence[Outgoing]) -> None:
        self.sent += records

    def commands(self) -> list[Command]:
        queued, self.queued = self.queued, []
        return queued

    def close(self) -> None:
        self.is_open = False
