"""How far the sink is with a topic: what it has committed is in the warehouse's table.

Of orders it must have all that lies on `charge-orders` at a moment after orders of the day before are made. Their times
could not tell: within a partition these go back, so that an order of before midnight may lie behind one of after it.
"""

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka_faults import settings_checked
from schemas.cluster import KafkaCluster
from schemas.compacted import partitions_of
from schemas.kafka_log import kafka_log
from schemas.watermarks import watermarks

ORDERS = "charge-orders"

#: What an audit compares.
AUDITED = (ORDERS, "charger-telemetry", "delivery-attempts")

_ANSWER_S = 10.0


class SinkProgress:
    """Of the sinks' group. Raises KafkaException while the cluster is away. To be closed."""

    def __init__(self, cluster: KafkaCluster, group: str, topic: str = ORDERS) -> None:
        self._topic = cluster.topic(topic)
        with settings_checked():
            self._consumer = Consumer({**cluster.consumer_config(group_id=group), "logger": kafka_log(__name__)})
        self._ends: dict[int, int] = {}
        self._begins: dict[int, int] = {}

    def mark(self) -> None:
        """What lies on the topic now is what the sink must have."""
        numbers = partitions_of(self._consumer, self._topic, _ANSWER_S)
        found = {number: watermarks(self._consumer, self._topic, number) for number in numbers}
        self._begins = {number: low for number, (low, _) in found.items()}
        self._ends = {number: high for number, (_, high) in found.items()}

    def behind(self) -> int:
        """How many records of before the mark are not in the table yet; marks of transactions count as records."""
        places = [TopicPartition(self._topic, number) for number in self._ends]
        committed = {place.partition: place.offset for place in self._consumer.committed(places, timeout=_ANSWER_S)}
        # What its partition no longer holds is not waited for: it will never come.
        return sum(max(0, end - max(committed[n], self._begins[n])) for n, end in self._ends.items())

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()
