"""Keeps the worker's view of the station catalog: all of it at the start, changes as they come."""

import asyncio
import logging
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.compacted import partitions_of, read_to_end
from schemas.errors import UndecodableRecord
from schemas.kafka_log import kafka_log
from schemas.records.station import Station

log = logging.getLogger(__name__)

TOPIC = "station-catalog"


class CatalogReader:
    """Reads `station-catalog` from its beginning; every worker reads all partitions."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, put: Callable[[Station], None]) -> None:
        self._cluster = cluster
        self._codec = codec
        self._put = put
        self.loaded = False
        self._topic = cluster.topic(TOPIC)
        config = cluster.consumer_config(group_id="evcs-catalog-reader", auto_offset_reset="earliest")
        self._consumer = Consumer({**config, "logger": kafka_log(__name__)})

    def load(self) -> int:
        """Reads what is there now; returns the number of records. Blocks. Raises KafkaException and ReadStalled: with
        half a catalog, charges would be priced by tariffs that are not there."""
        begin_at = dict.fromkeys(partitions_of(self._consumer, self._topic), OFFSET_BEGINNING)
        count = 0
        for batch in read_to_end(self._cluster, self._topic):
            count += self._take(batch)
            begin_at |= {message.partition() or 0: (message.offset() or 0) + 1 for message in batch}
        self._consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in begin_at.items()])
        self.loaded = True
        return count

    async def follow(self, should_stop: Callable[[], bool]) -> None:
        """Takes changes until it should stop."""
        loop = asyncio.get_running_loop()
        while not should_stop():
            if not self.loaded:
                await asyncio.sleep(0.1)
                continue
            self._take(await loop.run_in_executor(None, self._consumer.consume, 1000, 0.5))

    def _take(self, batch: list[Message]) -> int:
        count = 0
        for message in batch:
            error = message.error()
            if error is not None:
                if error.fatal():
                    raise KafkaException(error)
                log.warning("%s: %s", self._topic, error.str())
                continue
            if message.value() is None:
                continue
            try:
                self._put(self._codec.decode_as(Station, message.value()))
                count += 1
            except UndecodableRecord as problem:
                log.error("%s/%s@%s is passed over: %s", self._topic, message.partition(), message.offset(), problem)
        return count

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()
