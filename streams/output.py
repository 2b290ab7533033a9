"""Produces what the rules put out, and says when it is safe.

A step's outputs are produced first; its states only after the broker has confirmed those, so that a state
never says that something was put out which was not. A step is safe, and its input may be acked, when its
states are confirmed too. A step may leave its states to a later one, and then leaves its ack to it as well.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log
from streams.domain.outputs import Output, StateWrite
from streams.errors import OutputLost

log = logging.getLogger(__name__)

STATE_TOPIC = "connector-state"

#: Outputs that wait for the broker before input is held back: some seconds of a busy worker.
IN_FLIGHT_MAX = 200_000

#: How long the broker may be away before the worker gives up and starts over from its last commit.
DELIVERY_TIMEOUT_MS = 120_000


@dataclass(slots=True)
class _Step:
    """One step's outputs on their way; `waiting` counts unconfirmed records of the current phase."""

    partition: int
    states: Sequence[StateWrite]
    on_safe: Callable[[], object] | None
    lost: list[str]
    waiting: int = 0

    def confirmed(self, error: KafkaError | None, message: Message) -> None:
        """librdkafka's delivery report."""
        self.waiting -= 1
        if error is not None:
            self.lost.append(f"{message.topic()}: {error.str()}")


class OutputQueue:
    """Steps in order of submission. Single-threaded: `submit` and `poll` belong to one thread."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._names: dict[str, str] = {}
        self._state_topic = cluster.topic(STATE_TOPIC)
        #: Steps whose outputs are on their way, and behind them steps whose states are.
        self._putting_out: deque[_Step] = deque()
        self._saving: deque[_Step] = deque()
        self._lost: list[str] = []
        #: Records that were handed to the client, by the name of their topic on the cluster.
        self.produced: dict[str, int] = {}
        self._producer = Producer(
            cluster.producer_config(
                linger_ms=5,
                batch_num_messages=10_000,
                queue_buffering_max_messages=1_000_000,
                queue_buffering_max_kbytes=1_048_576,
                delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
            )
            | {"logger": kafka_log(__name__)}
        )

    def submit(
        self,
        partition: int,
        outputs: Sequence[Output],
        states: Sequence[StateWrite],
        on_safe: Callable[[], object] | None = None,
    ) -> None:
        """Takes one step. `partition` is the one its states belong to; `on_safe` is called once, in order."""
        step = _Step(partition, states, on_safe, self._lost)
        names = self._names
        for output in outputs:
            topic = names.get(output.topic)
            if topic is None:
                topic = names[output.topic] = self._cluster.topic(output.topic)
            self._produce(step, topic, output.value, output.key, -1, output.timestamp)
        self._putting_out.append(step)
        self._advance()

    def _produce(self, step: _Step, topic: str, value: bytes, key: bytes, partition: int, timestamp: int) -> None:
        while True:
            try:
                self._producer.produce(
                    topic, value, key, partition=partition, timestamp=max(timestamp, 1), on_delivery=step.confirmed
                )
            except BufferError:
                self._producer.poll(0.05)  # librdkafka's buffer is full: let it send
                continue
            except KafkaException as error:
                raise OutputLost(f"{topic}: {error}") from error
            step.waiting += 1
            self.produced[topic] = self.produced.get(topic, 0) + 1
            return

    def _advance(self) -> None:
        if self._lost:
            raise OutputLost(f"{len(self._lost)} outputs were not taken by the broker, first {self._lost[0]}")
        putting_out, saving = self._putting_out, self._saving
        while putting_out and not putting_out[0].waiting:
            # In order, so that the states of later steps never overtake those of earlier ones.
            step = putting_out.popleft()
            for state in step.states:
                self._produce(step, self._state_topic, state.value, state.key, step.partition, state.timestamp)
            saving.append(step)
        while saving and not saving[0].waiting:
            done = saving.popleft()
            if done.on_safe is not None:
                done.on_safe()

    def poll(self) -> None:
        """Takes delivery reports. Raises OutputLost when an output was given up."""
        if self._producer.poll(0) or self._putting_out or self._saving:
            self._advance()

    @property
    def unconfirmed(self) -> int:
        """Records that wait for the broker; for any thread."""
        return len(self._producer)

    def congested(self) -> bool:
        """Whether so much waits for the broker that no more input should be taken."""
        return self.unconfirmed > IN_FLIGHT_MAX

    def empty(self) -> bool:
        """Whether everything submitted is safe."""
        return not self._putting_out and not self._saving

    def forget(self, partitions: set[int]) -> None:
        """Drops what was not sent yet for partitions that went to another worker."""
        for step in self._putting_out:
            if step.partition in partitions:
                step.states = ()

    def close(self, timeout_s: float) -> int:
        """Sends what it can within `timeout_s`; returns how many records were left unconfirmed."""
        return self._producer.flush(timeout_s)


def call_all(calls: Sequence[Callable[[], object]]) -> None:
    """What a step that acks several chunks does once it is safe."""
    for call in calls:
        call()
