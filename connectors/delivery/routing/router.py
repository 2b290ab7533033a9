"""The router: derived topics in, each record onto the lanes of the platforms that supervise its station, exactly once.

Reads, merges by time, and writes in transactions that hold the offsets of what they wrote. Which platforms those
are is `routes`' decision, in which order `merge`'s.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import replace

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.delivery.kafka_faults import check
from connectors.delivery.routing.catalog import StationFollower
from connectors.delivery.routing.merge import Held, Merge, Partition
from connectors.delivery.routing.routes import Routes
from connectors.delivery.routing.scope import asks_catalog
from connectors.delivery.routing.settings import RouterSettings
from connectors.delivery.routing.sorting import Routed, Sorting
from connectors.delivery.topics import LANES, SOURCES, dead_letter_topic, lane_topic
from connectors.delivery.transactions import Transactions, Unsettled
from connectors.errors import MisconfiguredDelivery
from schemas.clock import wall_ms
from schemas.codec import codec_for
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

#: What the router logs once it takes records.
READY = "the router takes records"

_POLL_S = 0.01
_READ_AT_ONCE = 1_000

#: The merge's clock runs no faster than the router reads: a stall of ours is no silence of a partition.
_TICK_MAX_S = 0.025

#: A router that is told to end finishes its transaction within this, if the cluster lets it.
_LEAVE_S = 5.0

#: What one fetch takes of a partition. A partition that is paused loses what was fetched ahead, so little is.
_FETCH_BYTES = 262_144
_FETCH_AHEAD = 2_000

#: One that has fetched enough ahead is asked again after this; librdkafka's own second would be a silence.
_FETCH_BACKOFF_MS = 10

_OUR_PLACE = "another router has this EVCS_DELIVERY_INSTANCE: give each its own"


class Router:
    """One router. `run` blocks until `stop`, which may be called from another thread or a signal handler."""

    def __init__(self, settings: RouterSettings) -> None:
        self._settings = settings
        self._cluster = settings.cluster
        self._codec = codec_for(settings.cluster.schema_registry_url)
        routes = Routes(settings.platforms)
        self._names = {settings.cluster.topic(name): name for name in SOURCES}
        self._sorting = Sorting(routes, self._codec, self._names, wall_ms)
        self._merge: Merge[Routed] = Merge(settings.window_s, settings.silence_s)
        self._stopping = threading.Event()
        self._stop_at = 0.0
        self._failure: BaseException | None = None
        self._written: list[Held[Routed]] = []
        self._first_written_at = 0.0
        self._clock = 0.0
        self._ticked_at = time.monotonic()
        self._transactions = Transactions(settings.cluster, settings.transactional_id, _OUR_PLACE, self._give_up)
        try:
            self._consumer = Consumer({**self._config(), "logger": log})
        except KafkaException as error:
            raise MisconfiguredDelivery(f"EVCS_KAFKA_*: {error.args[0].str()}") from error
        self._stations: StationFollower | None = None
        if asks_catalog(platform.scope for platform in settings.platforms):
            group = f"{settings.group}-catalog"
            self._stations = StationFollower(settings.cluster, self._codec, routes.station_is, group)

    def _config(self) -> dict[str, str | int | float | bool]:
        return self._cluster.client_config(
            group_id=self._settings.group,
            # A router that was killed takes its partitions back at once, and a second one of its name ends it.
            group_instance_id=self._settings.instance,
            # The same partition of every topic lies with the same router.
            partition_assignment_strategy="range",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            enable_partition_eof=True,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_500,
            fetch_wait_max_ms=20,
            max_partition_fetch_bytes=_FETCH_BYTES,
            queued_min_messages=_FETCH_AHEAD,
            fetch_queue_backoff_ms=_FETCH_BACKOFF_MS,
        )

    def stop(self) -> None:
        """Ends `run` after the transaction at hand, within seconds."""
        self._stop_at = time.monotonic()
        self._stopping.set()

    def _give_up(self) -> bool:
        return self._stopping.is_set() and time.monotonic() - self._stop_at > _LEAVE_S

    def run(self) -> None:
        """Routes until `stop`. Raises KafkaRefused for faults that do not pass by themselves."""
        try:
            self._begin()
            while not self._stopping.is_set():
                self._turn()
            self._finish()
        except Unsettled:
            log.warning("the cluster does not answer: what is not committed is routed again after the next start")
            self._written.clear()
        finally:
            self._consumer.close()
            if self._stations is not None:
                self._stations.close()

    def _begin(self) -> None:
        self._transactions.start()
        self._require_topics()
        if self._stations is not None:
            self._stations.load(self._stopping.is_set)
        self._consumer.subscribe(
            list(self._names), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def _require_topics(self) -> None:
        lanes = (lane_topic(platform.name, lane) for platform in self._settings.platforms for lane in LANES)
        needed = {self._cluster.topic(name) for name in (*SOURCES, *map(dead_letter_topic, SOURCES), *lanes)}
        missing = sorted(needed - self._transactions.topics())
        if missing:
            raise MisconfiguredDelivery(f"no topic {', '.join(missing)}: run `evcs topics create`")

    def _turn(self) -> None:
        """One round: read, write what has its turn, and end the transaction when it is time."""
        if self._stations is not None:
            self._stations.follow()
        self._read()
        if self._failure is not None:
            raise self._failure
        for held in self._merge.take(self._clock, self._settings.batch - len(self._written)):
            self._write(held)
        self._transactions.tend()
        if self._written and self._is_due():
            self._finish()

    def _is_due(self) -> bool:
        full = max(self._transactions.count, len(self._written)) >= self._settings.batch
        return full or time.monotonic() - self._first_written_at >= self._settings.commit_every_s

    def _read(self) -> None:
        first = self._consumer.poll(_POLL_S)
        messages = [] if first is None else [first, *self._consumer.consume(_READ_AT_ONCE, timeout=0)]
        now = time.monotonic()
        self._clock += min(now - self._ticked_at, _TICK_MAX_S)
        self._ticked_at = now
        for message in messages:
            self._take(message)
        full = self._merge.to_pause()
        if full:
            self._consumer.pause([TopicPartition(*partition) for partition in full])
        roomy = self._merge.to_resume()
        if roomy:
            self._consumer.resume([TopicPartition(*partition) for partition in roomy])

    def _take(self, message: Message) -> None:
        partition, error = _partition(message), message.error()
        if error is None:
            place, routed = self._sorting.sort(message)
            self._merge.put(Held(partition, message.offset() or 0, place, self._clock, routed))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._merge.ended(partition)
        else:
            check(error, _OUR_PLACE)

    def _write(self, held: Held[Routed]) -> None:
        if not self._written:
            self._first_written_at = time.monotonic()
        self._written.append(held)
        routed = held.item
        for topic in routed.topics:
            if not self._transactions.put(self._cluster.topic(topic), routed.key, routed.value, routed.timestamp):
                self._bury(self._sorting.too_large(held.partition, held.offset, routed))
                break
        if routed.letter is not None:
            self._bury(routed.letter)

    def _bury(self, letter: DeadLetter) -> None:
        topic = self._cluster.topic(dead_letter_topic(letter.topic))
        if not self._transactions.put(topic, letter.key, self._codec.encode(letter)):
            size = len(letter.value or b"")
            letter = replace(letter, value=None, detail=f"{letter.detail} (its {size} bytes are too many to keep)")
            self._transactions.put(topic, letter.key, self._codec.encode(letter))

    def _finish(self) -> None:
        """Ends the transaction; what it wrote in vain is written again."""
        if not self._written:
            return
        ends = {held.partition: held.offset + 1 for held in self._written}
        offsets = [TopicPartition(*partition, offset) for partition, offset in ends.items()]
        if not self._transactions.commit(offsets, self._consumer.consumer_group_metadata()):
            committed = self._committed(ends)
            self._merge.put_back(held for held in self._written if held.offset >= committed[held.partition])
        self._written.clear()

    def _committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """What counts, whatever became of an answer that was lost; below 0 where nothing does."""
        asked = [TopicPartition(*partition) for partition in partitions]
        while True:
            try:
                return {(tp.topic, tp.partition): tp.offset for tp in self._consumer.committed(asked, timeout=1.0)}
            except KafkaException as error:
                check(error.args[0], _OUR_PLACE)
                if self._give_up():
                    raise Unsettled from error

    # Partitions change hands. These run inside a poll, through which no exception passes in good order.

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._merge.assign([(p.topic, p.partition) for p in partitions], self._clock)
        log.info("%s of %d partitions", READY, len(partitions))

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What is written is committed; what waits is the next owner's."""
        try:
            self._finish()
        except Exception as failure:
            self._failure = failure
        self._let_go(partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group has gone on without us: nothing can be committed any more."""
        try:
            self._transactions.abort()
        except Exception as failure:
            self._failure = failure
        self._let_go(partitions)

    def _let_go(self, partitions: list[TopicPartition]) -> None:
        self._written.clear()
        self._merge.revoke([(p.topic, p.partition) for p in partitions])


def _partition(message: Message) -> Partition:
    return message.topic() or "", message.partition() or 0
