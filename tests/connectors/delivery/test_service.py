"""The delivery service between a real broker and the simulated platform: everything arrives, offsets stand behind
what was confirmed, and neither bad records nor a platform that is away stop it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, TopicPartition

from connectors.delivery import service
from connectors.delivery.breaker import BreakerState
from connectors.delivery.parcel import Parcel, parcel
from connectors.delivery.push import ANSWER_MAX_BYTES
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.topics import delivery_topics
from connectors.delivery.transport import HttpTransport
from connectors.errors import KafkaRefused, MisconfiguredService
from connectors.policies import Addresses, BreakerPolicy
from infra.local.broker import LocalKafka
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.offsets import ContiguousOffsets
from schemas.records.delivery import Attempt
from schemas.records.derived import Derived
from schemas.records.faults import DeadLetter
from schemas.topic import all_topics
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import (
    CODEC,
    ORDERS,
    Holding,
    Writer,
    dead_letters,
    delivering_to,
    delivery_with,
    everything_on,
    offsets,
    running,
    until,
)

pytestmark = pytest.mark.kafka


@pytest.fixture
def city() -> Iterator[PlatformThread]:
    """Beijing with the public test secrets."""
    with PlatformThread() as started:
        yield started


@pytest.fixture
def writer(kafka: KafkaCluster) -> Writer:
    """What plays the streams."""
    return Writer(kafka)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits for what is in flight, and for its commit, however slow the machine is."""
    monkeypatch.setattr(service, "_DRAIN_S", 120.0)
    monkeypatch.setattr(service, "_LEAVE_S", 120.0)


@pytest.fixture
def short_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits only a moment for what can't be delivered."""
    monkeypatch.setattr(service, "_DRAIN_S", 0.2)


def told(city: PlatformThread) -> dict[str, int]:
    """Accepted pushes by interface."""
    every = (c.STATUS, c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS)
    return {interface: city.ledger.count(interface) for interface in every if city.ledger.count(interface)}


def repeats(city: PlatformThread) -> int:
    """Accepted pushes that had come before."""
    return sum(city.ledger.duplicates(interface) for interface in told(city))


def test_charges_are_told_in_order_and_offsets_committed(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka)
    charges = 30

    async def scenario() -> None:
        async with running(settings) as delivery:
            await until(lambda: delivery.partitions)
            makers: tuple[Callable[[int, str], Derived], ...] = (r.start, r.progress, r.stop)
            for make in makers:
                writer.put(*[make(n, f"C{n}") for n in range(charges)])
            writer.put(*[r.order(n, f"C{n}", 1 + n % 2) for n in range(charges)])
            writer.put(*[r.status(f"C{n}") for n in range(charges)])
            await until(lambda: city.ledger.count(c.STATUS) == charges and city.ledger.count(c.BONUS) == charges)
            await until(lambda: delivery.lanes.held == 0)

    asyncio.run(scenario())
    assert told(city) == {
        c.STATUS: charges,
        c.START: charges,
        c.PROGRESS: charges,
        c.STOP: charges,
        c.ORDER: charges // 2,
        c.BONUS: charges,
    }
    assert repeats(city) == 0
    assert set(city.ledger.orders) == {r.seq(n) for n in range(charges)}
    assert city.ledger.violations == []
    assert city.ledger.count(c.TOKEN) == 1
    committed, ends = offsets(settings)
    assert committed == ends
    assert len({topic for topic, _ in ends}) == 2


def test_a_clean_stop_and_a_start_repeat_nothing(kafka: KafkaCluster, writer: Writer, city: PlatformThread) -> None:
    settings = delivering_to(city, kafka)
    writer.put(*[r.order(n, f"C{n}") for n in range(200)])

    async def deliver(count: int) -> None:
        async with running(settings):
            await until(lambda: city.ledger.count(c.BONUS) >= count)

    # Stopped in the middle: what is in flight is finished and committed.
    asyncio.run(deliver(20))
    asyncio.run(deliver(200))
    writer.put(*[r.order(n, f"C{n}") for n in range(200, 210)])
    asyncio.run(deliver(210))
    assert told(city) == {c.BONUS: 210}
    assert repeats(city) == 0
    committed, ends = offsets(settings)
    assert committed == ends


@pytest.mark.usefixtures("short_drain")
def test_no_offset_is_committed_beyond_an_unconfirmed_push(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    """Of one partition: a charge whose start is not taken, between two that are."""
    settings = delivering_to(city, kafka)
    writer.put(r.order(0, "before"), partition=0)
    writer.put(r.start(1, "stuck"), r.order(2, "behind"), partition=0)
    city.faults.inject("ret-busy", c.START)

    async def stuck() -> None:
        async with running(settings) as delivery:
            await until(lambda: city.ledger.count(c.BONUS) == 2 and city.ledger.faults_shown["ret-busy"] > 2)
            await until(lambda: delivery.lanes.held == 1)

    asyncio.run(stuck())
    committed, _ = offsets(settings)
    assert committed == {(ORDERS, 0): 1}
    assert set(city.ledger.orders) == {r.seq(0), r.seq(2)}

    async def healed() -> None:
        city.faults.clear()
        async with running(settings) as delivery:
            await until(lambda: city.ledger.count(c.START) == 1 and city.ledger.count(c.BONUS) == 3)
            await until(lambda: delivery.lanes.held == 0)

    asyncio.run(healed())
    committed, ends = offsets(settings)
    assert committed == ends == {(ORDERS, 0): 3}
    # Only what lay behind the stuck one was repeated.
    assert {receipt.key for receipt in city.ledger.receipts if receipt.duplicate} == {r.seq(2)}


def test_an_order_that_is_not_taken_waits_on_its_ladder_and_holds_nothing_up(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    """One of its two interfaces refuses it: only that one is due again, and the lane's offsets go on."""
    settings = delivering_to(city, kafka)
    city.faults.inject("ret-busy", c.ORDER)
    writer.put(r.order(1, "A", 1), r.order(2, "B"), partition=0)

    async def scenario() -> None:
        async with running(settings) as delivery:
            await until(lambda: city.ledger.count(c.BONUS) == 2 and delivery.lanes.held == 0)

    before = time.time_ns() // 1_000_000
    asyncio.run(scenario())
    committed, ends = offsets(settings)
    assert committed == ends == {(ORDERS, 0): 2}
    (waiting,) = everything_on(kafka, "delivery-retry-150s")
    onwards = parcel(waiting.headers())
    assert (onwards.interface, onwards.failures, onwards.platform) == (c.ORDER, 1, "beijing")
    assert before + 150_000 <= onwards.due_at <= time.time_ns() // 1_000_000 + 150_000
    assert (waiting.key(), waiting.value()) == (b"A", CODEC.encode(r.order(1, "A", 1)))
    ledger = [CODEC.decode_as(Attempt, message.value()) for message in everything_on(kafka, "delivery-attempts")]
    told = {(a.key, a.interface): (a.attempt, a.outcome, a.ret, a.next_due_at) for a in ledger}
    assert told == {
        (r.seq(1), c.ORDER): (1, "LADDER", -1, onwards.due_at),
        (r.seq(1), c.BONUS): (1, "DONE", 0, None),
        (r.seq(2), c.BONUS): (1, "DONE", 0, None),
    }


def test_what_comes_back_from_the_ladder_goes_to_its_interface_only(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka)
    city.faults.inject("ret-500", c.ORDER, count=1)
    writer.put(r.order(1, "A", 1), parcel=Parcel(c.ORDER, failures=2))

    async def once() -> None:
        async with running(settings) as delivery:
            await until(lambda: city.ledger.faults_shown["ret-500"] == 1 and delivery.lanes.held == 0)

    asyncio.run(once())
    (waiting,) = everything_on(kafka, "delivery-retry-600s")
    assert parcel(waiting.headers()).failures == 3
    writer.put(r.order(1, "A", 1), parcel=Parcel(c.ORDER, failures=3))

    async def again() -> None:
        async with running(settings):
            await until(lambda: city.ledger.count(c.ORDER) == 1)

    asyncio.run(again())
    assert told(city) == {c.ORDER: 1}


def test_of_a_long_backlog_of_states_each_connector_costs_one_push(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka, breaker=BreakerPolicy(consecutive=3, probe_first_s=0.2, probe_max_s=0.2))
    connectors, changes = 40, 50
    city.go_down()

    async def scenario() -> None:
        async with running(settings) as delivery:
            await until(lambda: delivery.partitions)
            writer.put(*[r.status(f"C{n}", 1 + n % 3) for n in range(connectors)])
            await until(lambda: delivery.lanes.breaker.state is BreakerState.OPEN)
            for change in range(changes):
                writer.put(*[r.status(f"C{n}", 1 + (n + change) % 3) for n in range(connectors)])
            writer.put(*[r.status(f"C{n}", 4) for n in range(connectors)])
            await until(lambda: delivery.lanes.backlogs["states"].superseded == connectors * (changes + 1))
            assert delivery.lanes.held == connectors
            await asyncio.to_thread(city.come_up)
            await until(lambda: delivery.lanes.held == 0)

    asyncio.run(scenario())
    assert told(city) == {c.STATUS: connectors}
    assert {info["Status"] for info in city.ledger.statuses.values()} == {4}
    committed, ends = offsets(settings)
    assert committed == ends


def test_a_platform_that_is_down_at_first_and_in_between(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka)

    async def scenario() -> None:
        async with running(settings) as delivery:

            async def away(number: int) -> None:
                before, failed = city.ledger.count(c.STOP), delivery.lanes.tally.failures.total()
                await asyncio.to_thread(city.go_down)
                writer.put(*(make(n, f"C{n}") for n in (number, 10 + number) for make in (r.start, r.stop)))
                await until(lambda: delivery.lanes.tally.failures.total() >= failed + 4)
                assert city.ledger.count(c.STOP) == before
                await asyncio.to_thread(city.come_up)
                await until(lambda: city.ledger.count(c.STOP) == before + 2)

            await away(1)
            await away(2)

    asyncio.run(scenario())
    assert repeats(city) == 0
    committed, ends = offsets(settings)
    assert committed == ends


def test_no_more_is_held_than_allowed(kafka: KafkaCluster, writer: Writer, city: PlatformThread) -> None:
    """What does not fit into memory waits on Kafka; one poll may bring a batch more."""
    settings = soon_full(city, kafka)
    writer.put(*[r.stop(n, f"C{n}") for n in range(3_000)])

    async def scenario() -> None:
        most = 0

        async def watch(delivery: Delivery) -> None:
            nonlocal most
            while True:
                most = max(most, delivery.lanes.held)
                await asyncio.sleep(0.001)

        await asyncio.to_thread(city.go_down)
        async with running(settings) as delivery:
            watching = asyncio.create_task(watch(delivery))
            await until(lambda: delivery.lanes.breaker.state is BreakerState.OPEN and delivery.lanes.held >= 50)
            failed = delivery.lanes.tally.failures.total()
            await until(lambda: delivery.lanes.tally.failures.total() > failed + 3)
            await asyncio.to_thread(city.come_up)
            await until(lambda: city.ledger.count(c.STOP) == 3_000)
            watching.cancel()
        assert 50 <= most < 50 + service.BATCH + 1

    asyncio.run(scenario())
    assert repeats(city) == 0
    committed, ends = offsets(settings)
    assert committed == ends


def soon_full(city: PlatformThread, cluster: KafkaCluster) -> DeliverySettings:
    """Of a delivery whose lane of orders is soon paused while the platform is away, which is asked every 0.2 s."""
    breaker = BreakerPolicy(consecutive=3, probe_first_s=0.2, probe_max_s=0.2)
    return replace(delivering_to(city, cluster, breaker=breaker), orders_held_max=50)


def test_the_lag_is_all_that_waits_also_what_is_not_read(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a lane is paused its client hears of no new ends, and of some partitions nothing was read at all."""
    monkeypatch.setattr(service, "_STATUS_EVERY_S", 0.2)
    monkeypatch.setattr(service, "_TELL_EVERY_S", 0.2)
    settings = soon_full(city, kafka)
    writer.put(*[r.stop(n, f"C{n}") for n in range(3_000)])

    async def scenario() -> None:
        await asyncio.to_thread(city.go_down)
        async with running(settings) as delivery:
            await until(lambda: delivery.lags == {"orders": 3_000, "states": 0})
            await asyncio.to_thread(writer.put, *[r.stop(n, f"C{n}") for n in range(3_000, 3_200)])
            await until(lambda: delivery.lags["orders"] == 3_200)
            await asyncio.to_thread(city.come_up)
            await until(lambda: delivery.lags["orders"] == 0)
            assert delivery.lanes.tally.confirmed[c.STOP] == 3_200

    asyncio.run(scenario())


@pytest.mark.usefixtures("short_drain")
def test_a_lane_that_was_paused_is_read_on_when_it_comes_back(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = soon_full(city, kafka)
    writer.put(*[r.stop(n, f"C{n}") for n in range(3_000)])

    async def scenario() -> None:
        await asyncio.to_thread(city.go_down)
        async with running(settings) as first:
            await until(lambda: first._paused["orders"])
            async with running(settings) as second:
                await until(lambda: second.partitions)
            await asyncio.to_thread(city.come_up)
            await until(lambda: city.ledger.unique(c.STOP) == 3_000)
            await until(lambda: first.lanes.held == 0)

    asyncio.run(scenario())
    committed, ends = offsets(settings)
    assert committed == ends


BAD: dict[str, tuple[bytes | None, str]] = {
    "garbage": (b"not Avro at all", "undecodable"),
    "empty": (b"", "undecodable"),
    "tombstone": (None, "undecodable"),
    "unknown schema id": (b"\x00\x00\x0f\xff\xff123", "unknown_schema_id"),
    "cut off": (CODEC.encode(r.order(1, "A"))[:-3], "undecodable"),
    "too long": (CODEC.encode(r.order(1, "A")) + b"\x00", "undecodable"),
    "another lane's record": (CODEC.encode(r.status("A")), "unexpected_record_type"),
    "a record without connector": (
        CODEC.encode(DeadLetter("", "", "", 0, 0, 0, 0, None, None)),
        "unexpected_record_type",
    ),
}


def test_bad_records_are_dead_lettered_and_the_stream_goes_on(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka)
    recorded_at = wall_ms() - 60_000
    writer.put_raw(*[(ORDERS, b"A", value) for value, _ in BAD.values()], at=recorded_at, partition=3)
    writer.put(r.order(1, "A"), partition=3)

    async def scenario() -> None:
        async with running(settings):
            await until(lambda: city.ledger.count(c.BONUS) == 1)

    asyncio.run(scenario())
    letters = dead_letters(kafka, ORDERS)
    assert Counter(letter.reason for letter in letters) == Counter(reason for _, reason in BAD.values())
    by_offset = {letter.offset: letter for letter in letters}
    for offset, (value, reason) in enumerate(BAD.values()):
        letter = by_offset[offset]
        assert (letter.topic, letter.partition, letter.recorded_at) == (ORDERS, 3, recorded_at)
        assert (letter.key, letter.value, letter.reason) == (b"A", value, reason)
        assert letter.detail
        assert letter.failed_at > recorded_at
    committed, ends = offsets(settings)
    assert committed == ends == {(ORDERS, 3): len(BAD) + 1}


def test_what_was_owed_to_an_interface_that_is_off_is_dead_lettered(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    """An order comes back from its ladder, and the profile does not name its interface any more."""
    settings = delivering_to(city, kafka)
    order = CODEC.encode(r.order(1, "A"))
    writer.put_raw((ORDERS, b"A", order), partition=3, parcel=Parcel("notification_no_more", failures=2))
    writer.put(r.order(2, "A"), partition=3)

    async def scenario() -> None:
        async with running(settings):
            await until(lambda: city.ledger.count(c.BONUS) == 1)

    asyncio.run(scenario())
    (letter,) = dead_letters(kafka, ORDERS)
    assert (letter.reason, letter.value, letter.offset) == ("interface_off", order, 0)
    assert "notification_no_more" in letter.detail
    committed, ends = offsets(settings)
    assert committed == ends == {(ORDERS, 3): 2}


def test_a_bad_record_too_large_for_its_letter(kafka: KafkaCluster, writer: Writer, city: PlatformThread) -> None:
    settings = delivering_to(city, kafka)
    writer.put_raw((ORDERS, b"A", b"\xff" * 999_900), partition=0)
    writer.put(r.order(1, "A"), partition=0)

    async def scenario() -> None:
        async with running(settings):
            await until(lambda: city.ledger.count(c.BONUS) == 1)

    asyncio.run(scenario())
    (letter,) = dead_letters(kafka, ORDERS)
    assert (letter.reason, letter.topic, letter.partition, letter.offset) == ("undecodable", ORDERS, 0, 0)
    assert letter.value is None
    assert "999900 bytes" in letter.detail


def test_what_a_platform_or_the_standard_never_takes_is_dead_lettered(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    settings = delivering_to(city, kafka)
    too_long = r.order(2, "x" * 27)
    city.faults.inject("ret-4004", c.BONUS, count=1)

    async def scenario() -> None:
        async with running(settings) as delivery:
            writer.put(r.order(1, "A"))
            await until(lambda: city.ledger.refused)
            writer.put(too_long, r.order(3, "A"))
            await until(lambda: city.ledger.count(c.BONUS) == 1 and delivery.lanes.tally.given_up["unreportable"])
            await until(lambda: delivery.lanes.held == 0)

    asyncio.run(scenario())
    letters = {letter.reason: letter for letter in dead_letters(kafka, ORDERS)}
    assert set(letters) == {"rejected_by_platform", "unreportable"}
    assert letters["rejected_by_platform"].value == CODEC.encode(r.order(1, "A"))
    assert letters["unreportable"].value == CODEC.encode(too_long)
    assert "ConnectorID: has 27 characters" in letters["unreportable"].detail
    assert set(city.ledger.orders) == {r.seq(3)}
    committed, ends = offsets(settings)
    assert committed == ends


def test_a_token_that_ends_meanwhile(kafka: KafkaCluster, writer: Writer, city: PlatformThread) -> None:
    settings = delivering_to(city, kafka)

    async def scenario() -> None:
        async with running(settings):
            writer.put(r.order(1, "A"))
            await until(lambda: city.ledger.count(c.BONUS) == 1)
            city.expire_tokens()
            writer.put(*[r.order(n, f"C{n}") for n in range(2, 30)])
            await until(lambda: city.ledger.count(c.BONUS) == 29)

    asyncio.run(scenario())
    assert city.ledger.count(c.TOKEN) == 2
    assert repeats(city) == 0


@pytest.mark.usefixtures("short_drain")
def test_a_bug_in_a_lane_ends_the_service(kafka: KafkaCluster, writer: Writer, city: PlatformThread) -> None:
    settings = delivering_to(city, kafka)
    writer.put(r.order(1, "A"), partition=0)

    async def scenario() -> None:
        delivery = delivery_with(settings, c.City(lambda _: ZeroDivisionError()).transport)
        async with asyncio.timeout(120):
            await delivery.run()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(scenario())
    committed, _ = offsets(settings)
    assert committed == {}


def test_a_bug_that_shows_while_it_stops_is_told_too(kafka: KafkaCluster, writer: Writer) -> None:
    begun = asyncio.Event()
    go_on = asyncio.Event()

    async def script(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN:
            return None
        begun.set()
        await go_on.wait()
        return ZeroDivisionError()

    async def scenario() -> None:
        city = c.City(script)
        settings = c.settings(cluster=kafka, group=f"{kafka.topic_prefix}delivery")
        create_topics(kafka, topics=delivery_topics([settings.platform]))
        writer.put(r.order(1, "A"))
        delivery = delivery_with(settings, city.transport)
        task = asyncio.create_task(delivery.run())
        await begun.wait()
        delivery.stop()
        go_on.set()
        await task

    with pytest.raises(ZeroDivisionError):
        asyncio.run(scenario())


def test_commits_that_are_refused_end_it(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all that is pushed would be pushed again by the next start."""
    delivery = delivery_with(delivering_to(city, kafka))

    def refused() -> None:
        if city.ledger.unique(c.BONUS):  # before, it is the ends of empty partitions
            delivery._ready = {}
            delivery._commit_answered(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [])

    monkeypatch.setattr(delivery, "_begin_commit", refused)
    writer.put(r.order(1, "A"))
    with pytest.raises(KafkaRefused, match="offsets can't be committed"):
        asyncio.run(delivery.run())
    assert city.ledger.unique(c.BONUS) == 1


def test_while_the_cluster_is_away_nothing_is_sealed_twice(kafka: KafkaCluster, city: PlatformThread) -> None:
    delivery = delivery_with(delivering_to(city, kafka))
    books = delivery._books[ORDERS, 0] = ContiguousOffsets()
    books.handed_out(7)
    books.done(7)
    for _ in range(3):
        delivery._seal()
    assert [offsets for _, offsets in delivery._sealed] == [{(ORDERS, 0): 8}]
    delivery._commit_answered(KafkaError(KafkaError._TIMED_OUT), [])
    delivery._seal()
    assert len(delivery._sealed) == 2, "what could not be committed is committed with the next"
    failed = SimpleNamespace(topic=ORDERS, partition=0, offset=8, error=KafkaError(KafkaError.REBALANCE_IN_PROGRESS))
    delivery._commit_answered(None, [failed])  # type: ignore[list-item]
    delivery._seal()
    assert len(delivery._sealed) == 3, "so is what could not be committed of one partition"


def test_two_deliveries_of_one_group_lose_nothing(kafka: KafkaCluster, writer: Writer, city: PlatformThread) -> None:
    """One comes while records flow, the first one goes: the partitions change hands twice."""
    settings = delivering_to(city, kafka)
    numbers = count(0)

    def more() -> None:
        writer.put(*[r.order(n, f"C{n}") for n in (next(numbers) for _ in range(40))])

    async def scenario() -> int:
        first, second = delivery_with(settings), delivery_with(settings)
        tasks = [asyncio.create_task(first.run())]
        await until(lambda: first.partitions)
        more()
        await until(lambda: first.lanes.tally.confirmed.total())
        tasks.append(asyncio.create_task(second.run()))
        while not second.partitions:
            more()
            await asyncio.sleep(0.05)
        more()
        await until(lambda: second.lanes.tally.confirmed.total())
        first.stop()
        while not tasks[0].done():
            more()
            await asyncio.sleep(0.05)
        more()
        written = next(numbers)
        await until(lambda: city.ledger.unique(c.BONUS) == written)
        second.stop()
        await asyncio.gather(*tasks)
        return written

    written = asyncio.run(scenario())
    assert set(city.ledger.orders) == {r.seq(n) for n in range(written)}
    committed, ends = offsets(settings)
    assert committed == ends


def test_a_partition_that_is_revoked_and_assigned_again_within_one_poll_loses_nothing(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a poll does that waits while another process joins the group."""
    delivery = delivery_with(delivering_to(city, kafka))
    poll = delivery._poll
    changed_hands: list[TopicPartition] = []

    def poll_that_rebalances() -> list[service.Taken]:
        taken = poll()
        if changed_hands or not any(message.error() is None for message, _ in taken):
            return taken
        changed_hands.extend(TopicPartition(*place) for place in delivery._books)
        delivery._lost(delivery._consumer, changed_hands)
        delivery._assigned(delivery._consumer, changed_hands)
        return [(message, delivery._books[message.topic() or "", message.partition() or 0]) for message, _ in taken]

    monkeypatch.setattr(delivery, "_poll", poll_that_rebalances)

    async def scenario() -> None:
        task = asyncio.create_task(delivery.run())
        writer.put(r.order(1, "A"))
        await until(lambda: city.ledger.unique(c.BONUS) == 1)
        delivery.stop()
        await task

    asyncio.run(scenario())
    assert changed_hands
    assert set(city.ledger.orders) == {r.seq(1)}


@pytest.mark.usefixtures("short_drain")
def test_what_another_took_over_is_not_told_by_the_former_owner(
    kafka: KafkaCluster, writer: Writer, city: PlatformThread
) -> None:
    """A late status is worse than none: of two states of a connector the platform must keep the newer one."""
    settings = delivering_to(city, kafka)
    connectors = [f"C{n}" for n in range(8)]

    def tell(status: int) -> None:
        for partition, connector in enumerate(connectors):
            writer.put(r.status(connector, status), partition=partition)

    def newest() -> list[str]:
        return [connector for connector, info in city.ledger.statuses.items() if info["Status"] == 2]

    async def scenario() -> None:
        holding = Holding(HttpTransport(settings.platform.timeouts, 8, ANSWER_MAX_BYTES))
        async with running(settings, holding) as first:
            tell(1)
            await until(lambda: set(holding.held) == set(connectors))
            async with running(settings) as second:
                await until(lambda: second.partitions and first.partitions == second.partitions)
                tell(2)
                # The second one has told both states of its half; the first one still holds the other half.
                await until(lambda: len(newest()) == 4)
                theirs = set(newest())
                holding.holds = False
                await until(lambda: len(newest()) == 8)
                await until(lambda: first.lanes.held == second.lanes.held == 0)
                assert not theirs & set(holding.passed)

    asyncio.run(scenario())
    assert {connector: info["Status"] for connector, info in city.ledger.statuses.items()} == dict.fromkeys(
        connectors, 2
    )


@pytest.mark.slow
def test_a_stop_while_the_cluster_is_away_takes_seconds(
    tmp_path: Path, city: PlatformThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is there to commit to, and a bad record that can't be dead-lettered waits for the next start."""
    monkeypatch.setattr(service, "_LEAVE_S", 0.5)
    broker = LocalKafka(tmp_path, port=0, die_with_parent=True)
    broker.start()
    try:
        cluster = KafkaCluster(bootstrap=broker.bootstrap)
        every = [t for t in delivery_topics([c.BEIJING]) if t.name != f"{ORDERS}-dlq"]
        create_topics(cluster, topics=[*every, all_topics()["delivery-attempts"]])
        writer = Writer(cluster)
        address = Addresses(production=f"{city.base_url}/", test=f"{city.base_url}/")
        settings = c.settings(platform=replace(c.BEIJING, addresses=address), cluster=cluster, group="delivery")

        async def scenario() -> None:
            delivery = delivery_with(settings)
            task = asyncio.create_task(delivery.run())
            writer.put(r.order(1, "A"))
            await until(lambda: city.ledger.count(c.BONUS) == 1)
            # The topic of its dead letters does not exist.
            writer.put_raw((ORDERS, b"A", b"garbage"))
            await asyncio.to_thread(broker.kill)
            delivery.stop()
            # The client itself takes its session's 6 s to leave a group whose coordinator is away.
            async with asyncio.timeout(120):
                await task

        asyncio.run(scenario())
    finally:
        broker.kill()


def test_a_cluster_that_no_client_can_be_made_for() -> None:
    cluster = KafkaCluster(security={"security.protocol": "SSL", "ssl.ca.location": "/nowhere.pem"})
    with pytest.raises(MisconfiguredService, match=r"EVCS_KAFKA_\*: .*ssl\.ca\.location"):
        delivery_with(c.settings(cluster=cluster, group="x"))
