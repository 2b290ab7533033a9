"""Where partitions end at a moment, asked of the cluster without waiting for the answer. What follows from it is the
asker's decision."""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from connectors.errors import MisconfiguredService
from connectors.kafka_log import kafka_log
from schemas.cluster import KafkaCluster

#: Topic and number.
Partition = tuple[str, int]

#: A partition whose leader does not answer within this is asked again, s.
_ANSWER_S = 1.0

#: Between two questions, s of the asker's clock: asking costs the cluster little, but not nothing.
_BETWEEN_S = 0.02

#: A leader's epoch that was learned while the cluster was choosing is not corrected by its refusal: the question would
#: be refused for as long as it is remembered.
_LEADERS_KNOWN_MS = 2_000

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Ends:
    """Asks one question at a time. A partition that could not answer is missing from the answer."""

    def __init__(self, cluster: KafkaCluster, between_s: float = _BETWEEN_S) -> None:
        try:
            self._admin = AdminClient(
                cluster.client_config(metadata_max_age_ms=_LEADERS_KNOWN_MS), logger=kafka_log(__name__)
            )
        except KafkaException as error:
            raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error
        self._between_s = between_s
        self._asked_at = float("-inf")
        self._waiting: dict[TopicPartition, Future[Any]] = {}

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
        ends = {
            (asked.topic, asked.partition): future.result().offset
            for asked, future in answered.items()
            if future.exception() is None
        }
        return self._asked_at, ends
