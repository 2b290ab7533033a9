"""A group that Kafka has forgotten does not tell everything once more: it does not begin until people say where."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, Producer

from connectors.delivery.parcel import Parcel
from connectors.delivery.places import PlaceLost, require_place
from connectors.delivery.retries import RetryScheduler, RetrySettings
from connectors.delivery.routing.router import Router
from connectors.delivery.routing.settings import RouterSettings
from connectors.delivery.topics import delivery_topics, retry_topic
from infra.beginning import begin
from infra.errors import OperatorError
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import CODEC, Writer, delivering_to, delivery_with, running, until

pytestmark = pytest.mark.kafka

DAY_MS = 86_400_000


@pytest.fixture
def city() -> Iterator[PlatformThread]:
    """Beijing with the public test secrets."""
    with PlatformThread() as started:
        yield started


def ago(days: float) -> int:
    return wall_ms() - round(days * DAY_MS)


def told(city: PlatformThread, settings: object, orders: int) -> None:
    """Runs until so many orders are told, and a little longer, in which no more may be."""

    async def scenario() -> None:
        async with running(settings):  # type: ignore[arg-type]
            await until(lambda: city.ledger.count(c.BONUS) >= orders)
            await asyncio.sleep(0.5)

    asyncio.run(scenario())
    assert city.ledger.count(c.BONUS) == orders


def test_lanes_that_have_lost_their_place_tell_nothing_until_people_say_where(
    kafka: KafkaCluster, city: PlatformThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = delivering_to(city, kafka)
    monkeypatch.setenv("EVCS_DELIVERY_GROUP", settings.group)
    writer = Writer(kafka)
    for number, days in enumerate((300, 9, 1)):
        writer.put(r.order(number, f"C{number}", 1), at=ago(days))
    with pytest.raises(OperatorError, match=r"no date and no instant: .*, or earliest or latest"):
        begin(kafka, "beijing", "yesterday")
    with pytest.raises(PlaceLost, match=f"{settings.group} has no place.*`evcs delivery begin beijing --at"):
        asyncio.run(delivery_with(settings).run())
    assert city.ledger.count(c.BONUS) == 0

    since = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(ago(8) // 1000))
    beginning = begin(kafka, "beijing", since)
    assert (beginning.group, beginning.partitions, beginning.records) == (settings.group, 16, 1)
    told(city, settings, 1)
    with pytest.raises(OperatorError, match=r"has its place and goes on there: .*`evcs delivery backfill`"):
        begin(kafka, "beijing", "earliest")


def test_a_new_group_begins_with_what_is_younger_than_a_groups_memory(
    kafka: KafkaCluster, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka)
    Writer(kafka).put(r.order(1, "C1", 1), r.order(2, "C2", 1), at=ago(6.9))
    told(city, settings, 2)


@pytest.mark.parametrize(("at", "orders"), [("earliest", 2), ("latest", 0)])
def test_either_end_may_be_the_beginning(
    kafka: KafkaCluster, city: PlatformThread, monkeypatch: pytest.MonkeyPatch, at: str, orders: int
) -> None:
    settings = delivering_to(city, kafka)
    monkeypatch.setenv("EVCS_DELIVERY_GROUP", settings.group)
    writer = Writer(kafka)
    writer.put(r.order(1, "C1", 1), r.order(2, "C2", 1), at=ago(30))
    assert begin(kafka, "beijing", at).records == orders
    writer.put(r.order(3, "C3", 1))
    told(city, settings, orders + 1)


def router(cluster: KafkaCluster) -> Router:
    return Router(RouterSettings((c.BEIJING,), cluster))


def scheduler(cluster: KafkaCluster) -> RetryScheduler:
    return RetryScheduler(RetrySettings((c.BEIJING,), cluster), wall_ms)


@pytest.mark.parametrize(
    ("who", "made", "topic"),
    [("router", router, "charge-orders"), ("retries", scheduler, retry_topic(150))],
)
def test_router_and_retries_do_not_begin_either(
    kafka: KafkaCluster, who: str, made: Callable[[KafkaCluster], Router | RetryScheduler], topic: str
) -> None:
    create_topics(kafka, topics=delivery_topics([c.BEIJING]))
    producer = Producer(kafka.producer_config())
    headers = Parcel(interface=c.BONUS, due_at=ago(8), platform="beijing").headers()
    producer.produce(kafka.topic(topic), CODEC.encode(r.order(1, "C1", 1)), b"C1", timestamp=ago(8), headers=headers)
    assert producer.flush(60) == 0
    group = re.escape(f"{kafka.topic_prefix}evcs-{who}")
    with pytest.raises(PlaceLost, match=f"{group} has no place.*`evcs delivery begin {who} --at"):
        made(kafka).run()
    assert begin(kafka, who, "latest").records == 0
    with pytest.raises(OperatorError, match="has its place"):
        begin(kafka, who, "latest")


def test_a_scheduler_without_any_ladder_has_nothing_to_lose(kafka: KafkaCluster) -> None:
    consumer = Consumer(kafka.consumer_config(group_id=f"{kafka.topic_prefix}evcs-retries"))
    try:
        require_place(consumer, [], "evcs-retries", "retries", given_up=iter([False]).__next__)  # asked once
    finally:
        consumer.close()
