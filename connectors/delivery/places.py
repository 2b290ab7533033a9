"""Whether a group still knows its place in its topics.

Kafka forgets the place of a group that has had no member for seven days (`offsets.retention.minutes`). Begun again, it
would tell the platforms all that its topics hold once more, orders of up to a year. So it does not begin, and people
say where to go on (`evcs delivery begin`).
"""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.errors import MisconfiguredService
from connectors.kafka_faults import NO_COORDINATOR, check
from schemas.clock import wall_ms
from schemas.compacted import partitions_of
from schemas.watermarks import watermarks

#: Kafka's default. A group that has committed nothing and has older records before it was hardly just made.
FORGOTTEN_AFTER_MS = 7 * 24 * 3_600_000

_ANSWER_S = 5.0
_ASKS_AGAIN_AFTER_S = 0.2


class PlaceLost(MisconfiguredService):
    """A group has committed nothing in its topics, and they go back further than Kafka remembers groups."""

    def __init__(self, group: str, who: str) -> None:
        super().__init__(
            f"the group {group} has no place in its topics, and they go back further than the seven days after which "
            f"Kafka forgets one: all of that would be told once more. Say where it begins: `evcs delivery begin {who} "
            "--at …`, with the time at which it was stopped, earliest or latest"
        )


def require_place(
    consumer: Consumer, topics: Iterable[str], group: str, who: str, given_up: Callable[[], bool]
) -> None:
    """Raises PlaceLost, and KafkaRefused; `topics` are names on the cluster, `who` is what `evcs delivery begin` calls
    the group. A cluster that does not answer is asked again until `given_up`."""
    names = list(topics)
    while not given_up():
        try:
            lost = not has_place(consumer, names) and _go_back(consumer, names, wall_ms() - FORGOTTEN_AFTER_MS)
        except KafkaException as error:
            check(error.args[0], "another client has this one's place")
            time.sleep(_ASKS_AGAIN_AFTER_S)
            continue
        if lost:
            raise PlaceLost(group, who)
        return


def has_place(consumer: Consumer, topics: Iterable[str], patience_s: float = 0.0) -> bool:
    """Whether the consumer's group has committed anything in these topics. Raises KafkaException."""
    return any(found.offset >= 0 for found in committed(consumer, _all(consumer, topics), patience_s))


def committed(consumer: Consumer, partitions: list[TopicPartition], patience_s: float) -> list[TopicPartition]:
    """What the consumer's group has committed; asks again, for so long, while it has no coordinator. Raises
    KafkaException."""
    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            return consumer.committed(partitions, timeout=_ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() not in NO_COORDINATOR or time.monotonic() > give_up_at:
                raise
            time.sleep(_ASKS_AGAIN_AFTER_S)


def places_at(consumer: Consumer, topics: Iterable[str], at_ms: int) -> list[TopicPartition]:
    """Of each partition the first record of this time (UTC ms) or later, or its end. Raises KafkaException."""
    asked = _all(consumer, topics)
    if not asked:
        return []  # which librdkafka refuses to ask for
    # Asked for first: what comes in between is found by its time.
    ends = {(each.topic, each.partition): watermarks(consumer, each.topic, each.partition)[1] for each in asked}
    found = consumer.offsets_for_times([TopicPartition(e.topic, e.partition, at_ms) for e in asked], timeout=_ANSWER_S)
    for place in found:
        if place.error is not None:
            raise KafkaException(place.error)
        if place.offset < 0:
            place.offset = ends[place.topic, place.partition]
    return found


def _go_back(consumer: Consumer, topics: Iterable[str], before_ms: int) -> bool:
    places = places_at(consumer, topics, before_ms)
    return any(watermarks(consumer, place.topic, place.partition)[0] < place.offset for place in places)


def _all(consumer: Consumer, topics: Iterable[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in partitions_of(consumer, topic, _ANSWER_S)]
