"""Where a partition begins and ends, asked of its leader, also while the cluster is still finding one."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

#: How long a partition may be without a leader: a broker's restart, or its partitions' move to another one, s.
PATIENCE_S = 30.0

_ANSWER_S = 10.0
_ASKS_AGAIN_AFTER_S = 0.1

_PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._ALL_BROKERS_DOWN,
    }
)


def watermarks(consumer: Consumer, topic: str, partition: int, patience_s: float = PATIENCE_S) -> tuple[int, int]:
    """The partition's first offset and the one behind its last; `topic` is the name on the cluster.

    Asks again while it has no leader. Raises KafkaException for a topic that does not exist, and when the
    patience is over.
    """
    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            found: tuple[int, int] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_S)
            return found
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > give_up_at:
                raise
            time.sleep(_ASKS_AGAIN_AFTER_S)
