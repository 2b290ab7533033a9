"""Where partitions end at a moment, asked of the cluster without waiting for the answer. What follows from it is the
asker's decision."""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from connectors.errors import MisconfiguredService
from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log

#: Topic and number.
Partition = tuple[str, int]

#: A partition whose leader does not answer within this is asked again, s.
_ANSWER_S = 1.0

#: Between two questions, s of the asker's clock: asking costs the cluster little, but not nothing.
_BETWEEN_S = 0.04

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Ends:
    """Asks one question at a time. A partition that could not answer is missing from the answer."""

    def __init__(self, cluster: KafkaCluster, between_s: float = _BETWEEN_S) -> None:
        self._cluster = cluster
        self._admin = self._client()
        self._between_s = between_s
        self._asked_at = float("-inf")
        self._waiting: dict[TopicPartition, Future[Any]] = {}

    def _client(self) -> AdminClient:
        try:
            return AdminClient(self._cluster.client_config(), logger=kafka_log(__name__))
        except KafkaException as error:
            raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error

    def ask(self, partitions: Iterable[Partition], now: float) -> None:
        """Asks, unless a question waits for its answer or the last one was put just now."""
        if self._waiting or now - self._asked_at < self._between_s:
            return
        question = {TopicPartition(*partition): _LATEST for partition in partitions}
        if question:
            self._asked_at = now
            self._waiting = self._admin.list_offsets(
                question, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_ANSWER_S
            )

    def answer(self) -> tuple[float, dict[Partition, int]] | None:
        """When it was asked, and the ends as they were then or later; None while nothing has been answered."""
        if not self._waiting or not all(future.done() for future in self._waiting.values()):
            return None
        answered, self._waiting = self._waiting, {}
        if any(_is_outdated(future.exception()) for future in answered.values()):
            # A leader's epoch that was learned while the cluster was choosing is not corrected by its refusal.
            self._admin = self._client()
        ends = {
            (asked.topic, asked.partition): future.result().offset
            for asked, future in answered.items()
            if future.exception() is None
        }
        return self._asked_at, ends


def _is_outdated(error: BaseException | None) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() == KafkaError.FENCED_LEADER_EPOCH
