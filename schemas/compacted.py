"""Reading a topic to its end: how a service gets back what it, or another, has written there."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log
from schemas.watermarks import watermarks

_BATCH = 10_000
_STALLED_AFTER_S = 60.0


class ReadStalled(Exception):
    """A compacted topic could not be read to its end: the broker gave nothing for a minute."""


def partitions_of(consumer: Consumer, topic: str, timeout_s: float = 10.0) -> list[int]:
    """The topic's partitions. Raises KafkaException when it does not exist."""
    metadata = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
    if metadata.error is not None:
        raise KafkaException(metadata.error)
    return sorted(metadata.partitions)


def read_to_end(
    cluster: KafkaCluster,
    topic: str,
    partitions: Iterable[int] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    begin_at: Mapping[int, int] | None = None,
    past_open: bool = False,
) -> Iterator[list[Message]]:
    """Batches of all records that the partitions hold at the time of the call.

    `topic` is the name on the cluster. `begin_at` gives partitions of which only the records from an offset on are
    wanted. `past_open` waits for transactions that are open, behind which records that count may lie: without it the
    end is where the first of them begins. `on_progress(read, total)` is told how far it is, in offsets. Raises
    KafkaException when the topic is missing, and ReadStalled when nothing arrives for 60 s.
    """
    consumer = Consumer(
        cluster.consumer_config(
            group_id="evcs-reader",
            auto_offset_reset="earliest",
            enable_partition_eof=True,
        )
        | {"logger": kafka_log(__name__)}
    )
    asking = consumer
    try:
        if past_open:
            config = cluster.consumer_config(group_id="evcs-reader", isolation_level="read_uncommitted")
            asking = Consumer({**config, "logger": kafka_log(__name__)})
        wanted = list(partitions) if partitions is not None else partitions_of(consumer, topic)
        ends: dict[int, int] = {}
        starts: dict[int, int] = {}
        for partition in wanted:
            low, high = watermarks(asking, topic, partition)
            low = max(low, (begin_at or {}).get(partition, low))
            if high > low:
                starts[partition], ends[partition] = low, high
        consumer.assign([TopicPartition(topic, p, starts[p]) for p in ends])
        total = sum(ends[p] - starts[p] for p in ends)
        left = set(ends)
        last_heard = time.monotonic()
        while left:
            first = consumer.poll(0.5)  # consume() alone would wait for a full batch
            batch = [] if first is None else [first, *consumer.consume(_BATCH, timeout=0)]
            records: list[Message] = []
            for message in batch:
                error = message.error()
                if error is None:
                    records.append(message)
                    arrived_in, offset = message.partition(), message.offset()
                    if arrived_in is not None and offset is not None and offset + 1 >= ends[arrived_in]:
                        left.discard(arrived_in)
                elif error.code() == KafkaError._PARTITION_EOF:
                    # Under load the end that a fetch knows may lag behind the one that was asked for.
                    if (message.offset() or 0) >= ends[message.partition() or 0]:
                        left.discard(message.partition() or 0)
                elif not error.retriable():
                    raise KafkaException(error)
            if batch:
                last_heard = time.monotonic()
            elif time.monotonic() - last_heard > _STALLED_AFTER_S:
                raise ReadStalled(f"{topic}: nothing came for {_STALLED_AFTER_S:.0f} s, {len(left)} partitions left")
            if records:
                yield records
            if on_progress is not None:
                done = sum(
                    max(0, (p.offset if p.offset >= 0 else starts[p.partition]) - starts[p.partition])
                    for p in consumer.position([TopicPartition(topic, p) for p in ends])
                )
                on_progress(min(done, total), total)
    finally:
        if asking is not consumer:
            asking.close()
        consumer.close()
