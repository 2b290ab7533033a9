"""A platform that takes nothing for three days of simulated time: the ladder is right to the second, memory stays flat,
and what waited costs one push a connector when it is back, while every order arrives."""

import asyncio
import gc
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from connectors.delivery.breaker import BreakerState
from connectors.delivery.outbox import outbox_producer
from connectors.delivery.retries import RetryScheduler, RetrySettings
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.topics import delivery_topics
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import CODEC, NEVER_OPEN, STATES, Writer, until

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(1200)]

DAY_S = 86_400
CONNECTORS = 1_000
CHANGES = 1_000_000
#: Changes after which all buffers are as full as they get.
FILLED = 300_000


class Clock:
    """The time of the whole world here: it passes when the test says so."""

    def __init__(self) -> None:
        # A broker takes no times that lie ahead of its own by more than an hour.
        self.began_ms = self.now_ms = time.time_ns() // 1_000_000 - 4 * DAY_S * 1000

    def __call__(self) -> int:
        return self.now_ms

    def seconds(self) -> float:
        """The same, for what measures by a clock in seconds."""
        return self.now_ms / 1000


@asynccontextmanager
async def at_work(settings: DeliverySettings, city: c.City, clock: Clock) -> AsyncIterator[Delivery]:
    """Lanes and a retry scheduler that live by this clock."""
    scheduler = RetryScheduler(RetrySettings((settings.platform,), settings.cluster), clock)
    thread = threading.Thread(target=scheduler.run, name="retries")
    thread.start()
    producer = outbox_producer(settings.cluster)
    delivery = Delivery(settings, producer, city.transport, now_ms=clock, monotonic=clock.seconds)
    running = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        delivery.stop()
        scheduler.stop()
        await running
        await asyncio.to_thread(thread.join)


def settings_for(kafka: KafkaCluster, **profile: object) -> DeliverySettings:
    platform = replace(c.BEIJING, **profile)  # type: ignore[arg-type]
    create_topics(kafka, topics=delivery_topics([platform]))
    return c.settings(platform=platform, cluster=kafka, group=f"{kafka.topic_prefix}delivery")


def test_the_ladder_is_right_to_the_second_for_three_days(kafka: KafkaCluster) -> None:
    """The platform is busy for one order all the time; each attempt comes when the ladder says so, and not before."""
    settings, clock = settings_for(kafka, breaker=NEVER_OPEN), Clock()
    attempts: list[int] = []

    def busy(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN:
            return None
        attempts.append(clock.now_ms)
        return c.sealed(None, -1)

    async def scenario() -> None:
        Writer(kafka).put(r.order(1, "A"), at=clock.now_ms)
        async with at_work(settings, c.City(busy), clock) as delivery:
            rung = 0
            while clock.now_ms < clock.began_ms + 3 * DAY_S * 1000:
                await until(lambda rung=rung: len(attempts) == rung + 1)  # type: ignore[misc]
                await until(lambda: delivery.lanes.held == 0)
                due_ms = clock.now_ms + 1000 * settings.platform.delay_s(c.BONUS, rung + 1)
                clock.now_ms = due_ms - 1
                await asyncio.sleep(0.05)
                assert len(attempts) == rung + 1
                clock.now_ms = due_ms
                rung += 1

    asyncio.run(scenario())
    waits_s = [(later - earlier) / 1000 for earlier, later in pairwise(attempts)]
    ladder = list(settings.platform.ladder_s(c.BONUS))
    assert waits_s == ladder + [3600.0] * (len(waits_s) - len(ladder))
    assert len(waits_s) > 70


def test_a_million_changes_cost_a_push_a_connector_and_every_order_arrives(kafka: KafkaCluster) -> None:
    settings, clock = settings_for(kafka), Clock()
    away = True

    def script(_: c.Call) -> c.Answer:
        return httpx.ConnectError("away") if away else None

    city = c.City(script)
    orders = 200

    async def scenario() -> None:
        nonlocal away
        writer = Writer(kafka)
        writer.put(*[r.order(n, f"C{n}") for n in range(orders // 2)], at=clock.now_ms)
        async with at_work(settings, city, clock) as delivery:
            states = delivery.lanes.backlogs["states"]
            await until(lambda: delivery.lanes.breaker.state is BreakerState.OPEN)
            written = await asyncio.to_thread(_write_changes, kafka, clock.now_ms, FILLED)
            await until(lambda: states.superseded >= written - CONNECTORS)
            flat_kb = _resident_kb()
            written += await asyncio.to_thread(_write_changes, kafka, clock.now_ms, CHANGES - written)
            for _ in range(72):
                tried = len(city.calls)
                clock.now_ms += DAY_S * 1000 // 24
                await until(lambda tried=tried: len(city.calls) > tried)  # type: ignore[misc]
            writer.put(*[r.order(n, f"C{n}") for n in range(orders // 2, orders)], at=clock.now_ms)
            await until(lambda: states.superseded == CHANGES - CONNECTORS, timeout_s=600)
            grown_kb = _resident_kb() - flat_kb
            assert states.held == CONNECTORS
            log.info("%d changes later %d kB more", CHANGES - FILLED, grown_kb)
            # 700,000 jobs would be three times as much, were they kept; an allocator takes some besides.
            assert grown_kb < 128 * 1024
            away, tried = False, len(city.calls)
            clock.now_ms += 60_000  # the next probe
            await until(lambda: _taken(city, tried)[c.STATUS] == CONNECTORS)
            # Those that were attempted and failed are due again within the ladder's last wait.
            while _taken(city, tried)[c.BONUS] < orders:
                clock.now_ms += 150_000
                await asyncio.sleep(0.2)
            await until(lambda: delivery.lanes.held == 0)
            assert _taken(city, tried) == {c.STATUS: CONNECTORS, c.BONUS: orders}

    asyncio.run(scenario())
    newest = {}
    for call in city.pushes:
        if call.interface == c.STATUS:
            newest[call.connector] = call.payload["ConnectorStatusInfo"]["Status"]  # type: ignore[index]
    assert newest == {f"S{n}": 1 + ((CHANGES - FILLED) // CONNECTORS - 1) % 4 for n in range(CONNECTORS)}


def _taken(city: c.City, since: int) -> Counter[str]:
    """Pushes since the platform is back, by interface."""
    return Counter(call.interface for call in city.calls[since:] if call.interface != c.TOKEN)


def _write_changes(kafka: KafkaCluster, at: int, count: int) -> int:
    """So many changes, of all connectors in turn."""
    # Its queue is memory of this process, which is looked at.
    producer = Producer(kafka.producer_config(linger_ms=20, queue_buffering_max_messages=20_000))
    topic = kafka.topic(STATES)
    values = [[CODEC.encode(r.status(f"S{n}", 1 + turn)) for n in range(CONNECTORS)] for turn in range(4)]
    for number in range(count):
        turn, n = divmod(number, CONNECTORS)
        while True:
            try:
                producer.produce(topic, values[turn % 4][n], b"S%d" % n, timestamp=at)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0
    return count


def _resident_kb() -> int:
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError
