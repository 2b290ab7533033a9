"""What delivery writes to Kafka: orders to their ladder, dead letters, disputes, the ledger, and its own status.

An offset may be committed once the batch that was open when its record was finished is safe.
"""

from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.delivery.parcel import Parcel
from connectors.delivery.topics import dead_letter_topic, retry_topic
from connectors.errors import KafkaRefused, MisconfiguredService
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.records.delivery import Attempt, Dispute, LaneStatus
from schemas.records.faults import DeadLetter

ATTEMPTS = "delivery-attempts"
DISPUTES = "order-disputes"
STATUS = "delivery-status"

#: A dead letter's value up to this size is kept with it: a message of Kafka's default limit and its letter's own words.
_VALUE_MAX = 900_000

#: Waits in one producer before the lanes have to wait for Kafka.
_QUEUE_MAX = 200_000

_FULL_POLL_S = 0.1


def outbox_producer(cluster: KafkaCluster) -> Producer:
    """The producer for all outboxes of a process. Raises MisconfiguredService."""
    try:
        return Producer(
            {
                **cluster.producer_config(
                    linger_ms=50,
                    queue_buffering_max_messages=_QUEUE_MAX,
                    # A cluster that is away for an hour is waited for: what is here is nowhere else.
                    message_timeout_ms=0,
                ),
                # What ails its connection ails the consumer's too, which tells.
                "log_level": 0,
            }
        )
    except KafkaException as error:
        raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error


class Batch:
    """What was put between two seals. Raises KafkaRefused from `safe` if something of it never will be."""

    __slots__ = ("_failure", "_outstanding")

    def __init__(self) -> None:
        self._outstanding = 0
        self._failure: KafkaRefused | None = None

    @property
    def safe(self) -> bool:
        """Whether the cluster has all of it."""
        if self._failure is not None:
            raise self._failure
        return self._outstanding == 0

    def put(self) -> None:
        """One more is on its way."""
        self._outstanding += 1

    def reported(self, error: KafkaError | None, message: Message) -> None:
        """One has arrived, or never will."""
        self._outstanding -= 1
        if error is not None:
            self._failure = KafkaRefused(f"nothing can be written to {message.topic()}: {error.str()}")


class Outbox:
    """Writes for one platform, from one thread."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, producer: Producer) -> None:
        self._cluster = cluster
        self._codec = codec
        self._producer = producer
        self._batch = Batch()
        self._attempts = cluster.topic(ATTEMPTS)

    def seal(self) -> Batch:
        """What was put since the last seal."""
        sealed, self._batch = self._batch, Batch()
        return sealed

    def poll(self) -> None:
        """Hears what has arrived."""
        self._producer.poll(0)

    @property
    def full(self) -> bool:
        """Whether the lanes must wait before they send more."""
        return len(self._producer) > _QUEUE_MAX // 2

    def ladder(self, delay_s: int, key: bytes, value: bytes, recorded_at: int, parcel: Parcel) -> None:
        """An order, to be sent again at `parcel.due_at`."""
        self._put(retry_topic(delay_s), key, value, recorded_at, parcel)

    def attempt(self, attempt: Attempt) -> None:
        """One line of the ledger."""
        self._produce(self._attempts, attempt.key.encode(), self._codec.encode(attempt), attempt.started_at, None)

    def dispute(self, dispute: Dispute) -> None:
        """An order for people to look at."""
        self._put(DISPUTES, dispute.start_charge_seq.encode(), self._codec.encode(dispute), dispute.disputed_at)

    def status(self, status: LaneStatus) -> None:
        """How a platform fares."""
        key = f"{status.platform} {status.instance}"
        self._put(STATUS, key.encode(), self._codec.encode(status), status.reported_at)

    def dead_letter(self, letter: DeadLetter, parcel: Parcel) -> None:
        """A record that is given up; one that leaves no room for the rest of its letter is named by its place only."""
        size = len(letter.value or b"")
        if size > _VALUE_MAX:
            letter = replace(letter, value=None, detail=f"{letter.detail} (its {size} bytes are too many to keep)")
        self._put(dead_letter_topic(letter.topic), letter.key, self._codec.encode(letter), letter.failed_at, parcel)

    def _put(self, topic: str, key: bytes | None, value: bytes, timestamp: int, parcel: Parcel | None = None) -> None:
        headers = parcel.headers() if parcel is not None else None
        self._produce(self._cluster.topic(topic), key, value, timestamp, headers or None)

    def _produce(
        self,
        name: str,
        key: bytes | None,
        value: bytes,
        timestamp: int,
        headers: list[tuple[str, str | bytes | None]] | None,
    ) -> None:
        batch = self._batch
        batch.put()
        while True:
            try:
                self._producer.produce(
                    name, value, key, timestamp=timestamp, headers=headers, on_delivery=batch.reported
                )
            except BufferError:
                self._producer.poll(_FULL_POLL_S)
            except KafkaException as error:
                raise KafkaRefused(f"nothing can be written to {name}: {error.args[0].str()}") from error
            else:
                return
