"""The sink's consumer: reads the topics, hands batches to the threads that put them in, and commits behind them.

At-least-once: an offset is committed once ClickHouse, and Kafka for dead letters, have confirmed all before it. What is
read twice changes no answer of the tables.
"""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.delivery.outbox import outbox_producer
from connectors.errors import KafkaRefused
from connectors.kafka_faults import check, is_fatal, is_refusal, settings_checked
from connectors.leaving import leave
from connectors.outage import Outage
from connectors.warehouse.sink.batch import Batch
from connectors.warehouse.sink.commits import Commits
from connectors.warehouse.sink.forms import Forms
from connectors.warehouse.sink.insertion import Insertion, Inserts
from connectors.warehouse.sink.intake import Intake, partition_of
from connectors.warehouse.sink.lane import Lane
from connectors.warehouse.sink.letters import Letters
from connectors.warehouse.sink.metrics import Metrics
from connectors.warehouse.sink.settings import SinkSettings
from connectors.warehouse.sink.sources import SOURCES
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.kafka_log import kafka_log
from schemas.registry import load_schemas

log = logging.getLogger(__name__)

#: What is logged once partitions are ours, and ClickHouse has the tables.
READY = "the sink takes records"

#: What is read at once, and for how long a read may wait.
_READ = 10_000
_READ_S = 0.1

_COMMIT_EVERY_S = 1.0
_TELL_EVERY_S = 1.0

#: Inserts at once: while one is waited for, records of other partitions are read, checked and sent.
INSERTS_MAX = 4

#: When told to end, what was read may take so long to go in; what does not is read again after the next start.
_DRAIN_S = 20.0
_LEAVE_S = 5.0
_WAIT_S = 0.02

#: While no broker answers, one is asked this often, and waited for so long.
_PROBE_EVERY_S = 2.0
_PROBE_S = 0.5

#: What is fetched ahead: of each partition, which loses it when it is paused, and of all.
_FETCH_AHEAD = 20_000
_FETCH_AHEAD_KB = 65_536


class Sink:
    """One process's share. `run` blocks until `stop`, which, like `ready` and `metrics`, is for any thread."""

    def __init__(self, settings: SinkSettings, warehouse: Inserts, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        cluster = settings.cluster
        codec, schemas = codec_for(cluster.schema_registry_url), load_schemas()
        sources = {cluster.topic(source.topic): (source, Forms(source.record, codec, schemas)) for source in SOURCES}
        self._declared = {name: source.topic for name, (source, _) in sources.items()}
        self._intake = Intake(lambda place: Lane(place, *sources[place[0]], settings.cuts), settings.room)
        self._commits = Commits()
        self.metrics = Metrics()
        letters = Letters(cluster, codec, outbox_producer(cluster), wall_ms)
        self._insertion = Insertion(warehouse, letters, self.metrics)
        self._pool = ThreadPoolExecutor(INSERTS_MAX, "sink")
        self._going_in: dict[Future[bool], Batch] = {}
        self._failure: BaseException | None = None
        self._stopping = threading.Event()
        self._opening: Future[bool] | None = None
        self._given_up = threading.Event()
        self._assigned_once = False
        self._told_ready = False
        self._commit_at = self._tell_at = clock()
        self._outage = Outage("Kafka", log, clock)
        self._probe_at = 0.0
        callbacks = {"on_commit": self._commits.answered, "error_cb": self._heard_of, "logger": kafka_log(__name__)}
        with settings_checked():
            self._consumer = Consumer({**_consumer_config(cluster, settings.group), **callbacks})

    @property
    def ready(self) -> bool:
        """Whether records are taken: partitions were given to us, ClickHouse has the tables, and is not waited for."""
        return self._assigned_once and self._is_open and not self._insertion.is_waiting and not self._stopping.is_set()

    @property
    def _is_open(self) -> bool:
        """Whether ClickHouse was asked for the tables, and has them."""
        opening = self._opening
        return opening is not None and opening.done() and opening.exception() is None and opening.result()

    def stop(self) -> None:
        """Ends `run` once what was read is in its tables, or cannot be for 20 s."""
        self._stopping.set()

    def run(self) -> None:
        """Works until `stop`. Raises KafkaRefused and WarehouseRefused: what does not pass by itself."""
        tables = [source.table for source in SOURCES]
        self._opening = self._pool.submit(self._insertion.require_tables, tables, self._given_up)
        self._consumer.subscribe(
            list(self._declared), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        try:
            while not self._stopping.is_set():
                self._read(_READ, _READ_S)
                self._turn()
            self._drain()
        finally:
            self._leave()

    def _read(self, most: int, timeout_s: float) -> None:
        records: list[Message] = []
        for message in self._consumer.consume(most, timeout_s):
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._intake.put(records, self._clock())
                records = []
                self._intake.reached(partition_of(message), message.offset() or 0)
            else:
                check(error, "another sink has taken this one's place")
        self._intake.put(records, self._clock())

    def _turn(self) -> None:
        """One round: what may go in goes, what is in is noted, and from time to time committed."""
        now = self._clock()
        for batch in self._intake.next_batches(now):
            self._going_in[self._pool.submit(self._insertion.put_in, batch)] = batch
        self._settle()
        failure = self._failure or self._commits.refusal
        if failure is not None:
            raise failure
        if not self._told_ready and self.ready:
            self._told_ready = True
            log.info(READY)
        if self._outage.is_on and now >= self._probe_at:
            self._look_for_brokers(now)
        full, roomy = self._intake.to_pause(), self._intake.to_resume()
        if full:
            self._consumer.pause([TopicPartition(*place) for place in full])
        if roomy:
            self._consumer.resume([TopicPartition(*place) for place in roomy])
        if now - self._commit_at >= _COMMIT_EVERY_S:
            self._commit_at = now
            self._commits.commit(self._consumer, self._intake.committable())
        if now - self._tell_at >= _TELL_EVERY_S:
            self._tell_at = now
            self._tell(now)

    def _heard_of(self, error: KafkaError) -> None:
        """What is of no one partition. Runs inside a poll."""
        if is_refusal(error) or is_fatal(error):
            self._failure = KafkaRefused(f"Kafka: {error.str()}")
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._outage.began("no broker answers")

    def _look_for_brokers(self, now: float) -> None:
        """Only what is asked for tells that brokers answer again: where nothing new comes, nobody would notice."""
        self._probe_at = now + _PROBE_EVERY_S
        with contextlib.suppress(KafkaException):
            self._consumer.list_topics(next(iter(self._declared)), timeout=_PROBE_S)
            self._outage.over()

    def _settle(self) -> None:
        """Hears of the tables, and of batches that are in."""
        if self._opening is not None and self._opening.done():
            self._failure = self._failure or self._opening.exception()
        for future in [future for future in self._going_in if future.done()]:
            batch = self._going_in.pop(future)
            failure = future.exception()
            if failure is not None:
                self._failure = failure
            elif future.result():
                self._intake.done(batch)

    def _tell(self, now: float) -> None:
        lags: Counter[str] = Counter(dict.fromkeys(self._declared.values(), 0))
        for place, lane in self._intake.lanes.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
            lags[self._declared[place[0]]] += lane.behind(end)
        for topic, lag in lags.items():
            self.metrics.lag.labels(topic).set(lag)
        oldest_at = self._intake.oldest_at
        self.metrics.waits.set(0 if oldest_at is None else now - oldest_at)
        self.metrics.held.set(self._intake.held)
        self.metrics.partitions.set(len(self._intake.lanes))

    def _drain(self) -> None:
        """Nothing more is read; what was read goes in, if ClickHouse takes it in time."""
        self._consumer.pause(self._consumer.assignment())
        self._intake.finish()
        deadline = self._clock() + _DRAIN_S
        while not self._intake.is_empty and self._clock() < deadline:
            self._consumer.poll(_WAIT_S)
            self._turn()
        if not self._intake.is_empty:
            log.warning("ClickHouse does not take what was read: it is read again after the next start")

    def _leave(self) -> None:
        """Commits what is in and leaves the group; waits for a cluster that is away, but not for ever."""
        deadline = self._clock() + _LEAVE_S
        while not self._commits.is_settled(self._intake.committable()) and self._clock() < deadline:
            self._commits.commit(self._consumer, self._intake.committable())
            self._consumer.poll(_WAIT_S)
        self._intake.revoke(list(self._intake.lanes))
        self._given_up.set()
        leave(self._consumer)
        self._pool.shutdown(cancel_futures=True)

    # Partitions change hands. These run inside a poll, through which no exception passes in good order.

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._intake.assign((p.topic, p.partition) for p in partitions)
        self._assigned_once = True
        log.info("the group gives it %d partitions", len(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What is in is committed; what is not is the next owner's to put in."""
        self._settle()
        self._commits.hand_over(consumer, self._intake.committable(), {(p.topic, p.partition) for p in partitions})
        self._lost(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group has gone on without this process: nothing can be committed any more."""
        places = [(p.topic, p.partition) for p in partitions]
        consumer.resume(partitions)  # one that is paused would still be so when it comes back, and nobody would know
        self._intake.revoke(places)
        self._commits.forget(places)


def _consumer_config(cluster: KafkaCluster, group: str) -> dict[str, str | int | float | bool]:
    return cluster.consumer_config(
        group_id=group,
        auto_offset_reset="earliest",
        enable_partition_eof=True,
        isolation_level="read_committed",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        fetch_wait_max_ms=100,
        queued_min_messages=_FETCH_AHEAD,
        queued_max_messages_kbytes=_FETCH_AHEAD_KB,
    )
