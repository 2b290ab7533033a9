"""Hands records to Kafka without losing or reordering any; the one place where the fleet's producer is made."""

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.simulator.fleet.errors import BrokerRefused
from schemas.cluster import KafkaCluster

#: Records that wait in the producer at most: some 150 MB.
_QUEUED_RECORDS = 500_000
_QUEUED_KB = 400_000

_FLUSH_TIMEOUT_S = 60.0


class Sender:
    """A producer that waits instead of failing when it is full, and fails when the broker refuses a record.

    Whoever calls `send` often calls `serve` at least every 20,000 records.
    """

    def __init__(self, cluster: KafkaCluster) -> None:
        self._refused: KafkaError | None = None
        config = cluster.producer_config(
            linger_ms=20,
            batch_size=1_000_000,
            queue_buffering_max_messages=_QUEUED_RECORDS,
            queue_buffering_max_kbytes=_QUEUED_KB,
            delivery_report_only_error=True,
        )
        try:
            self._producer = Producer({**config, "on_delivery": self._failed})
        except KafkaException as error:
            raise BrokerRefused(f"{cluster.bootstrap}: {error}") from error
        self._produce = self._producer.produce

    def _failed(self, error: KafkaError | None, _message: Message) -> None:
        self._refused = self._refused or error

    def send(self, topic: str, key: bytes, value: bytes, timestamp_ms: int) -> None:
        """Queues one record under its own time (UTC ms). `topic` is the name on the cluster.

        Raises BrokerRefused.
        """
        try:
            self._produce(topic, value, key, timestamp=timestamp_ms)
        except BufferError:
            self._wait()
            self._produce(topic, value, key, timestamp=timestamp_ms)
        except KafkaException as error:
            raise BrokerRefused(f"Kafka did not take a record: {error}") from error

    def serve(self) -> None:
        """Takes the broker's answers; waits while the queue is more than half full. Raises BrokerRefused."""
        self._producer.poll(0)
        self._wait()

    def _wait(self) -> None:
        while len(self._producer) > _QUEUED_RECORDS // 2 and self._refused is None:
            self._producer.poll(0.01)
        if self._refused is not None:
            raise BrokerRefused(f"Kafka did not take a record: {self._refused}")

    def flush(self) -> None:
        """Returns when the broker has everything. Raises BrokerRefused if it refuses, or takes over a minute."""
        left = self._producer.flush(_FLUSH_TIMEOUT_S)
        self.serve()
        if left:
            raise BrokerRefused(f"Kafka did not confirm {left} records within {_FLUSH_TIMEOUT_S:.0f} s")

    def close(self) -> None:
        """Flushes and leaves the broker; nothing can be sent any more. Raises BrokerRefused."""
        self.flush()
        self._producer.close()
