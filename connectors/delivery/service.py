"""Delivery to one platform: derived topics in, confirmed pushes out, offsets committed behind them."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.delivery.dead_letters import DeadLetters
from connectors.delivery.lanes import Job, Lanes
from connectors.delivery.push import ANSWER_MAX_BYTES, Caller
from connectors.delivery.reorder import Reorder, Waiting
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.tokens import TokenKeeper
from connectors.delivery.transport import AiohttpTransport
from connectors.errors import KafkaRefused, MisconfiguredDelivery
from schemas.clock import wall_ms
from schemas.codec import codec_for
from schemas.errors import UndecodableRecord
from schemas.offsets import ContiguousOffsets
from schemas.records.derived import ChargeProgress, Derived, Order, StartResult, StatusChange, StopResult

log = logging.getLogger(__name__)

_RECORDS: dict[str, type[Derived]] = {
    "connector-status-changes": StatusChange,
    "charge-progress": ChargeProgress,
    "charge-start-results": StartResult,
    "charge-stop-results": StopResult,
    "charge-orders": Order,
}
TOPICS = tuple(_RECORDS)

#: A record as it was read, and the books of its partition at that time.
Taken = tuple[Message, ContiguousOffsets]

_BATCH = 500
_POLL_S = 0.02
_FULL_POLL_S = 0.05
_COMMIT_EVERY_S = 0.5
_DRAIN_S = 10.0
_LEAVE_S = 5.0


class Delivery:
    """One platform's delivery. `transport` may be given by tests; otherwise one is made from the profile."""

    def __init__(self, settings: DeliverySettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self._codec = codec_for(settings.cluster.schema_registry_url)
        self._names = {settings.cluster.topic(name): name for name in TOPICS}
        self._transport = transport or AiohttpTransport(
            settings.platform.timeouts, settings.in_flight, ANSWER_MAX_BYTES
        )
        caller = Caller(self._transport, settings.platform, settings.target, settings.credentials, wall_ms)
        self.lanes = Lanes(settings, caller, TokenKeeper(caller, settings.credentials, time.monotonic))
        self._reorder: Reorder[Job] = Reorder(settings.reorder_s)
        self._books: dict[tuple[str, int], ContiguousOffsets] = {}
        self._committed: dict[tuple[str, int], int] = {}
        self._committing = False
        self._stopping = asyncio.Event()
        try:
            config = settings.cluster.client_config(
                group_id=settings.group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=6_000,
                heartbeat_interval_ms=1_500,
                fetch_wait_max_ms=20,
            )
            self._consumer = Consumer({**config, "on_commit": self._commit_answered, "logger": log})
            self._dead_letters = DeadLetters(settings.cluster, self._codec, wall_ms)
        except KafkaException as error:
            raise MisconfiguredDelivery(f"EVCS_KAFKA_*: {error.args[0].str()}") from error

    @property
    def held(self) -> int:
        """Records in memory, at most `pending` of the settings."""
        return self.lanes.pending + self._reorder.count

    @property
    def partitions(self) -> int:
        """How many partitions are this process's to deliver."""
        return len(self._books)

    def stop(self) -> None:
        """Ends `run` after what is in flight, within seconds."""
        self._stopping.set()

    async def run(self) -> None:
        """Delivers until `stop`. Raises KafkaRefused for faults that do not pass by themselves, and whatever a
        lane met that neither a platform nor a network can do."""
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1, thread_name_prefix="delivery-consumer")
        self._consumer.subscribe(
            list(self._names), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        last_commit = time.monotonic()
        try:
            while not self._stopping.is_set():
                if self.lanes.failure is not None:
                    raise self.lanes.failure
                room = self.settings.pending - self.held
                taken = await loop.run_in_executor(pool, self._poll, min(room, _BATCH))
                letters = [letter for one in taken if (letter := self._take(*one)) is not None]
                if letters:
                    await self._unless_stopped(asyncio.gather(*letters))
                for waiting in self._reorder.take(time.monotonic()):
                    self.lanes.put(waiting.item)
                if time.monotonic() - last_commit > _COMMIT_EVERY_S:
                    last_commit = time.monotonic()
                    await loop.run_in_executor(pool, self._begin_commit)
        finally:
            if not await self.lanes.drain(_DRAIN_S):
                log.warning("%d records are left for the next start", self.lanes.pending)
                self.lanes.cancel()
                await self.lanes.drain(_DRAIN_S)
            await loop.run_in_executor(pool, self._leave)
            pool.shutdown()
            await self._transport.aclose()
        if self.lanes.failure is not None:
            raise self.lanes.failure

    async def _unless_stopped(self, work: "asyncio.Future[list[None]]") -> None:
        stopping = asyncio.ensure_future(self._stopping.wait())
        either: set[asyncio.Future[Any]] = {work, stopping}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if work.done():
            work.result()
        else:
            work.cancel()

    def _poll(self, room: int) -> list[Taken]:
        if room <= 0:
            # Full: stay in the group without taking more, until the lanes have moved on.
            self._consumer.pause(self._consumer.assignment())
            first = self._consumer.poll(_FULL_POLL_S)
            return [] if first is None else self._handed_out([first])
        self._consumer.resume(self._consumer.assignment())
        first = self._consumer.poll(_POLL_S)
        if first is None:
            return []
        # One after the other, since the partitions may change hands between the two.
        taken = self._handed_out([first])
        return taken + self._handed_out(self._consumer.consume(room - 1, timeout=0))

    def _handed_out(self, messages: list[Message]) -> list[Taken]:
        good: list[Taken] = []
        for message in messages:
            error = message.error()
            if error is None:
                books = self._books.get(_partition(message))
                if books is not None:  # else the partition changed hands while it was fetched
                    books.handed_out(message.offset() or 0)
                    good.append((message, books))
            elif error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise KafkaRefused(f"Kafka: {error.str()}")
            else:
                log.warning("Kafka: %s", error.str())
        return good

    def _take(self, message: Message, books: ContiguousOffsets) -> Awaitable[None] | None:
        """Queues a record, or returns the writing of its dead letter."""
        partition, offset = _partition(message), message.offset() or 0
        name = self._names[partition[0]]

        def done() -> None:
            books.done(offset)

        async def give_up(reason: str, detail: str) -> None:
            await self._dead_letters.put(message, name, reason, detail)

        async def bury(error: UndecodableRecord) -> None:
            log.error("a record of %s is dead-lettered: %s", name, error)
            await give_up(error.reason, str(error))
            done()

        def wanted() -> bool:
            return self._books.get(partition) is books

        try:
            record = self._codec.decode_as(_RECORDS[name], message.value())
        except UndecodableRecord as error:
            return bury(error)
        recorded_at = message.timestamp()[1]
        job = Job(record, recorded_at, done, give_up, wanted)
        self._reorder.put(Waiting(record, recorded_at, time.monotonic(), job))
        return None

    def _committable(self) -> dict[tuple[str, int], int]:
        return {
            partition: offset
            for partition, books in list(self._books.items())
            if (offset := books.committable()) is not None and offset != self._committed.get(partition)
        }

    def _begin_commit(self) -> None:
        """Commits without waiting: while the group's coordinator is away an answer takes seconds."""
        ready = self._committable()
        if ready and not self._committing:
            self._committing = True
            self._consumer.commit(offsets=[TopicPartition(*p, o) for p, o in ready.items()], asynchronous=True)

    def _commit_answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll, also for the commits that were waited for."""
        self._committing = False
        if error is not None:
            log.warning("offsets are not committed, later again: %s", error.str())
            return
        for done in partitions:
            if done.error is None and (done.topic, done.partition) in self._books:
                self._committed[done.topic, done.partition] = done.offset

    def _commit(self) -> None:
        ready = self._committable()
        if not ready:
            return
        try:
            self._consumer.commit(offsets=[TopicPartition(*p, o) for p, o in ready.items()], asynchronous=False)
        except KafkaException as error:
            log.warning("offsets are not committed, later again: %s", error.args[0].str())
            return
        self._committed.update(ready)

    def _leave(self) -> None:
        """Commits what is confirmed and leaves the group; waits for a cluster that is away, but not for ever."""
        self._consumer.pause(self._consumer.assignment())
        deadline = time.monotonic() + _LEAVE_S
        while (self._committing or self._committable()) and time.monotonic() < deadline:
            self._begin_commit()
            self._consumer.poll(_POLL_S)
        if self._committable():
            log.warning("the cluster does not answer: what is not committed is delivered again after the next start")
        # Closing revokes, and a revocation waits for its commit.
        self._books.clear()
        self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: each partition begins with empty books, at its committed offset."""
        for mine in partitions:
            self._books[mine.topic, mine.partition] = ContiguousOffsets()

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: what is confirmed is committed, what is not is the next owner's to deliver."""
        with contextlib.suppress(KafkaException):
            self._commit()
        self._lost(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: the group has gone on without this member, so nothing can be committed any more."""
        for gone in partitions:
            self._books.pop((gone.topic, gone.partition), None)
            self._committed.pop((gone.topic, gone.partition), None)


def _partition(message: Message) -> tuple[str, int]:
    return message.topic() or "", message.partition() or 0


def run(settings: DeliverySettings) -> None:
    """Delivers until SIGTERM or SIGINT."""

    async def main() -> None:
        delivery = Delivery(settings)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, delivery.stop)
        log.info("delivering to %s (%s)", settings.platform.name, settings.target)
        await delivery.run()

    asyncio.run(main())
