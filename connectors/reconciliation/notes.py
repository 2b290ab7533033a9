"""What the nightly check writes to Kafka, in transactions: each all or nothing, and none once another process has taken
this one's place."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connectors.delivery.outbox import ATTEMPTS, DISPUTES
from connectors.delivery.topics import dead_letter_topic
from connectors.delivery.transactions import Transactions
from connectors.errors import KafkaRefused
from connectors.reconciliation.asking import Asked
from connectors.reconciliation.book import Request
from connectors.reconciliation.topic import TOPIC
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.records.faults import DeadLetter


@dataclass(frozen=True, slots=True)
class Fixed:
    """A request as it is to be written: an encoded OrderCheckPlanned, and how many orders it has."""

    count: int
    value: bytes


class NotWritten(Exception):
    """The cluster has dropped what was to be written, or may have: what holds is what lies on the topics."""


class Notes:
    """Of one platform. Every method raises PlaceTaken, KafkaRefused, Unsettled, and NotWritten once it has to be read
    anew what is there."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, platform: str, give_up: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._codec = codec
        self._key = platform.encode()
        whose_place = f"another process checks the orders of {platform}"
        self._transactions = Transactions(
            cluster, f"{cluster.topic_prefix}evcs-nightly-{platform}", whose_place, give_up
        )

    def start(self) -> None:
        """Takes the platform's place: whoever had it writes no more. To be done before the book is read."""
        self._transactions.start()

    def fix(self, checks: Iterable[Fixed], planned_at: int) -> None:
        """All of these requests of a day: once they are written they are sent as they are, or not at all."""
        for check in checks:
            self._put_value(TOPIC, self._key, check.value, planned_at)
        self._commit()

    def note(self, request: Request, asked: Asked) -> None:
        """What came of an attempt: the ledger's lines and, if the request is over, its disputes, and its dead letter if
        it was given up."""
        for attempt in asked.attempts:
            self._put(ATTEMPTS, attempt.key.encode(), attempt, attempt.started_at)
        for dispute in asked.disputes:
            self._put(DISPUTES, dispute.start_charge_seq.encode(), dispute, dispute.disputed_at)
        ended = asked.ended
        if ended is not None:
            self._put(TOPIC, self._key, ended, ended.ended_at)
            if ended.outcome == "DEAD_LETTER":
                letter = self._letter(request, asked.detail, ended.ended_at)
                self._put(dead_letter_topic(TOPIC), self._key, letter, ended.ended_at)
        self._commit()

    def _letter(self, request: Request, detail: str, failed_at: int) -> DeadLetter:
        partition, offset = request.place
        return DeadLetter(
            reason="rejected_by_platform",
            detail=f"{request.check_order_seq}: {detail}",
            topic=TOPIC,
            partition=partition,
            offset=offset,
            recorded_at=request.recorded_at,
            failed_at=failed_at,
            key=self._key,
            value=request.value,
        )

    def _put(self, topic: str, key: bytes, record: object, timestamp: int) -> None:
        self._put_value(topic, key, self._codec.encode(record), timestamp)

    def _put_value(self, topic: str, key: bytes, value: bytes, timestamp: int) -> None:
        name = self._cluster.topic(topic)
        if not self._transactions.put(name, key, value, timestamp):
            raise KafkaRefused(
                f"{name} takes no message of this size: set orders_per_request lower, or its limit higher"
            )

    def _commit(self) -> None:
        if not self._transactions.commit():
            raise NotWritten
