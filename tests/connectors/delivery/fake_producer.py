"""A Kafka producer that keeps what it is given, and tells of its arrival when it is polled."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from confluent_kafka import KafkaError, Message, Producer

Report = Callable[[KafkaError | None, Message], None]
Header = tuple[str, str | bytes | None]


@dataclass(frozen=True, slots=True)
class Produced:
    """One message as it was given."""

    name: str
    value: bytes
    key: bytes | None
    timestamp: int
    headers: list[Header] | None

    def topic(self) -> str:
        """As a delivery report's message has it."""
        return self.name


class FakeProducer:
    """`refusals` are raised by the next calls of `produce`, `errors` told of the next messages; while `away` is true
    nothing arrives. `queued` stands for what other platforms have put."""

    def __init__(self) -> None:
        self.messages: list[Produced] = []
        self.refusals: deque[Exception] = deque()
        self.errors: deque[KafkaError] = deque()
        self.polled: list[float] = []
        self.away = False
        self.queued = 0
        self._reports: deque[tuple[Report, Produced]] = deque()

    def __len__(self) -> int:
        return self.queued + len(self._reports)

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes | None,
        *,
        timestamp: int,
        headers: list[Header] | None,
        on_delivery: Report,
    ) -> None:
        """Keeps a message, or raises the next refusal."""
        if self.refusals:
            raise self.refusals.popleft()
        message = Produced(topic, value, key, timestamp, headers)
        self.messages.append(message)
        self._reports.append((on_delivery, message))

    def poll(self, timeout: float) -> int:
        """Reports what was produced since the last poll."""
        self.polled.append(timeout)
        told = 0
        while self._reports and not self.away:
            report, message = self._reports.popleft()
            report(self.errors.popleft() if self.errors else None, cast(Message, message))
            told += 1
        return told

    @property
    def producer(self) -> Producer:
        """Itself, as what it stands for."""
        return cast(Producer, self)

    def on(self, topic: str) -> list[Produced]:
        """What was produced to a topic."""
        return [message for message in self.messages if message.name == topic]
