"""The retry scheduler: what waits on a ladder goes back to its lane when it is due, once, and nothing is lost."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.delivery.buffers import Held
from connectors.delivery.parcel import Parcel
from connectors.delivery.retries import Ladder, Retry, RetryScheduler
from connectors.delivery.topics import delivery_topics, lane_topic, retry_topic
from connectors.errors import MisconfiguredService
from infra.topic_admin import create_topics, delete_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.records.derived import Order
from tests.at_work import AtWork, at_work
from tests.connectors.delivery import city as c
from tests.connectors.delivery import on_lanes as on
from tests.connectors.delivery import records as r
from tests.connectors.delivery.retries_process import CITY, LADDER_S, TOWN, settings, spawn

#: Not long ago: a broker deletes what is older than a topic's retention within minutes, also from under a test.
NOW = wall_ms()
DAY_MS = 86_400_000


class Clock:
    """Stands until it is set."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Waiting:
    """Puts orders onto ladders, as the lanes do."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._producer = Producer(cluster.producer_config(linger_ms=1))

    def put(self, delay_s: int, number: int, parcel: Parcel, partition: int = -1, value: bytes | None = None) -> None:
        record = r.order(number, f"C{number}")
        self._producer.produce(
            self._cluster.topic(retry_topic(delay_s)),
            on.CODEC.encode(record) if value is None else value,
            record.connector_id,
            partition,
            timestamp=NOW - 5_000,
            headers=parcel.headers(),
        )

    def put_raw(self, delay_s: int, headers: list[tuple[str, str | bytes | None]]) -> None:
        self._producer.produce(self._cluster.topic(retry_topic(delay_s)), b"x", b"key", headers=headers)

    def flush(self) -> None:
        assert self._producer.flush(60) == 0


@pytest.fixture
def ladders(kafka: KafkaCluster) -> Iterator[KafkaCluster]:
    """The cluster with the platforms' lanes and ladders."""
    platforms = (CITY, TOWN)
    on.make_lanes(kafka, *platforms)
    yield kafka
    delete_topics(kafka, delivery_topics(platforms))


def due(at: int, platform: str = "city", failures: int = 1) -> Parcel:
    return Parcel(c.BONUS, failures, at, platform)


def numbers(found: list[on.Found]) -> list[int]:
    return [int(one.record.start_charge_seq[9:]) for one in found if isinstance(one.record, Order)]


def held(partition: int, offset: int, due_at: int) -> Held[Retry]:
    retry = Retry("city", Parcel(), b"", b"", 0, None)
    return Held(("t", partition), offset, (due_at, 0), 0.0, retry)


def test_an_order_leaves_when_it_is_due_and_not_before() -> None:
    clock = Clock(0)
    ladder = Ladder(clock)
    ladder.assign([("t", 0), ("t", 1)], 0.0)
    for one in (held(0, 0, 100), held(0, 1, 150), held(0, 2, 120), held(1, 0, 130)):
        ladder.put(one)
    left = {}
    for clock.now in (99, 100, 119, 129, 130, 149, 150):
        left[clock.now] = [(one.partition[1], one.offset) for one in ladder.take(0.0, 10)]
    # Within a partition nothing overtakes; partitions do not wait for each other.
    assert left == {99: [], 100: [(0, 0)], 119: [], 129: [], 130: [(1, 0)], 149: [], 150: [(0, 1), (0, 2)]}


def test_no_more_leave_than_are_asked_for() -> None:
    ladder = Ladder(Clock(10))
    ladder.assign([("t", 0), ("t", 1)], 0.0)
    for one in (held(0, 0, 1), held(0, 1, 1), held(1, 0, 1)):
        ladder.put(one)
    assert [len(ladder.take(0.0, 2)), len(ladder.take(0.0, 2)), len(ladder.take(0.0, 2))] == [2, 1, 0]


@pytest.mark.kafka
def test_orders_go_back_to_their_platforms_lane_when_they_are_due(ladders: KafkaCluster) -> None:
    clock, waiting = Clock(), Waiting(ladders)
    waiting.put(150, 1, due(NOW + 150_000))
    waiting.put(300, 2, due(NOW + 300_000, failures=2))
    waiting.put(300, 3, replace(due(NOW + 300_000, "town", 3), forced=True))
    waiting.put(7200, 4, due(NOW + 7_200_000, "town", 9))
    waiting.flush()
    with at_work(RetryScheduler(settings(ladders), clock)):
        clock.now = NOW + 150_000
        found = on.await_records(lambda: on.lane(ladders, "city"), 1)
        assert numbers(found) == [1]
        clock.now = NOW + 300_000
        assert sorted(numbers(on.await_records(lambda: on.lane(ladders, "city"), 2))) == [1, 2]
        town = on.await_records(lambda: on.lane(ladders, "town"), 1)
        assert numbers(town) == [3]
        clock.now = NOW + 7_200_000
        assert sorted(numbers(on.await_records(lambda: on.lane(ladders, "town"), 2))) == [3, 4]
    assert found[0].record == r.order(1, "C1")
    assert found[0].key == b"C1"
    assert found[0].timestamp == NOW - 5_000
    assert found[0].headers == {"interface": c.BONUS, "failures": "1"}
    assert town[0].headers == {"interface": c.BONUS, "failures": "3", "forced": "1"}


@pytest.mark.kafka
def test_what_was_sent_is_not_sent_again_after_a_restart_and_what_waits_still_waits(ladders: KafkaCluster) -> None:
    clock, waiting = Clock(), Waiting(ladders)
    for number in range(20):
        waiting.put(150, number, due(NOW + 1_000 * number), partition=number % 4)
    waiting.flush()
    for upto in (5, 12, 20):
        clock.now = NOW + 1_000 * (upto - 1)
        with at_work(RetryScheduler(settings(ladders), clock)):
            found = on.await_records(lambda: on.lane(ladders, "city"), upto)
        assert sorted(numbers(found)) == list(range(upto))
    assert sorted(numbers(on.lane(ladders, "city"))) == list(range(20))


@pytest.mark.kafka
def test_more_than_memory_holds_may_wait(ladders: KafkaCluster) -> None:
    clock, waiting, count = Clock(), Waiting(ladders), 9_000
    for number in range(count):
        waiting.put(150, number, due(NOW + 150_000 + number), partition=0)
    waiting.put(150, count, due(NOW + 1), partition=1)
    waiting.flush()
    with at_work(RetryScheduler(settings(ladders), clock)):
        clock.now = NOW + 10
        assert numbers(on.await_records(lambda: on.lane(ladders, "city"), 1)) == [count]
        clock.now = NOW + 1_000_000
        found = on.await_records(lambda: on.lane(ladders, "city"), count + 1)
    assert sorted(numbers(found)) == list(range(count + 1))


@pytest.mark.kafka
def test_an_order_that_cannot_be_sent_again_is_dead_lettered(ladders: KafkaCluster) -> None:
    waiting = Waiting(ladders)
    waiting.put(150, 1, due(NOW, "atlantis"))
    waiting.put_raw(150, [])
    waiting.put_raw(150, [("interface", c.BONUS), ("due_at", "soon"), ("platform", "city")])
    waiting.put_raw(150, [("interface", c.BONUS), ("due_at", str(NOW))])
    waiting.put(150, 2, due(NOW))
    waiting.flush()
    with at_work(RetryScheduler(settings(ladders), Clock())):
        assert numbers(on.await_records(lambda: on.lane(ladders, "city"), 1)) == [2]
        on.await_true(lambda: len(on.letters(ladders, "charge-orders")) >= 4)
    told = on.letters(ladders, "charge-orders")
    assert sorted(letter.reason for letter in told) == ["undecodable"] * 3 + ["unknown_platform"]
    # Sent again by people, an order goes to its lane, or is routed anew.
    assert sorted(letter.topic for letter in told) == ["charge-orders"] * 3 + ["delivery-atlantis-orders"]
    assert all("on delivery-retry-150s: " in letter.detail for letter in told)
    (lost,) = (letter for letter in told if letter.reason == "unknown_platform")
    assert lost.value == on.CODEC.encode(r.order(1, "C1"))
    assert "atlantis" in lost.detail


@pytest.mark.kafka
def test_a_ladder_that_no_profile_names_any_more_is_read_to_its_end(ladders: KafkaCluster) -> None:
    old = [topic for topic in delivery_topics([TOWN]) if topic.name == retry_topic(7200)]
    gone = replace(old[0], name=retry_topic(77))
    create_topics(ladders, topics=[gone])
    try:
        waiting = Waiting(ladders)
        waiting.put(77, 1, due(NOW))
        waiting.flush()
        with at_work(RetryScheduler(settings(ladders), Clock())):
            assert numbers(on.await_records(lambda: on.lane(ladders, "city"), 1)) == [1]
    finally:
        delete_topics(ladders, [gone])


@pytest.mark.kafka
def test_ladders_that_are_not_there_are_named(kafka: KafkaCluster) -> None:
    scheduler = AtWork(RetryScheduler(settings(kafka), Clock()))
    on.await_true(scheduler.is_over)
    assert isinstance(scheduler.failure, MisconfiguredService)
    assert "delivery-retry-7200s" in str(scheduler.failure)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_order_goes_back_once_however_often_the_scheduler_is_killed(ladders: KafkaCluster) -> None:
    chance, waiting, count = random.Random(7), Waiting(ladders), 6_000
    for number in range(count):
        waiting.put(chance.choice(LADDER_S), number, due(NOW - DAY_MS + number))
    waiting.flush()
    for _ in range(6):
        before = len(on.lane(ladders, "city"))
        process = spawn(ladders)
        try:
            goal = min(before + chance.randrange(1, count // 8), count)
            on.await_true(lambda p=process, goal=goal: p.poll() is not None or len(on.lane(ladders, "city")) >= goal)  # type: ignore[misc]
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()
    with at_work(RetryScheduler(settings(ladders), Clock(NOW + DAY_MS))):
        found = on.await_records(lambda: on.lane(ladders, "city"), count)
    assert sorted(numbers(found)) == list(range(count))


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_platform_that_is_away_for_three_days_is_asked_on_every_rung(ladders: KafkaCluster) -> None:
    clock, waiting, orders = Clock(), Waiting(ladders), 10
    lane = Consumer(ladders.consumer_config(group_id="lane", isolation_level="read_committed"))
    lane.assign([TopicPartition(ladders.topic(lane_topic("city", "orders")), number, 0) for number in range(8)])
    asked_at: dict[int, list[int]] = {number: [NOW] for number in range(orders)}

    def refuse(number: int, failures: int) -> int:
        at = clock.now + CITY.delay_s(c.BONUS, failures) * 1_000
        waiting.put(CITY.delay_s(c.BONUS, failures), number, due(at, failures=failures))
        return at

    with at_work(RetryScheduler(settings(ladders), clock)):
        next_at = min([refuse(number, 1) for number in asked_at])
        waiting.flush()
        while next_at <= NOW + 3 * DAY_MS:
            clock.now, missing = next_at, orders
            while missing:
                message = lane.poll(on.PATIENCE_S)
                assert message is not None and message.error() is None
                number = int(on.CODEC.decode(message.value()).start_charge_seq[9:])
                failures = int(dict(message.headers() or [])["failures"]) + 1  # type: ignore[arg-type]
                asked_at[number].append(clock.now)
                next_at = refuse(number, failures)
                missing -= 1
            waiting.flush()
    lane.close()
    waits_s = [(after - before) // 1_000 for before, after in zip(asked_at[0], asked_at[0][1:], strict=False)]
    assert waits_s[:7] == [150, 300, 600, 900, 1800, 3600, 3600]
    assert set(waits_s[6:]) == {3600}
    assert sum(waits_s) == 3_750 + 3_600 * (len(waits_s) - 5) <= 3 * DAY_MS // 1_000 < sum(waits_s) + 3_600
    assert all(times == asked_at[0] for times in asked_at.values())
