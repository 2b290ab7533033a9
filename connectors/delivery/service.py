"""Delivery to one platform: derived topics in, confirmed pushes out, offsets committed behind them."""

import asyncio
import contextlib
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from connectors.delivery.lanes import Job, Lanes
from connectors.delivery.push import ANSWER_MAX_BYTES, Caller
from connectors.delivery.reorder import Reorder, Waiting
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.tokens import TokenKeeper
from connectors.delivery.transport import AiohttpTransport
from schemas.codec import codec_for
from schemas.errors import UndecodableRecord
from schemas.offsets import ContiguousOffsets
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

TOPICS = (
    "connector-status-changes",
    "charge-progress",
    "charge-start-results",
    "charge-stop-results",
    "charge-orders",
)

_BATCH = 500
_POLL_S = 0.02
_COMMIT_EVERY_S = 0.5
_DRAIN_S = 10.0


def wall_ms() -> int:
    """The wall clock, UTC ms."""
    return time.time_ns() // 1_000_000


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
        self._reorder: Reorder[Job] = Reorder()
        self._books: dict[tuple[str, int], ContiguousOffsets] = {}
        self._committed: dict[tuple[str, int], int] = {}
        self._stopping = asyncio.Event()
        self._consumer = Consumer(
            settings.cluster.client_config(
                group_id=settings.group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=6_000,
                heartbeat_interval_ms=1_500,
                fetch_wait_max_ms=20,
            )
        )
        self._producer = Producer(settings.cluster.producer_config(linger_ms=5))

    def stop(self) -> None:
        """Ends `run` after what is in flight, within seconds."""
        self._stopping.set()

    async def run(self) -> None:
        """Delivers until `stop`. Raises KafkaException for faults that do not pass by themselves."""
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1, thread_name_prefix="delivery-consumer")
        self._consumer.subscribe(list(self._names), on_revoke=self._revoked, on_lost=self._revoked)
        last_commit = time.monotonic()
        try:
            while not self._stopping.is_set():
                if self.lanes.failure is not None:
                    raise self.lanes.failure
                room = self.settings.pending - self.lanes.pending - self._reorder.count
                for message in await loop.run_in_executor(pool, self._poll, min(room, _BATCH)):
                    await self._take(message)
                for waiting in self._reorder.take(time.monotonic()):
                    self.lanes.put(waiting.item)
                if time.monotonic() - last_commit > _COMMIT_EVERY_S:
                    last_commit = time.monotonic()
                    await loop.run_in_executor(pool, self._commit)
        finally:
            if not await self.lanes.drain(_DRAIN_S):
                log.warning("%d records are left for the next start", self.lanes.pending)
                self.lanes.cancel()
            await loop.run_in_executor(pool, self._commit)
            await loop.run_in_executor(pool, self._consumer.close)
            pool.shutdown()
            await self._transport.aclose()

    def _poll(self, room: int) -> list[Message]:
        if room <= 0:
            # Full: stay in the group without taking more, until the lanes have moved on.
            self._consumer.pause(self._consumer.assignment())
            time.sleep(0.05)
            self._consumer.poll(0)
            return []
        self._consumer.resume(self._consumer.assignment())
        first = self._consumer.poll(_POLL_S)
        if first is None:
            return []
        good: list[Message] = []
        for message in (first, *self._consumer.consume(room - 1, timeout=0)):
            error = message.error()
            if error is None:
                self._books.setdefault(_partition(message), ContiguousOffsets()).handed_out(message.offset() or 0)
                good.append(message)
            elif error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise KafkaException(error)
            else:
                log.warning("Kafka: %s", error.str())
        return good

    async def _take(self, message: Message) -> None:
        partition, offset = _partition(message), message.offset() or 0

        def done() -> None:
            books = self._books.get(partition)
            if books is not None:
                books.done(offset)

        async def give_up(reason: str, detail: str) -> None:
            await self._dead_letter(message, reason, detail)

        try:
            record = self._codec.decode(message.value())
        except UndecodableRecord as error:
            await give_up(error.reason, str(error))
            done()
            return
        recorded_at = message.timestamp()[1]
        job = Job(record, recorded_at, done, give_up)
        self._reorder.put(Waiting(record, recorded_at, time.monotonic(), job))

    async def _dead_letter(self, message: Message, reason: str, detail: str) -> None:
        name = self._names[message.topic() or ""]
        letter = DeadLetter(
            reason,
            detail,
            name,
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            wall_ms(),
            message.key(),
            message.value(),
        )
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def reported(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                safe.set_result(None)
            else:
                safe.set_exception(KafkaException(error))

        self._producer.produce(
            self.settings.cluster.topic(f"{name}-dlq"),
            self._codec.encode(letter),
            message.key(),
            on_delivery=reported,
        )
        while not safe.done():
            self._producer.poll(0)
            await asyncio.sleep(0.01)
        safe.result()

    def _commit(self) -> None:
        ready = {
            partition: offset
            for partition, books in list(self._books.items())
            if (offset := books.committable()) is not None and offset != self._committed.get(partition)
        }
        if not ready:
            return
        try:
            self._consumer.commit(offsets=[TopicPartition(*p, o) for p, o in ready.items()], asynchronous=False)
        except KafkaException as error:
            log.warning("offsets are not committed, later again: %s", error.args[0].str())
            return
        self._committed.update(ready)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Runs inside a poll: what is confirmed is committed, what is not is the next owner's."""
        with contextlib.suppress(KafkaException):
            self._commit()
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
