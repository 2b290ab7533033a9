"""The broker's clock: processes on several machines agree by it when an order is due again."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message, Producer

from connectors.errors import MisconfiguredService
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)

#: Its records get their time from the broker.
TOPIC = "delivery-clock"

#: Clocks drift by some ms a minute at worst.
_REFRESH_S = 60.0

#: Ticks of one look; the one that was answered soonest tells most.
_TICKS = 5

_ANSWER_S = 5.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class _Tick:
    """`offset_ms`: from our monotonic clock to the broker's, wrong by `round_trip_ms` / 2 at most."""

    offset_ms: float
    round_trip_ms: float


class BrokerClock:
    """`now_ms` may be called from any thread. Until the broker has been asked, and while it can't be, it goes on by
    what is known; that is the wall clock at first.

    As a context manager it asks at the start, and again every minute until the end.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        wall: Callable[[], int] = wall_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._offset_ms = wall() - monotonic() * 1000
        #: How wrong `now_ms` may be, None while nothing has been learnt.
        self.uncertainty_ms: float | None = None
        self._topic = cluster.topic(TOPIC)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="broker-clock", daemon=True)
        try:
            self._producer = Producer(
                {**cluster.client_config(acks=1, linger_ms=0, message_timeout_ms=int(_ANSWER_S * 1000)), "log_level": 0}
            )
        except KafkaException as error:
            raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error

    def now_ms(self) -> int:
        """Now by the broker's clock, UTC ms."""
        return round(self._monotonic() * 1000 + self._offset_ms)

    def learn(self) -> bool:
        """Asks the broker; False if it did not answer."""
        ticks = []
        for _ in range(_TICKS):
            tick = self._tick()
            if tick is None:
                break
            ticks.append(tick)
        if not ticks:
            return False
        best = min(ticks, key=lambda tick: tick.round_trip_ms)
        self._offset_ms, self.uncertainty_ms = best.offset_ms, best.round_trip_ms / 2 + 1
        return True

    def _tick(self) -> _Tick | None:
        answers: list[tuple[float, KafkaError | None, tuple[int, int]]] = []

        def answered(error: KafkaError | None, message: Message) -> None:
            answers.append((self._monotonic() * 1000, error, message.timestamp()))

        sent_at = self._monotonic() * 1000
        self._producer.produce(self._topic, None, on_delivery=answered)
        deadline = time.monotonic() + 2 * _ANSWER_S
        while not answers and time.monotonic() < deadline:
            self._producer.poll(_POLL_S)
        if not answers:
            return None
        answered_at, error, (kind, at) = answers[0]
        if error is not None:
            log.warning("the broker's time is not known anew: %s", error.str())
            return None
        if kind != TIMESTAMP_LOG_APPEND_TIME:
            log.error("%s has no times of the broker's: run `evcs topics verify`", self._topic)
            return None
        return _Tick(at - (sent_at + answered_at) / 2, answered_at - sent_at)

    def _keep(self) -> None:
        while not self._stopping.wait(_REFRESH_S):
            self.learn()

    def __enter__(self) -> "BrokerClock":
        self.learn()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join(2 * _ANSWER_S)
