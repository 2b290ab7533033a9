"""Between the fleet and Kafka: records out, commands in. The runner knows only `Link`; a test gives its own."""

import time
from collections.abc import Sequence
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from infra.simulator.fleet.errors import BrokerRefused
from infra.simulator.fleet.outgoing import COMMANDS_TOPIC, Outgoing
from infra.simulator.fleet.sender import Sender
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import partitions_of
from schemas.errors import UndecodableRecord
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.watermarks import watermarks

Command = StartCharge | StopCharge

_COMMANDS_PER_POLL = 1000
_TIMEOUT_S = 10.0

#: librdkafka reconnects by itself after these.
_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._PARTITION_EOF)

#: What a broker says of a topic that it is just about to have.
_TOO_NEW = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
)
_ASKS_AGAIN_AFTER_S = 0.2


class Link(Protocol):
    """Used by one thread at a time. Every method may raise BrokerRefused."""

    def open(self) -> None:
        """From now on no command is missed."""

    def send(self, records: Sequence[Outgoing]) -> None:
        """Hands the records on, in their order."""

    def commands(self) -> list[Command]:
        """The commands since the last call; does not wait."""

    def close(self) -> None:
        """Returns when everything sent has arrived."""


class KafkaLink:
    """The link to a real cluster. Commands from before `open` are left alone; undecodable ones are skipped."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._codec = codec_for(cluster.schema_registry_url)
        self._sender = Sender(cluster)
        self._consumer: Consumer | None = None

    def open(self) -> None:
        """Starts to listen to `charger-commands` at its present end. Raises BrokerRefused.

        A topic that was made a moment ago may not be known yet: it is asked for again for ten seconds.
        """
        topic = self._cluster.topic(COMMANDS_TOPIC)
        give_up_at = time.monotonic() + _TIMEOUT_S
        while self._consumer is None:
            try:
                self._consumer = self._listener(topic)
            except KafkaException as error:
                if error.args[0].code() not in _TOO_NEW or time.monotonic() > give_up_at:
                    where = f"{topic} at {self._cluster.bootstrap}"
                    raise BrokerRefused(f"{where} can't be read: {error}") from error
                time.sleep(_ASKS_AGAIN_AFTER_S)

    def _listener(self, topic: str) -> Consumer:
        config = self._cluster.consumer_config(group_id="evcs-fleet", auto_offset_reset="latest", fetch_wait_max_ms=100)
        consumer = Consumer(config)
        ends = []
        for partition in partitions_of(consumer, topic, _TIMEOUT_S):
            _, end = watermarks(consumer, topic, partition)
            ends.append(TopicPartition(topic, partition, end))
        consumer.assign(ends)
        return consumer

    def send(self, records: Sequence[Outgoing]) -> None:
        """Queues the records under their own times. Raises BrokerRefused."""
        for record in records:
            self._sender.send(self._cluster.topic(record.topic), record.key, record.value, record.timestamp_ms)
        self._sender.serve()

    def commands(self) -> list[Command]:
        """What has come in. Raises BrokerRefused for an error that does not pass by itself."""
        if self._consumer is None:
            return []
        found: list[Command] = []
        for message in self._consumer.consume(_COMMANDS_PER_POLL, timeout=0):
            error = message.error()
            if error is not None:
                if not error.retriable() and error.code() not in _PASSING:
                    raise BrokerRefused(f"commands can't be read: {error}")
                continue
            try:
                command = self._codec.decode(message.value())
            except UndecodableRecord:
                continue
            if isinstance(command, StartCharge | StopCharge):
                found.append(command)
        return found

    def close(self) -> None:
        """Flushes and stops listening. Raises BrokerRefused if the broker does not confirm."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._sender.close()
