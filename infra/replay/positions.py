"""How far a replay's worker has come, asked of the broker: what it has committed, and what it has put out."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from schemas.cluster import KafkaCluster
from schemas.topic import all_topics

INPUTS = ("charger-telemetry", "charge-events")
ORDERS = "charge-orders"
PROGRESS = "charge-progress"

_TIMEOUT_S = 30.0

#: A coordinator or leader may move, or a new group not have one yet: for so long that is no fault.
_UNANSWERED_MAX_S = 30.0

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_NEWEST = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Position:
    """One look: input records committed of those there are, records put out, and the newest push (UTC ms)."""

    committed: int
    inputs: int
    outputs: int
    orders: int
    event_time: int

    @property
    def input_done(self) -> bool:
        """Whether the worker has committed all of its input."""
        return self.committed >= self.inputs


class Positions:
    """Asks the broker. Raises KafkaException when it does not answer."""

    def __init__(self, cluster: KafkaCluster, group: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered_at = clock()
        self._cluster = cluster
        self._admin = AdminClient({**cluster.client_config(), "log_level": 0})
        self._consumer = Consumer({**cluster.consumer_config(group_id=group), "log_level": 0})
        self._inputs = self._partitions(INPUTS)
        derived = (t.name for t in all_topics().values() if "streams" in t.producers)
        self._outputs = self._partitions(derived)
        self._ends = sum(self._ends_of(self._inputs).values())
        self._last = Position(committed=0, inputs=self._ends, outputs=0, orders=0, event_time=-1)

    def _partitions(self, names: Iterable[str]) -> list[TopicPartition]:
        return [
            TopicPartition(self._cluster.topic(name), number)
            for name in names
            for number in range(all_topics()[name].partitions)
        ]

    def _ends_of(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        futures = self._admin.list_offsets(dict.fromkeys(partitions, _LATEST), request_timeout=_TIMEOUT_S)
        return {(p.topic, p.partition): future.result(timeout=_TIMEOUT_S).offset for p, future in futures.items()}

    def look(self) -> Position:
        """Where everything stands now; as last seen while the broker can't say, for 30 s at most."""
        try:
            self._last = self._ask()
            self._answered_at = self._clock()
        except KafkaException:
            if self._clock() - self._answered_at > _UNANSWERED_MAX_S:
                raise
        return self._last

    def _ask(self) -> Position:
        committed = self._consumer.committed(self._inputs, timeout=_TIMEOUT_S)
        outputs = self._ends_of(self._outputs)
        orders = self._cluster.topic(ORDERS)
        return Position(
            committed=sum(max(p.offset, 0) for p in committed),
            inputs=self._ends,
            outputs=sum(outputs.values()),
            orders=sum(end for (topic, _), end in outputs.items() if topic == orders),
            event_time=self._newest_push(),
        )

    def _newest_push(self) -> int:
        asked = dict.fromkeys(self._partitions([PROGRESS]), _NEWEST)
        answers = self._admin.list_offsets(asked, request_timeout=_TIMEOUT_S).values()
        instants: list[int] = [future.result(timeout=_TIMEOUT_S).timestamp for future in answers]
        return max(instants)

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()
