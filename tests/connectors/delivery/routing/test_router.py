"""The router on a real broker: every record exactly once, in its connector's order, for whom it is meant."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.delivery import peers
from connectors.delivery.buffers import PAUSE_AT
from connectors.delivery.forwarder import group_of
from connectors.delivery.routing.router import NAME, Router
from connectors.delivery.routing.settings import RouterSettings
from connectors.delivery.topics import LANES, SOURCES, delivery_topics
from connectors.errors import KafkaRefused, MisconfiguredService
from connectors.policies import Scope
from infra.topic_admin import delete_topics
from schemas.cluster import KafkaCluster
from schemas.compacted import partitions_of
from schemas.records.derived import StatusChange
from schemas.watermarks import watermarks
from tests.at_work import AtWork, at_work
from tests.connectors.delivery import on_lanes as on
from tests.connectors.delivery import records as r
from tests.connectors.delivery.routing import charges as ch
from tests.connectors.delivery.routing.router_process import NORTH, PAIR, settings, spawn
from tests.whole.topics import until

pytestmark = pytest.mark.kafka

CITY = on.platform("city")
STATIONS = ("S1", "S2", "S3")


@pytest.fixture
def lanes(kafka: KafkaCluster) -> Iterator[KafkaCluster]:
    """The cluster with the lanes of the tests' platforms."""
    platforms = (CITY, NORTH, PAIR)
    on.make_lanes(kafka, *platforms)
    yield kafka
    delete_topics(kafka, delivery_topics(platforms))


def patient(cluster: KafkaCluster, *platforms: object, **more: object) -> RouterSettings:
    """Settings with which no slow machine looks like a partition without a leader."""
    made = RouterSettings((CITY,), cluster, window_s=0.3, silence_s=3_600)
    return replace(made, **({"platforms": platforms} if platforms else {}), **more)  # type: ignore[arg-type]


def expected(due: list[ch.Due], stations: tuple[str, ...], states: bool) -> dict[str, list[object]]:
    """By connector what a lane must hold, in its order."""
    made: dict[str, list[object]] = {}
    for record in ch.of_stations(due, stations):
        if isinstance(record, StatusChange) is states:
            made.setdefault(record.connector_id, []).append(record)
    return made


def committed_and_ends(
    cluster: KafkaCluster, group: str
) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
    """By (topic, partition), of the sources that hold records."""
    consumer = Consumer(cluster.consumer_config(group_id=group))
    try:
        names = [cluster.topic(name) for name in SOURCES]
        every = [TopicPartition(name, number) for name in names for number in partitions_of(consumer, name)]
        ends = {(tp.topic, tp.partition): watermarks(consumer, tp.topic, tp.partition)[1] for tp in every}
        committed = {(tp.topic, tp.partition): tp.offset for tp in consumer.committed(every, timeout=30)}
    finally:
        consumer.close()
    held = {place: end for place, end in ends.items() if end}
    return {place: committed[place] for place in held}, held


def test_one_that_knows_other_platforms_does_not_begin_beside_it(
    lanes: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its partitions' records would be lost to the others' platforms."""
    monkeypatch.setattr(peers, "PATIENCE_S", 0.5)
    first = Router(patient(lanes, CITY, NORTH))
    with at_work(first):
        until(lambda: first.forwarder.partitions, "it has its partitions")
        for known in ((CITY,), (CITY, NORTH, PAIR)):
            with pytest.raises(MisconfiguredService, match="the router of instance 0 knows other platforms"):
                Router(patient(lanes, *known, instance="1")).run()
        with at_work(Router(patient(lanes, NORTH, CITY, instance="1"))):
            pass


def test_a_backlog_comes_out_in_the_order_of_its_charges(lanes: KafkaCluster) -> None:
    due = ch.many(1_000, connectors=40, stations=STATIONS)
    ch.write(lanes, due)
    with at_work(Router(patient(lanes, window_s=0.05))):
        orders = on.await_records(lambda: on.lane(lanes, "city"), 6_000)
        states = on.await_records(lambda: on.lane(lanes, "city", "states"), 1_000)
    assert on.by_connector(orders) == expected(due, STATIONS, states=False)
    assert on.by_connector(states) == expected(due, STATIONS, states=True)


def test_a_record_keeps_its_bytes_and_time_and_its_key_is_the_connector(lanes: KafkaCluster) -> None:
    due = ch.charge(1, "A", "S1", ch.PAST)
    ch.write(lanes, due)
    with at_work(Router(patient(lanes))):
        found = on.await_records(lambda: on.lane(lanes, "city"), len(due))
    assert [(one.timestamp, one.record) for one in found] == due
    assert [one.value for one in found] == [ch.CODEC.encode(record) for _, record in due]
    assert {(one.key, one.partition, str(one.headers)) for one in found} == {(b"A", found[0].partition, "{}")}


def test_what_comes_while_it_works_is_routed_and_its_offsets_are_committed(lanes: KafkaCluster) -> None:
    made = patient(lanes, on.platform("city", Scope(stations=frozenset({"S1"}))))
    with at_work(Router(made)):
        for number in range(3):
            ch.write(lanes, ch.charge(number, "A", "S1", ch.PAST + number * 1_000_000))
            ch.write(lanes, ch.charge(number + 100, "B", "S2", ch.PAST + number * 1_000_000))
            found = on.await_records(lambda: on.lane(lanes, "city"), 6 * (number + 1))
        assert {one.key for one in found} == {b"A"}
        # What is for nobody is done with as well: a platform that is added later does not get it.
        on.await_true(lambda: len(set(map(str, committed_and_ends(lanes, group_of(lanes, NAME))))) == 1)


def test_what_cannot_be_routed_is_dead_lettered_with_its_reason(lanes: KafkaCluster) -> None:
    on.publish(lanes, on.station("S1", "110105"), on.station("S3", "310000"))
    producer = Producer(lanes.producer_config())
    for value in (b"nonsense", None, ch.CODEC.encode(r.stop(1, "A"))):
        producer.produce(lanes.topic("charge-orders"), value, b"key", timestamp=ch.PAST)
    assert producer.flush(30) == 0
    due: list[ch.Due] = [
        (ch.PAST + 1, replace(r.order(1, "A"), station_id="S1")),
        (ch.PAST + 2, replace(r.order(2, "A"), station_id="S2")),
        (ch.PAST + 3, replace(r.order(3, "A"), station_id="S3")),
        (ch.PAST + 4, replace(r.status("A"), station_id="S9")),
    ]
    ch.write(lanes, due)
    with at_work(Router(patient(lanes, CITY, NORTH, PAIR))):
        on.await_true(lambda: len(on.letters(lanes, "charge-orders")) >= 4)
        on.await_true(lambda: on.letters(lanes, "connector-status-changes"))
        for name, count in (("city", 3), ("north", 1), ("pair", 2)):
            on.await_records(lambda name=name: on.lane(lanes, name), count)  # type: ignore[misc]
    routed = {name: [one.record for one in on.lane(lanes, name)] for name in ("city", "north", "pair")}
    orders = [record for _, record in due[:3]]
    assert routed == {"city": orders, "north": orders[:1], "pair": [orders[0], orders[2]]}
    assert [one.record for one in on.lane(lanes, "city", "states")] == [due[3][1]]
    told = {(letter.reason, letter.value) for letter in on.letters(lanes, "charge-orders")}
    assert told == {
        ("undecodable", b"nonsense"),
        ("undecodable", None),
        ("unexpected_record_type", ch.CODEC.encode(r.stop(1, "A"))),
        ("unknown_station", ch.CODEC.encode(orders[1])),
    }
    (letter,) = on.letters(lanes, "connector-status-changes")
    assert (letter.reason, letter.topic, letter.recorded_at) == (
        "unknown_station",
        "connector-status-changes",
        ch.PAST + 4,
    )
    assert letter.detail == "station 'S9' is not on station-catalog: not routed to north"


def test_a_letter_that_would_be_too_large_names_the_record_by_its_place(lanes: KafkaCluster) -> None:
    producer = Producer(lanes.producer_config(message_max_bytes=1_048_000))
    producer.produce(lanes.topic("charge-progress"), bytes(999_990), b"key")
    large = ch.CODEC.encode(replace(r.start(1, "A"), vin="x" * 1_030_000))
    producer.produce(lanes.topic("charge-start-results"), large, b"A")
    assert producer.flush(30) == 0
    ch.write(lanes, [(ch.PAST, r.order(1, "A"))])
    with at_work(Router(patient(lanes))):
        on.await_true(lambda: on.letters(lanes, "charge-progress"))
        on.await_true(lambda: on.letters(lanes, "charge-start-results"))
        on.await_records(lambda: on.lane(lanes, "city"), 1)
    (undecodable,), (too_large,) = on.letters(lanes, "charge-progress"), on.letters(lanes, "charge-start-results")
    assert (undecodable.value, undecodable.reason) == (None, "unknown_schema_id")
    assert "999990 bytes are too many to keep" in undecodable.detail
    assert (too_large.value, too_large.reason, too_large.offset) == (None, "too_large", 0)


def test_a_station_that_is_new_on_the_catalog_is_followed(lanes: KafkaCluster) -> None:
    on.publish(lanes, on.station("S1", "110105"))
    with at_work(Router(patient(lanes, NORTH))):
        ch.write(lanes, [(ch.PAST, r.order(1, "A"))])
        on.await_records(lambda: on.lane(lanes, "north"), 1)
        on.publish(lanes, on.station("S2", "110106"))
        number = 1

        def one_more() -> bool:
            nonlocal number
            number += 1
            ch.write(lanes, [(ch.PAST + number, replace(r.order(number, "A"), station_id="S2"))])
            return len(on.lane(lanes, "north")) > 1

        on.await_true(one_more)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_every_record_is_there_exactly_once_however_often_the_router_is_killed(lanes: KafkaCluster, seed: int) -> None:
    chance = random.Random(seed)
    on.publish(lanes, on.station("S1", "110105"), on.station("S2", "110106"), on.station("S3", "310000"))
    due = ch.many(600, connectors=30, stations=STATIONS)
    total = sum(1 for _ in ch.of_stations(due, ("S1", "S2"))) + sum(1 for _ in ch.of_stations(due, ("S1", "S3")))

    def there() -> int:
        return sum(len(on.lane(lanes, name, which)) for name in ("north", "pair") for which in LANES)

    rounds = 6
    for number in range(rounds):
        size = len(due) // rounds + 1
        ch.write(lanes, due[number * size : (number + 1) * size])
        before = there()
        router = spawn(lanes)
        try:
            goal = before + chance.randrange(1, total // rounds)
            on.await_true(lambda router=router, goal=goal: router.poll() is not None or there() >= goal)  # type: ignore[misc]
            assert router.poll() is None
        finally:
            router.kill()
            router.wait()
    with at_work(Router(settings(lanes))):
        on.await_true(lambda: there() >= total)
    for name, stations in (("north", ("S1", "S2")), ("pair", ("S1", "S3"))):
        orders, states = on.lane(lanes, name), on.lane(lanes, name, "states")
        assert on.by_connector(orders) == expected(due, stations, states=False)
        assert on.by_connector(states) == expected(due, stations, states=True)
        assert on.repeated(orders) == on.repeated(states) == []


def test_two_routers_share_the_work_and_either_may_go(lanes: KafkaCluster) -> None:
    due = ch.many(300, connectors=30, stations=STATIONS)
    third = len(due) // 3
    first = AtWork(Router(patient(lanes, batch=100)))
    ch.write(lanes, due[:third])
    with at_work(Router(patient(lanes, batch=100, instance="1"))):
        ch.write(lanes, due[third : 2 * third])
        on.await_records(lambda: on.lane(lanes, "city"), third // 2)
        first.end()
        ch.write(lanes, due[2 * third :])
        found = on.await_records(lambda: on.lane(lanes, "city"), 1_800)
        on.await_records(lambda: on.lane(lanes, "city", "states"), 300)
    assert first.failure is None
    assert len(found) == 1_800
    assert on.repeated(found) == on.repeated(on.lane(lanes, "city", "states")) == []
    # What is keyed by the connector stays in order; an order may be another router's than its charge's stop.
    for records in on.by_connector(found).values():
        stops = [record for record in records if type(record) is not type(r.order(1, "A"))]
        assert stops == [
            record for record in expected(due, STATIONS, states=False)[stops[0].connector_id] if record in stops
        ]


def test_partitions_that_were_paused_are_read_on_when_they_come_back(
    lanes: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = PAUSE_AT + 500
    ch.write(lanes, [(ch.PAST + n, r.status("A", observed_at=ch.PAST + n)) for n in range(count)])
    first = Router(patient(lanes))
    buffers = first.forwarder._buffers
    monkeypatch.setattr(buffers, "take", lambda now, limit: [])
    with at_work(first):
        on.await_true(lambda: any(buffer.paused for buffer in list(buffers._buffers.values())))
        second = Router(patient(lanes, instance="1"))
        with at_work(second):
            on.await_true(lambda: len(second.forwarder._buffers._buffers))
        monkeypatch.undo()
        on.await_records(lambda: on.lane(lanes, "city", "states"), count)
    assert on.repeated(on.lane(lanes, "city", "states")) == []


def test_a_second_router_of_the_same_name_ends_the_first(lanes: KafkaCluster) -> None:
    first = AtWork(Router(patient(lanes)))
    ch.write(lanes, ch.charge(1, "A", "S1", ch.PAST))
    on.await_records(lambda: on.lane(lanes, "city"), 6)
    with at_work(Router(patient(lanes))):
        for number in range(2, 50):
            # Of another connector each time: the two share the partitions, and the first learns it by one of its own.
            ch.write(lanes, ch.charge(number, f"C{number}", "S1", ch.PAST + number * 1_000_000))
            on.await_records(lambda number=number: on.lane(lanes, "city"), 6 * number)  # type: ignore[misc]
            if first.is_over():
                break
        on.await_true(first.is_over)
    assert isinstance(first.failure, KafkaRefused)
    assert "EVCS_DELIVERY_INSTANCE" in str(first.failure)
    assert on.repeated(on.lane(lanes, "city")) == []


def test_lanes_that_are_not_there_are_named(kafka: KafkaCluster) -> None:
    router = AtWork(Router(patient(kafka)))
    on.await_true(router.is_over)
    assert isinstance(router.failure, MisconfiguredService)
    assert "delivery-city-orders" in str(router.failure)
    assert "evcs topics create" in str(router.failure)


def test_a_catalog_that_is_not_there_is_named_if_a_scope_asks_it(kafka: KafkaCluster) -> None:
    nowhere = replace(kafka, topic_prefix=f"{kafka.topic_prefix}nowhere-")
    for platform, asks in ((NORTH, True), (CITY, False)):
        router = AtWork(Router(patient(nowhere, platform)))
        on.await_true(router.is_over)
        assert isinstance(router.failure, MisconfiguredService)
        assert (nowhere.topic("station-catalog") in str(router.failure)) is asks
