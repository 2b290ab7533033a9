"""Follows `station-catalog` for what scopes ask of a station: all of it at the start, changes as they come."""

import logging
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka_faults import check
from connectors.scope import Whereabouts
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.compacted import partitions_of
from schemas.errors import UndecodableRecord
from schemas.kafka_log import kafka_log
from schemas.records.station import Station

log = logging.getLogger(__name__)

TOPIC = "station-catalog"

_BATCH = 1_000
_POLL_S = 0.1


class StationFollower:
    """Tells `put` of every station, None for one that was taken out. Used by one thread."""

    def __init__(
        self, cluster: KafkaCluster, codec: Codec, put: Callable[[str, Whereabouts | None], None], group: str
    ) -> None:
        self._codec = codec
        self._put = put
        self._topic = cluster.topic(TOPIC)
        self._consumer = Consumer(
            {
                **cluster.consumer_config(
                    group_id=group,
                    auto_offset_reset="earliest",
                    enable_partition_eof=True,
                    fetch_wait_max_ms=100,
                ),
                "logger": kafka_log(__name__),
            }
        )
        self._unread: set[int] = set()

    def load(self, give_up: Callable[[], bool]) -> None:
        """Reads what is there now; keeps trying while the cluster is away, until `give_up` says True.

        Raises KafkaRefused.
        """
        while not give_up():
            try:
                self._unread = set(partitions_of(self._consumer, self._topic))
                break
            except KafkaException as error:
                check(error.args[0], "")
        self._consumer.assign([TopicPartition(self._topic, number, 0) for number in self._unread])
        while self._unread and not give_up():
            self._read(_POLL_S)

    def follow(self) -> None:
        """Takes what has come since; does not wait."""
        self._read(0)

    def _read(self, timeout_s: float) -> None:
        first = self._consumer.poll(timeout_s)
        if first is not None:
            for message in [first, *self._consumer.consume(_BATCH, timeout=0)]:
                self._take(message)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._unread.discard(message.partition() or 0)
            else:
                check(error, "")
            return
        value = message.value()
        if value is None:
            self._put((message.key() or b"").decode(errors="replace"), None)
            return
        try:
            station = self._codec.decode_as(Station, value)
        except UndecodableRecord as problem:
            log.error("%s/%s@%s is passed over: %s", self._topic, message.partition(), message.offset(), problem)
            return
        self._put(station.station_id, Whereabouts(station.operator_id, station.area_code))

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()
