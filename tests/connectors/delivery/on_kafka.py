"""What the tests on a real broker share: records onto lanes, a delivery at work, committed offsets, dead letters."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from connectors.delivery.outbox import Outbox, outbox_producer
from connectors.delivery.parcel import FRESH, Parcel
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.topics import LANES, delivery_topics, lane_topic
from connectors.platform import Platform
from connectors.policies import Addresses, BreakerPolicy, Retry
from connectors.protocol.envelope import open_request
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import read_to_end
from schemas.records.derived import Derived, StatusChange
from schemas.records.faults import DeadLetter
from tests.connectors.delivery import city as c

CODEC = codec_for("")
PATIENCE_S = 120.0
STATES, ORDERS = lane_topic("beijing", "states"), lane_topic("beijing", "orders")

#: Nothing rests for long, and a platform that fails is asked again at once.
IMPATIENT = Retry(in_place_s=(0.05, 0.2), results_attempts=1_000)
NEVER_OPEN = BreakerPolicy(consecutive=1_000_000, least=1_000_000)


def delivering_to(city: PlatformThread, cluster: KafkaCluster, **profile: object) -> DeliverySettings:
    """Beijing's profile at the simulated platform, impatient, with this of it replaced; its topics are made."""
    address = city.base_url + "/"
    impatient = {"retry": IMPATIENT, "breaker": NEVER_OPEN, **profile}
    platform: Platform = replace(
        c.BEIJING,
        addresses=Addresses(production=address, test=address),
        **impatient,  # type: ignore[arg-type]
    )
    create_topics(cluster, topics=delivery_topics([platform]))
    return c.settings(platform=platform, cluster=cluster, group=f"{cluster.topic_prefix}delivery")


def lane_of(record: Derived) -> str:
    """The topic of the lane that a record belongs on."""
    return STATES if isinstance(record, StatusChange) else ORDERS


class Writer:
    """Writes to the topics of one cluster, and waits until it is done."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._producer = Producer(cluster.producer_config(linger_ms=1))

    def put(self, *records: Derived, at: int | None = None, partition: int = -1, parcel: Parcel = FRESH) -> None:
        """Records to their lanes as the router puts them, with this Kafka timestamp, or to this partition."""
        self.put_raw(
            *((lane_of(record), record.connector_id.encode(), CODEC.encode(record)) for record in records),
            at=at,
            partition=partition,
            parcel=parcel,
        )

    def put_raw(
        self,
        *messages: tuple[str, bytes, bytes | None],
        at: int | None = None,
        partition: int = -1,
        parcel: Parcel = FRESH,
    ) -> None:
        """Topic, key and value each."""
        at = time.time_ns() // 1_000_000 if at is None else at
        headers = parcel.headers() or None
        for topic, key, value in messages:
            self._producer.produce(self._cluster.topic(topic), value, key, partition, timestamp=at, headers=headers)
        assert self._producer.flush(PATIENCE_S) == 0


def delivery_with(settings: DeliverySettings, transport: httpx.AsyncBaseTransport | None = None) -> Delivery:
    """A delivery with a producer of its own."""
    return Delivery(settings, outbox_producer(settings.cluster), transport)


@asynccontextmanager
async def running(
    settings: DeliverySettings, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Delivery]:
    """A delivery at work, stopped cleanly at the end."""
    delivery = delivery_with(settings, transport)
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
    """By (topic, partition) the committed offsets and the ends, of the partitions that have records."""
    cluster = settings.cluster
    consumer = Consumer(cluster.consumer_config(group_id=settings.group))
    lanes = {topic.name: topic.partitions for topic in delivery_topics([settings.platform])}
    names = [lane_topic(settings.platform.name, lane) for lane in LANES]
    partitions = [TopicPartition(cluster.topic(name), n) for name in names for n in range(lanes[name])]
    try:
        committed = {
            (tp.topic.removeprefix(cluster.topic_prefix), tp.partition): tp.offset
            for tp in consumer.committed(partitions, timeout=PATIENCE_S)
            if tp.offset > 0
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


def until_safe(outbox: Outbox) -> None:
    """Waits until all that was put is on the cluster."""
    batch, deadline = outbox.seal(), time.monotonic() + PATIENCE_S
    while not batch.safe:
        outbox.poll()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def everything_on(cluster: KafkaCluster, topic: str) -> list[Message]:
    """All that lies on a topic, whatever declares it."""
    return [message for batch in read_to_end(cluster, cluster.topic(topic)) for message in batch]


def dead_letters(cluster: KafkaCluster, topic: str) -> list[DeadLetter]:
    """All letters about a topic, as they lie on `<topic>-dlq`."""
    return [CODEC.decode_as(DeadLetter, message.value()) for message in everything_on(cluster, f"{topic}-dlq")]


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
        opened = open_request(await request.aread(), c.CREDENTIALS)
        payload = json.loads(opened.payload)
        connector = payload.get("ConnectorStatusInfo", payload)["ConnectorID"]
        if self.holds:
            self.held.append(connector)
            return httpx.Response(200, content=c.sealed(None, -1))
        self.passed.append(connector)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
