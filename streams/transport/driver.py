"""The `faust.transports` plugin `chunked://`: aiokafka for the group and plain topics, chunks for the others.

Which topics come in chunks is said by the app (`ChunkedTopics` on `app.chunked`). Every other topic behaves
as with Faust's own transport. This driver keeps its own books about chunk offsets: Faust's count single
offsets and would commit one chunk an interval.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import TopicPartition as AIOTopicPartition
from faust.transport.drivers import aiokafka as stock
from faust.types import TP
from faust.types.transports import SchedulingStrategyT

from schemas.cluster import KafkaCluster
from schemas.offsets import ContiguousOffsets
from streams.transport.chunk import Chunk
from streams.transport.reader import ChunkReader

log = logging.getLogger(__name__)

_REFUSALS = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)

#: How soon what the group's membership has met is heard of.
_LOOK_EVERY_S = 1.0


@dataclass(slots=True)
class ChunkedTopics:
    """What the transport needs of the app: which topics come in chunks, and who must finish before a rebalance.

    `leading` and `following` are names on the cluster; see `ChunkReader`. `drain` is awaited when partitions
    are about to go: everything that is in flight must be safe when it returns.
    """

    cluster: KafkaCluster
    leading: frozenset[str]
    following: frozenset[str]
    drain: list[Any] = field(default_factory=list)

    def __contains__(self, topic: str) -> bool:
        return topic in self.leading or topic in self.following


class ChunkedConsumerThread(stock.AIOKafkaConsumerThread):
    """Faust's consumer thread, which fetches chunked topics through a ChunkReader."""

    _reader: ChunkReader | None = None
    _pool: ThreadPoolExecutor | None = None
    _ahead: asyncio.Future[list[Chunk]] | None = None
    _looking_after: asyncio.Future[None] | None = None

    @property
    def chunked(self) -> ChunkedTopics:
        """The app's declaration."""
        topics: ChunkedTopics = self.app.chunked  # type: ignore[attr-defined]
        return topics

    async def on_start(self) -> None:
        await super().on_start()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="chunk-reader")
        chunked = self.chunked
        self._reader = ChunkReader(chunked.cluster, chunked.leading, chunked.following)
        self._looking_after = asyncio.ensure_future(self._look_after())

    async def _look_after(self) -> None:
        """aiokafka's membership waits, for ever, until somebody hears of what it has met, and Faust never asks.

        What may pass makes it join again; rights that are refused, and its own end, stop the worker.
        """
        coordinator = self._ensure_consumer()._coordinator
        while not self.should_stop:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                coordinator.check_errors()
            except KafkaError as error:
                if isinstance(error, _REFUSALS) or coordinator._coordination_task.done():
                    log.critical("the worker stops: %s", error)
                    await self.crash(error)
                    return
                log.warning("the group is joined again: %s", error)
                coordinator.request_rejoin()

    async def on_thread_stop(self) -> None:
        if self._looking_after is not None:
            self._looking_after.cancel()
        await super().on_thread_stop()
        await self._forget_ahead()
        if self._reader is not None and self._pool is not None:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._reader.close)
            self._pool.shutdown()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        mine = [AIOTopicPartition(tp.topic, tp.partition) for tp in assigned if tp.topic in self.chunked]
        if mine:
            self._ensure_consumer().pause(*mine)  # aiokafka must not fetch what the reader fetches
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        offsets = await super().seek_to_committed()
        committed = {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}
        positions: dict[tuple[str, int], int | None] = {}
        for tp in self.assignment():
            if tp.topic in self.chunked:
                offset = committed.get((tp.topic, tp.partition))
                positions[tp.topic, tp.partition] = offset if offset is not None and offset >= 0 else None
        await self.call_thread(self._forget_ahead)
        assert self._reader is not None
        reset = self.app.conf.consumer_auto_offset_reset
        await self.call_thread(self._run_in_pool, self._reader.assign, positions, reset)
        return offsets

    async def _run_in_pool(self, call: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *args)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        if not self.consumer.flow_active:
            return {}
        active = active_partitions or set()
        plain = {tp for tp in active if tp.topic not in self.chunked}
        chunked = frozenset((tp.topic, tp.partition) for tp in active if tp.topic in self.chunked)
        records: dict[TP, list[Any]] = {}
        if plain:
            wait = 0.02 if chunked else timeout
            records.update(await super()._fetch_records(consumer, plain, timeout=wait, max_records=max_records))
        if chunked:
            wait = 0.0 if records else 0.2
            for chunk in await self._read(chunked, wait):
                records.setdefault(TP(chunk.topic, chunk.partition), []).append(_as_record(chunk))
        return records

    async def _read(self, active: frozenset[tuple[str, int]], wait_s: float) -> list[Chunk]:
        """The next chunks; while they are processed, those after them are read."""
        assert self._reader is not None
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            chunks: list[Chunk] = await self._run_in_pool(self._reader.read, active, wait_s)
        else:
            chunks = await ahead
        if chunks:
            self._ahead = asyncio.ensure_future(self._run_in_pool(self._reader.read, active, wait_s))
        return chunks

    async def _forget_ahead(self) -> None:
        """What was read ahead belongs to positions that hold no longer."""
        if self._ahead is not None:
            self._ahead.add_done_callback(lambda read: read.cancelled() or read.exception())
            self._ahead = None

    def highwater(self, tp: TP) -> int:
        if tp.topic in self.chunked and self._reader is not None:
            return self._reader.high_watermark((tp.topic, tp.partition))
        return super().highwater(tp)

    def at_end(self, tp: TP, processed: int) -> bool:
        """Whether everything up to the partition's end has been handed out and `processed` is the last of it."""
        if self._reader is None:
            return False
        partition = (tp.topic, tp.partition)
        return self._reader.at_end(partition) and processed >= self._reader.last_handed_out(partition)

    @property
    def reader(self) -> ChunkReader | None:
        """What fetches chunks; None before the thread has started."""
        return self._reader

    def verify_event_path(self, now: float, tp: TP) -> None:
        if tp.topic not in self.chunked:
            super().verify_event_path(now, tp)


def _as_record(chunk: Chunk) -> SimpleNamespace:
    """A chunk in the shape in which Faust expects a record."""
    return SimpleNamespace(
        topic=chunk.topic,
        partition=chunk.partition,
        offset=chunk.last_offset,
        timestamp=chunk.newest_at,
        timestamp_type=0,
        headers=(),
        key=None,
        value=chunk,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
    )


class InOrder(SchedulingStrategyT):
    """Delivers records in the order in which they were fetched.

    Faust's own scheduler takes turns between topics, which would let events overtake the chunks of telemetry
    that the reader has put before them.
    """

    def __init__(self) -> None:
        pass

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        for tp, fetched in records.items():
            for record in fetched:
                yield tp, record


class ChunkedConsumer(stock.Consumer):
    """Faust's consumer with its own books for chunks."""

    _thread: ChunkedConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._chunks: dict[TP, ContiguousOffsets] = {}
        #: Records that were taken, by the name of their topic on the cluster.
        self.taken: Counter[str] = Counter()
        super().__init__(*args, **kwargs)
        self.scheduler = InOrder()

    def _new_consumer_thread(self) -> ChunkedConsumerThread:
        return ChunkedConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def chunked(self) -> ChunkedTopics:
        """The app's declaration."""
        topics: ChunkedTopics = self.app.chunked  # type: ignore[attr-defined]
        return topics

    def _to_message(self, tp: TP, record: Any) -> Any:
        if tp.topic in self.chunked:
            self._chunks.setdefault(tp, ContiguousOffsets()).handed_out(record.offset)
            self.taken[tp.topic] += len(record.value.records)
        else:
            self.taken[tp.topic] += 1
        return super()._to_message(tp, record)

    def ack(self, message: Any) -> bool:
        if message.tp.topic not in self.chunked:
            return super().ack(message)
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        books = self._chunks.get(message.tp)
        if books is not None and message.generation_id == self.app.consumer_generation_id:
            books.done(message.offset)
            self._acked[message.tp]  # so that the commit loop sees this partition
        return True

    @property
    def hears_brokers(self) -> bool:
        """Whether brokers answer whoever fetches chunks."""
        reader = self._thread.reader
        return reader is not None and reader.hears_brokers

    @property
    def lags(self) -> dict[str, int]:
        """Records of chunked topics, by their names on the cluster, in this worker's partitions, that are not taken."""
        reader = self._thread.reader
        return reader.lags if reader is not None else {}

    def at_end(self, tp: TP, processed: int) -> bool:
        """See `ChunkedConsumerThread.at_end`."""
        return self._thread.at_end(tp, processed)

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.chunked:
            return super()._new_offset(tp)
        books = self._chunks.get(tp)
        return books.committable() if books is not None else None

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.chunked:
            await super()._add_gap(tp, offset_from, offset_to)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Lets what is in flight become safe and commits it before the partitions go.

        Faust forgets its acks before it commits them; doing it first saves the next owner the repetition.
        """
        self.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        for drain in self.chunked.drain:
            await drain()
        await self.commit()
        for tp in revoked:
            self._chunks.pop(tp, None)
        await super().on_partitions_revoked(revoked)


class Transport(stock.Transport):
    """Faust's Kafka transport with chunks; registered under `faust.transports` as `chunked`."""

    Consumer = ChunkedConsumer
