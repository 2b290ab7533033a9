"""What the tests on a real broker share: records onto topics, a delivery at work, committed offsets, dead letters."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from connectors.delivery.service import TOPICS, Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.policies import Addresses
from connectors.protocol.envelope import open_request
from infra.simulator.platform.threaded import PlatformThread
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.derived import ChargeProgress, Derived, Order, StartResult, StatusChange, StopResult
from schemas.records.faults import DeadLetter
from schemas.topic import all_topics
from tests.connectors.delivery import city as c

CODEC = codec_for("")
TOPIC_OF: dict[type, str] = {
    StatusChange: "connector-status-changes",
    ChargeProgress: "charge-progress",
    StartResult: "charge-start-results",
    StopResult: "charge-stop-results",
    Order: "charge-orders",
}
PATIENCE_S = 120.0


def delivering_to(city: PlatformThread, cluster: KafkaCluster, **more: object) -> DeliverySettings:
    """Beijing's profile at the simulated platform, impatient."""
    address = city.base_url + "/"
    platform = replace(c.BEIJING, addresses=Addresses(production=address, test=address))
    made = c.settings(platform=platform, cluster=cluster, group=f"{cluster.topic_prefix}delivery")
    return replace(made, **{"retry_first_s": 0.05, "retry_max_s": 0.2, **more})  # type: ignore[arg-type]


class Writer:
    """Writes to the topics of one cluster, and waits until it is done."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._producer = Producer(cluster.producer_config(linger_ms=1))

    def put(self, *records: Derived, at: int | None = None, partition: int = -1) -> None:
        """Records to where the streams would put them, with this Kafka timestamp, or to this partition."""
        self.put_raw(
            *((TOPIC_OF[type(record)], record.connector_id.encode(), CODEC.encode(record)) for record in records),
            at=at,
            partition=partition,
        )

    def put_raw(self, *messages: tuple[str, bytes, bytes | None], at: int | None = None, partition: int = -1) -> None:
        """Topic, key and value each."""
        at = time.time_ns() // 1_000_000 if at is None else at
        for topic, key, value in messages:
            self._producer.produce(self._cluster.topic(topic), value, key, partition, timestamp=at)
        assert self._producer.flush(PATIENCE_S) == 0


@asynccontextmanager
async def running(
    settings: DeliverySettings, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Delivery]:
    """A delivery at work, stopped cleanly at the end."""
    delivery = Delivery(settings, transport)
    task = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        delivery.stop()
        await task


async def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds."""
    async with asyncio.timeout(timeout_s):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def offsets(settings: DeliverySettings) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
    """By (topic, partition) the committed offsets, and the ends of the partitions that have records."""
    cluster = settings.cluster
    consumer = Consumer(cluster.client_config(group_id=settings.group))
    partitions = [
        TopicPartition(cluster.topic(name), number)
        for name in TOPICS
        for number in range(all_topics()[name].partitions)
    ]
    try:
        committed = {
            (tp.topic.removeprefix(cluster.topic_prefix), tp.partition): tp.offset
            for tp in consumer.committed(partitions, timeout=PATIENCE_S)
            if tp.offset >= 0
        }
        ends = {
            (tp.topic.removeprefix(cluster.topic_prefix), tp.partition): end
            for tp in partitions
            if (end := _end(consumer, tp)) > 0
        }
    finally:
        consumer.close()
    return committed, ends


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    """A partition's end; the leader of a new one may not know of it for a moment."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return consumer.get_watermark_offsets(partition, timeout=PATIENCE_S)[1]
        except KafkaException:
            if time.monotonic() > deadline:
                raise


def dead_letters(cluster: KafkaCluster, topic: str) -> list[DeadLetter]:
    """All letters about a topic, as they lie on `<topic>-dlq`."""
    name = f"{topic}-dlq"
    consumer = Consumer(cluster.client_config(group_id=f"{cluster.topic_prefix}{name}-reader"))
    found: list[DeadLetter] = []
    try:
        for number in range(all_topics()[name].partitions):
            end = _end(consumer, TopicPartition(cluster.topic(name), number))
            consumer.assign([TopicPartition(cluster.topic(name), number, 0)])
            read = 0
            while read < end:
                message = consumer.poll(PATIENCE_S)
                assert message is not None and message.error() is None
                found.append(CODEC.decode_as(DeadLetter, message.value()))
                read += 1
    finally:
        consumer.close()
    return found


class Holding(httpx.AsyncBaseTransport):
    """Another transport that answers every push with Ret -1 until it is let go; it notes which were answered so."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.holds = True
        self.held: list[str] = []
        self.passed: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = str(request.url).rsplit("/", 1)[1]
        if name == c.TOKEN:
            return await self._inner.handle_async_request(request)
        opened = open_request(request.content, c.CREDENTIALS)
        payload = json.loads(opened.payload)
        connector = payload.get("ConnectorStatusInfo", payload)["ConnectorID"]
        if self.holds:
            self.held.append(connector)
            return httpx.Response(200, content=c.sealed(None, -1))
        self.passed.append(connector)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
