"""Follows derived topics and dead letters for the scoreboard, and counts what goes into the warehouse."""

import threading

from confluent_kafka import Consumer, Message, TopicPartition

from connectors.warehouse.sink.sources import SOURCES
from infra.demo.scoreboard import Scoreboard
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.telemetry import Telemetry
from schemas.topic import all_topics

DERIVED = (
    "connector-status-changes",
    "charge-progress",
    "charge-start-results",
    "charge-stop-results",
    "charge-orders",
)

_ANOMALIES = "stream-anomalies"

_TABLES = {source.topic: source.table for source in SOURCES}


class Watch:
    """A thread that reads; `stop` ends it. What went wrong is in `failure`.

    `rows` counts what each table of the warehouse is to hold. A record that is its key's last one once more is no row,
    nor is a second sample of one instant.
    """

    def __init__(self, cluster: KafkaCluster, scoreboard: Scoreboard) -> None:
        self._cluster = cluster
        self._scoreboard = scoreboard
        self._codec = codec_for(cluster.schema_registry_url)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._newest: dict[tuple[str, bytes | None], object] = {}
        self.rows = {source.table: 0 for source in SOURCES}
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _run(self) -> None:
        consumer = Consumer(
            self._cluster.consumer_config(
                group_id="evcs-demo-watch",
                auto_offset_reset="earliest",
                fetch_wait_max_ms=50,
            )
        )
        try:
            names = [n for n in all_topics() if n in DERIVED or n in _TABLES or n.endswith("-dlq") or n == _ANOMALIES]
            consumer.assign(
                [
                    TopicPartition(self._cluster.topic(name), number, 0)
                    for name in names
                    for number in range(all_topics()[name].partitions)
                ]
            )
            while not self._stopping.is_set():
                for message in consumer.consume(500, timeout=0.1):
                    if message.error() is None:
                        self._take(message)
        except Exception as error:
            self.failure = error
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        name = (message.topic() or "").removeprefix(self._cluster.topic_prefix)
        record = self._codec.decode(message.value())
        if name in _TABLES:
            row = record.sampled_at if isinstance(record, Telemetry) else message.value()
            if self._newest.get((name, message.key())) != row:
                self._newest[name, message.key()] = row
                self.rows[_TABLES[name]] += 1
        if name in DERIVED:
            self._scoreboard.record(record, message.timestamp()[1])
        elif name == _ANOMALIES or name.endswith("-dlq"):
            self._scoreboard.troubles[f"{'dead letter' if name.endswith('-dlq') else 'anomaly'}: {record.reason}"] += 1
