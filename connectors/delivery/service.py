"""Delivery to one platform: its two lanes' topics in, confirmed pushes out, offsets committed behind them.

What is held back waits on Kafka: of orders little is read ahead, of states only the newest of each connector is kept.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from connectors.delivery.backlog import Job
from connectors.delivery.breaker import BreakerState
from connectors.delivery.lag import Lag
from connectors.delivery.lanes import Lanes
from connectors.delivery.letter import letter_of
from connectors.delivery.outbox import Batch, Outbox
from connectors.delivery.parcel import FRESH, Parcel, parcel
from connectors.delivery.places import require_place
from connectors.delivery.push import ANSWER_MAX_BYTES, Caller
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.tally import Tally
from connectors.delivery.tokens import TokenKeeper
from connectors.delivery.topics import LANES, Lane, lane_topic
from connectors.delivery.transport import HttpTransport
from connectors.errors import KafkaRefused, MisconfiguredService
from connectors.interfaces.registry import Interface
from connectors.kafka_faults import check, commit_refusal
from connectors.leaving import leave
from schemas.clock import wall_ms
from schemas.codec import RECORD_TYPES, codec_for
from schemas.errors import UndecodableRecord
from schemas.kafka_log import kafka_log
from schemas.offsets import ContiguousOffsets
from schemas.records.delivery import LaneStatus
from schemas.records.derived import Derived, StatusChange

log = logging.getLogger(__name__)

#: A record as it was read, and the books of its partition at that time.
Taken = tuple[Message, ContiguousOffsets]

#: Records of one poll, so many more than allowed may be held.
BATCH = 500
_POLL_S = 0.02
_COMMIT_EVERY_S = 0.3
_STATUS_EVERY_S = 5.0
_TELL_EVERY_S = 1.0
_DRAIN_S = 10.0
_LEAVE_S = 5.0


class _NotPushed(UndecodableRecord):
    """A record was handed on to an interface that the profile does not push it to any more."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, reason="interface_off")


class Delivery:
    """One platform's delivery. `producer` is shared by all of a process; `transport` may be given by tests, otherwise
    one is made from the profile. `now_ms` is the broker's clock in UTC ms. `tally` is that of the platform's delivery
    before this one, which goes on. What `parts.Delivering` says is for any thread."""

    def __init__(
        self,
        settings: DeliverySettings,
        producer: Producer,
        transport: httpx.AsyncBaseTransport | None = None,
        now_ms: Callable[[], int] = wall_ms,
        monotonic: Callable[[], float] = time.monotonic,
        tally: Tally | None = None,
    ) -> None:
        self.settings = settings
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._codec = codec_for(settings.cluster.schema_registry_url)
        self._outbox = Outbox(settings.cluster, self._codec, producer)
        platform = settings.platform
        self._lane_of: dict[str, Lane] = {
            settings.cluster.topic(lane_topic(platform.name, lane)): lane for lane in LANES
        }
        self._types: dict[Lane, tuple[type, ...]] = {
            lane: tuple(RECORD_TYPES[record] for record in records) for lane, records in LANES.items()
        }
        calls = platform.limits.orders_in_flight + platform.limits.states_in_flight
        self._transport = transport or HttpTransport(platform.timeouts, calls, ANSWER_MAX_BYTES)
        caller = Caller(self._transport, platform, settings.target, settings.credentials, now_ms)
        tokens = TokenKeeper(caller, settings.credentials, monotonic)
        self.lanes = Lanes(platform, caller, tokens, self._outbox, now_ms, monotonic, tally)
        self._held_max: dict[Lane, int] = {"orders": settings.orders_held_max, "states": settings.states_held_max}
        self._paused: dict[Lane, bool] = dict.fromkeys(LANES, False)
        self._books: dict[tuple[str, int], ContiguousOffsets] = {}
        self._committed: dict[tuple[str, int], int] = {}
        self._sealed: list[tuple[Batch, dict[tuple[str, int], int]]] = []
        self._sealed_up_to: dict[tuple[str, int], int] = {}
        self._ready: dict[tuple[str, int], int] = {}
        self._refusal: KafkaRefused | None = None
        self._gone: list[tuple[str, int]] = []
        self._committing = False
        self._stopping = asyncio.Event()
        self._reported = (time.monotonic(), self.lanes.tally.confirmed.total())
        self._given_out = False
        self.lags: dict[Lane, int] = dict.fromkeys(LANES, 0)
        try:
            config = settings.cluster.consumer_config(
                group_id=settings.group,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                session_timeout_ms=6_000,
                heartbeat_interval_ms=1_500,
                enable_partition_eof=True,
                # What is fetched ahead is memory, too: of each partition at most so much.
                queued_min_messages=5_000,
                queued_max_messages_kbytes=4_096,
            )
            self._consumer = Consumer({**config, "on_commit": self._commit_answered, "logger": kafka_log(__name__)})
        except KafkaException as error:
            raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error
        self._lag = Lag(self._consumer)

    @property
    def partitions(self) -> int:
        """How many partitions are this process's to deliver."""
        return len(self._books)

    @property
    def ready(self) -> bool:
        """Whether the group has given this process its partitions, and it is neither failing nor ending."""
        return self._given_out and not self._stopping.is_set()

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self.lanes.in_flight

    @property
    def held(self) -> dict[Lane, int]:
        """Records in memory."""
        return {lane: backlog.held for lane, backlog in self.lanes.backlogs.items()}

    @property
    def breaker_state(self) -> BreakerState:
        """Whether calls go out."""
        return self.lanes.breaker.state

    @property
    def committed(self) -> int:
        """The sum of the committed offsets: all records that were ever finished on these partitions."""
        return sum(self._committed.values())

    def stop(self) -> None:
        """Ends `run` after what is in flight, within seconds."""
        self._stopping.set()

    async def run(self) -> None:
        """Delivers until `stop`. Raises PlaceLost, KafkaRefused for faults that do not pass by themselves, and whatever
        a lane met that neither a platform nor a network can do."""
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1, thread_name_prefix=f"delivery-{self.settings.platform.name}")
        last_commit = last_status = last_told = time.monotonic()
        try:
            await loop.run_in_executor(pool, self._require_place)
            self._consumer.subscribe(
                list(self._lane_of), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
            while not self._stopping.is_set():
                failure = self.lanes.failure or self._refusal
                if failure is not None:
                    raise failure
                taken = await loop.run_in_executor(pool, self._poll)
                # First what changed hands: one poll may revoke a partition, assign it again, and bring its records.
                while self._gone:
                    place = self._gone.pop()
                    self.lanes.backlogs[self._lane_of[place[0]]].drop(place)
                for message, books in taken:
                    self._take(message, books)
                now = time.monotonic()
                if now - last_commit > _COMMIT_EVERY_S:
                    last_commit = now
                    self._seal()
                self._settle()
                if self._ready and not self._committing:
                    await loop.run_in_executor(pool, self._begin_commit)
                if now - last_status > _STATUS_EVERY_S:
                    last_status = now
                    self._report(now)
                    paused = {
                        place: books for place, books in self._books.items() if self._paused[self._lane_of[place[0]]]
                    }
                    if paused:
                        await loop.run_in_executor(pool, self._lag.ask, paused)
                if now - last_told > _TELL_EVERY_S:
                    last_told = now
                    self._tell_lags()
        finally:
            self._given_out = False
            await self.lanes.drain(_DRAIN_S)
            self._report(time.monotonic())
            await self._leave(pool)
            pool.shutdown()
            await self._transport.aclose()
        if self.lanes.failure is not None:
            raise self.lanes.failure

    def _require_place(self) -> None:
        require_place(
            self._consumer,
            self._lane_of,
            self.settings.group,
            self.settings.platform.name,
            self._stopping.is_set,
        )

    def _poll(self) -> list[Taken]:
        """Runs in the consumer's thread."""
        for lane in LANES:
            self._pause(lane, self.lanes.backlogs[lane].held >= self._held_max[lane])
        first = self._consumer.poll(_POLL_S)
        if first is None:
            return []
        # One after the other, since the partitions may change hands between the two.
        taken = self._handed_out([first])
        return taken + self._handed_out(self._consumer.consume(BATCH, timeout=0))

    def _pause(self, lane: Lane, paused: bool) -> None:
        """Tells the client only of changes: each costs it what it has fetched."""
        if paused == self._paused[lane]:
            return
        self._paused[lane] = paused
        mine = [TopicPartition(*place) for place in self._books if self._lane_of[place[0]] == lane]
        if paused:
            self._consumer.pause(mine)
        else:
            self._consumer.resume(mine)

    def _handed_out(self, messages: list[Message]) -> list[Taken]:
        good: list[Taken] = []
        for message in messages:
            error = message.error()
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                books = self._books.get(_partition(message))
                if books is not None:  # else the partition changed hands while it was fetched
                    good.append((message, books))
            else:
                check(error, "another delivery has taken this one's place")
        return good

    def _take(self, message: Message, books: ContiguousOffsets) -> None:
        """Queues a record, or buries what is none; an end was reached behind what may be marks of transactions."""
        topic, partition = _partition(message)
        if self._books.get((topic, partition)) is not books:
            return
        offset = message.offset() or 0
        if message.error() is not None:
            books.reached(offset)
            return
        books.handed_out(offset)
        lane = self._lane_of[topic]
        value = message.value() or b""
        try:
            record = self._decoded(lane, value)
            onwards = parcel(message.headers())
            remaining = self._interfaces(record, onwards)
        except UndecodableRecord as error:
            self._bury(message, lane, error)
            books.done(offset)
            return
        if not remaining:
            if onwards.interface:
                self._bury(
                    message, lane, _NotPushed(f"it was owed to {onwards.interface}, which this platform has not on")
                )
            books.done(offset)
            return
        key = record.connector_id if isinstance(record, StatusChange) else record.start_charge_seq
        self.lanes.put(
            lane,
            Job(
                record=record,
                key=key,
                value=value,
                recorded_at=message.timestamp()[1],
                place=(topic, partition, offset),
                parcel=onwards,
                remaining=remaining,
                done=lambda: books.done(offset),
            ),
        )

    def _decoded(self, lane: Lane, value: bytes) -> Derived:
        record: Derived = self._codec.decode(value)
        if type(record) not in self._types[lane]:
            raise UndecodableRecord(
                f"a {type(record).__name__} does not belong on the lane of {lane}", reason="unexpected_record_type"
            )
        return record

    def _interfaces(self, record: Derived, onwards: Parcel) -> tuple[Interface, ...]:
        every = self.settings.platform.pushes(record)
        if not onwards.interface:
            return every
        return tuple(interface for interface in every if interface.name == onwards.interface)

    def _bury(self, message: Message, lane: Lane, error: UndecodableRecord) -> None:
        """Its parcel goes with the letter, so that what was owed to one interface is not sent again to others."""
        name = lane_topic(self.settings.platform.name, lane)
        log.error("a record of %s is dead-lettered: %s", name, error)
        letter = letter_of(message, name, error.reason, str(error), self._now_ms())
        self._outbox.dead_letter(letter, replace(_parcel_of(message), due_at=0))

    def _seal(self) -> None:
        """What is finished may be committed once what it caused is safe."""
        finished = {
            place: offset
            for place, books in self._books.items()
            if (offset := books.committable()) not in (None, self._committed.get(place), self._sealed_up_to.get(place))
        }
        if finished:
            self._sealed_up_to.update(finished)
            self._sealed.append((self._outbox.seal(), finished))

    def _settle(self) -> None:
        """Hears of what is safe, in the order in which it was sealed."""
        self._outbox.poll()
        while self._sealed and self._sealed[0][0].safe:
            self._ready.update(self._sealed.pop(0)[1])

    def _begin_commit(self) -> None:
        """Commits without waiting: while the group's coordinator is away an answer takes seconds."""
        offsets = [TopicPartition(*p, o) for p, o in self._ready.items() if p in self._books]
        self._ready = {}
        if offsets:
            self._committing = True
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def _commit_answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll, also for the commits that were waited for. What failed is committed with the next."""
        self._committing = False
        self._refusal = commit_refusal(error, partitions) or self._refusal
        if error is not None:
            self._sealed_up_to.clear()
            log.warning("offsets are not committed, later again: %s", error.str())
            return
        for done in partitions:
            place = done.topic, done.partition
            if done.error is not None:
                self._sealed_up_to.pop(place, None)
            elif place in self._books:
                self._committed[place] = done.offset

    async def _leave(self, pool: ThreadPoolExecutor) -> None:
        """Commits what is confirmed and leaves the group; waits for a cluster that is away, but not for ever."""
        loop = asyncio.get_running_loop()
        self._seal()
        deadline = time.monotonic() + _LEAVE_S
        while (self._sealed or self._ready or self._committing) and time.monotonic() < deadline:
            self._settle()
            await loop.run_in_executor(pool, self._commit_and_wait)
        if self._sealed or self._ready or self._committing:
            log.warning("the cluster does not answer: what is not committed is delivered again after the next start")
        # Closing revokes, and a revocation waits for its commit.
        self._books.clear()
        await loop.run_in_executor(pool, leave, self._consumer)

    def _commit_and_wait(self) -> None:
        self._consumer.pause(self._consumer.assignment())
        if self._ready and not self._committing:
            self._begin_commit()
        self._consumer.poll(_POLL_S)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: each partition begins with empty books, at its committed offset."""
        for mine in partitions:
            self._books[mine.topic, mine.partition] = ContiguousOffsets()
        self._paused = dict.fromkeys(LANES, False)
        self._given_out = True

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: what is safe is committed, what is not is the next owner's to deliver."""
        ready = [TopicPartition(*place, offset) for place, offset in self._ready.items() if place in self._books]
        if ready:
            with contextlib.suppress(KafkaException):
                consumer.commit(offsets=ready, asynchronous=False)
        self._lost(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: the group has gone on without this member, so nothing can be committed any more."""
        self._given_out = False
        for gone in partitions:
            place = (gone.topic, gone.partition)
            if self._books.pop(place, None) is not None:
                self._gone.append(place)
            self._committed.pop(place, None)
            self._ready.pop(place, None)
            self._sealed_up_to.pop(place, None)
            self._lag.forget(place)
        consumer.resume(partitions)  # one that is paused would still be so when it comes back, and nobody would know

    def _tell_lags(self) -> None:
        """Runs between two polls."""
        lags: dict[Lane, int] = dict.fromkeys(LANES, 0)
        for place, books in self._books.items():
            lags[self._lane_of[place[0]]] += self._lag.of(place, self._committed.get(place, books.committable()))
        self.lags = lags

    def _report(self, now: float) -> None:
        """How the platform fares, for `evcs delivery status`."""
        lanes, breaker, tally = self.lanes, self.lanes.breaker, self.lanes.tally
        confirmed = tally.confirmed.total()
        since, before = self._reported
        self._reported = (now, confirmed)
        now_ms = self._now_ms()
        self._outbox.status(
            LaneStatus(
                platform=self.settings.platform.name,
                instance=self.settings.instance,
                reported_at=now_ms,
                breaker=breaker.state.value,
                breaker_since=now_ms - round((self._monotonic() - breaker.since) * 1000),
                reason=breaker.reason,
                pushes_per_s=round((confirmed - before) / max(now - since, 0.001), 1),
                in_flight=lanes.in_flight,
                orders_held=lanes.backlogs["orders"].held,
                states_held=lanes.backlogs["states"].held,
                confirmed=confirmed,
                failed=tally.failures.total(),
                last_error=tally.last_error,
                last_error_at=tally.last_error_at,
            )
        )


def _partition(message: Message) -> tuple[str, int]:
    return message.topic() or "", message.partition() or 0


def _parcel_of(message: Message) -> Parcel:
    try:
        return parcel(message.headers())
    except UndecodableRecord:
        return FRESH
