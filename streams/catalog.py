"""Keeps the worker's view of the station catalog: all of it at the start, changes as they come."""

import asyncio
import logging
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.compacted import partitions_of
from schemas.errors import UndecodableRecord
from schemas.records.station import Station
from schemas.watermarks import watermarks

log = logging.getLogger(__name__)

TOPIC = "station-catalog"


class CatalogReader:
    """Reads `station-catalog` from its beginning; every worker reads all partitions."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, put: Callable[[Station], None]) -> None:
        self._codec = codec
        self._put = put
        self.loaded = False
        self._topic = cluster.topic(TOPIC)
        self._consumer = Consumer(cluster.consumer_config(group_id="evcs-catalog-reader", auto_offset_reset="earliest"))

    def load(self) -> int:
        """Reads what is there now; returns the number of records. Blocks. Raises KafkaException."""
        ends: dict[int, int] = {}
        for number in partitions_of(self._consumer, self._topic):
            _, high = watermarks(self._consumer, self._topic, number)
            ends[number] = high
        self._consumer.assign([TopicPartition(self._topic, n, 0) for n in ends])
        count = 0
        idle = 0
        while idle < 50:
            batch = self._consumer.consume(1000, timeout=0.1)
            count += self._take(batch)
            positions = self._consumer.position([TopicPartition(self._topic, n) for n in ends])
            if all(p.offset >= ends[p.partition] or ends[p.partition] == 0 for p in positions):
                break
            idle = 0 if batch else idle + 1
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
