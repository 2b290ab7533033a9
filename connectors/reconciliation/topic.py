"""`order-checks`: where what a night fixes, and how that ended, is kept; and how it is read from there."""

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from connectors.errors import UnreadableBook
from connectors.kafka_faults import settings_checked
from connectors.reconciliation.book import Book
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.compacted import partitions_of, read_to_end
from schemas.errors import UndecodableRecord
from schemas.kafka_log import kafka_log
from schemas.records.order_checks import OrderCheckEnded, OrderCheckPlanned
from schemas.watermarks import watermarks

TOPIC = "order-checks"

_OFFSETS_S = 10.0


def read_book(cluster: KafkaCluster, codec: Codec, platform: str, since_ms: int) -> Book:
    """What the topic holds of a platform from a time on (UTC ms), up to now and without what was aborted.

    Raises KafkaException, ReadStalled and UnreadableBook.
    """
    book = Book(platform, codec)
    name = cluster.topic(TOPIC)
    begin_at = _begin_at(cluster, name, since_ms)
    for batch in read_to_end(cluster, name, begin_at, begin_at=begin_at, past_open=True):
        for message in batch:
            if message.key() == platform.encode():
                _take(book, codec, message)
    return book


def _take(book: Book, codec: Codec, message: Message) -> None:
    value, place = message.value() or b"", (message.partition() or 0, message.offset() or 0)
    try:
        record = codec.decode(value)
    except UndecodableRecord as error:
        partition, offset = place
        raise UnreadableBook(
            f"{TOPIC}/{partition}@{offset} can't be read, maybe a newer version wrote it: {error}"
        ) from error
    if isinstance(record, OrderCheckPlanned):
        book.planned(record, value, place, message.timestamp()[1])
    elif isinstance(record, OrderCheckEnded):
        book.ended(record)


def _begin_at(cluster: KafkaCluster, topic: str, since_ms: int) -> dict[int, int]:
    """Where to begin in each partition: with the first record of that time or later, else at the end."""
    with settings_checked():
        consumer = Consumer({**cluster.consumer_config(group_id="evcs-reader"), "logger": kafka_log(__name__)})
    try:
        numbers = partitions_of(consumer, topic, _OFFSETS_S)
        found = _offsets(consumer, topic, numbers, since_ms)
        return {n: at if at >= 0 else watermarks(consumer, topic, n)[1] for n, at in found.items()}
    finally:
        consumer.close()


def _offsets(consumer: Consumer, topic: str, numbers: Sequence[int], since_ms: int) -> dict[int, int]:
    asked = [TopicPartition(topic, number, since_ms) for number in numbers]
    answered = consumer.offsets_for_times(asked, timeout=_OFFSETS_S)
    for place in answered:
        if place.error is not None:
            raise KafkaException(place.error)
    return {place.partition: place.offset for place in answered}
