"""Dead letters of records that no table can take, each to its topic's, confirmed by all replicas."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from confluent_kafka import KafkaException, Message, Producer

from connectors.delivery.letter import letter_of
from connectors.delivery.outbox import Batch as Written
from connectors.delivery.topics import dead_letter_topic
from connectors.errors import KafkaRefused
from schemas.cluster import KafkaCluster
from schemas.codec import Codec

#: A record up to this size is kept with its letter: a message of Kafka's default limit and the letter's own words.
_VALUE_MAX = 900_000

_POLL_S = 0.1


class Letters:
    """For any number of threads, one after the other: letters are rare."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, producer: Producer, now_ms: Callable[[], int]) -> None:
        self._cluster = cluster
        self._codec = codec
        self._producer = producer
        self._now_ms = now_ms
        self._one_at_a_time = threading.Lock()

    def write(self, topic: str, refused: Sequence[tuple[Message, str, str]], abandoned: threading.Event) -> bool:
        """Letters of messages of a topic (its declared name), each with its reason and what is wrong; whether all are
        safe, which they may not be once `abandoned` is set. Raises KafkaRefused."""
        with self._one_at_a_time:
            written = Written()
            for message, reason, detail in refused:
                self._produce(topic, message, reason, detail, written)
            while not written.safe:
                if abandoned.is_set():
                    return False
                self._producer.poll(_POLL_S)
            return True

    def _produce(self, topic: str, message: Message, reason: str, detail: str, written: Written) -> None:
        letter = letter_of(message, topic, reason, detail, self._now_ms())
        size = len(letter.value or b"")
        if size > _VALUE_MAX:
            letter = replace(letter, value=None, detail=f"{detail} (its {size} bytes are too many to keep)")
        name = self._cluster.topic(dead_letter_topic(topic))
        written.put()
        while True:
            try:
                self._producer.produce(
                    name,
                    self._codec.encode(letter),
                    letter.key,
                    timestamp=letter.failed_at,
                    on_delivery=written.reported,
                )
            except BufferError:
                self._producer.poll(_POLL_S)
            except KafkaException as error:
                raise KafkaRefused(f"nothing can be written to {name}: {error.args[0].str()}") from error
            else:
                return
