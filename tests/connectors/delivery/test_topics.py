"""The topics that follow from the platforms' profiles."""

from dataclasses import replace

import pytest

from connectors.delivery.topics import (
    LANES,
    SOURCES,
    dead_letter_topic,
    delivery_topics,
    is_delivery_topic,
    lane_topic,
    retry_topic,
    rungs,
)
from connectors.interfaces.registry import interfaces
from connectors.platform import load_platforms
from schemas.codec import RECORD_TYPES
from schemas.topic import all_topics
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r

PLATFORMS = load_platforms().platforms
BEIJING, CHENGDU = PLATFORMS["beijing"], PLATFORMS["chengdu"]
DAY_MS = 86_400_000


def test_names() -> None:
    assert lane_topic("beijing", "states") == "delivery-beijing-states"
    assert lane_topic("beijing", "orders") == "delivery-beijing-orders"
    assert dead_letter_topic("delivery-beijing-orders") == "delivery-beijing-orders-dlq"
    assert retry_topic(150) == "delivery-retry-150s"


def test_of_one_platform() -> None:
    assert [topic.name for topic in delivery_topics([BEIJING])] == [
        "delivery-beijing-states",
        "delivery-beijing-states-dlq",
        "delivery-beijing-orders",
        "delivery-beijing-orders-dlq",
        *(f"delivery-retry-{rung}s" for rung in (150, 300, 600, 900, 1800, 3600)),
    ]


def test_rungs_are_shared() -> None:
    assert rungs([BEIJING, CHENGDU]) == [15, 30, 150, 180, 300, 600, 900, 1800, 3600]
    names = [topic.name for topic in delivery_topics([BEIJING, CHENGDU])]
    assert len(names) == len(set(names)) == 2 * 4 + 9
    assert rungs([]) == []
    assert delivery_topics([]) == []


def test_an_interfaces_own_ladder_adds_its_rungs_and_one_that_is_off_none() -> None:
    policies = dict(BEIJING.interfaces)
    policies[c.BONUS] = replace(policies[c.BONUS], ladder_s=(7, 70))
    assert set(rungs([replace(BEIJING, interfaces=policies)])) == {7, 70, *BEIJING.retry.ladder_s}
    policies[c.ORDER] = replace(policies[c.ORDER], on=False)
    assert rungs([replace(BEIJING, interfaces=policies)]) == [7, 70]
    policies[c.BONUS] = replace(policies[c.BONUS], on=False)
    assert rungs([replace(BEIJING, interfaces=policies)]) == []


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_wait_of_a_platform_has_its_topic(name: str) -> None:
    platform = PLATFORMS[name]
    made = {topic.name for topic in delivery_topics([platform])}
    for interface in platform.pushes(r.order(1, "A", charge_model=1)):
        assert {retry_topic(platform.delay_s(interface.name, n)) for n in range(1, 100)} <= made


def test_every_record_that_is_pushed_has_a_lane_and_every_source_too() -> None:
    pushed = {i.record for name, i in interfaces().items() if any(p.is_on(name) for p in PLATFORMS.values())}
    on_lanes = {RECORD_TYPES[record] for records in LANES.values() for record in records}
    assert on_lanes == {record for record in pushed if record in RECORD_TYPES.values()}
    for source, lane in SOURCES.items():
        assert set(all_topics()[source].records) <= set(LANES[lane])


def test_what_each_is_made_of() -> None:
    made = {topic.name: topic for topic in delivery_topics([BEIJING])}
    states, orders = made["delivery-beijing-states"], made["delivery-beijing-orders"]
    assert (states.records, orders.records) == (LANES["states"], LANES["orders"])
    assert (states.retention_ms, orders.retention_ms) == (7 * DAY_MS, 365 * DAY_MS)
    assert states.partitions == orders.partitions == 8
    rung = made["delivery-retry-150s"]
    assert (rung.records, rung.retention_ms) == (("order",), 365 * DAY_MS)
    for name in ("delivery-beijing-states-dlq", "delivery-beijing-orders-dlq"):
        assert (made[name].records, made[name].partitions, made[name].retention_ms) == (
            ("dead_letter",),
            1,
            365 * DAY_MS,
        )
    for topic in made.values():
        assert (topic.key, topic.cleanup, topic.replication) == ("ConnectorID", "delete", 3)
        assert topic.why.endswith(".")


@pytest.mark.parametrize("topic", delivery_topics(PLATFORMS.values()), ids=lambda topic: topic.name)
def test_each_is_known_as_one_and_no_file_declares_it(topic: object) -> None:
    name = getattr(topic, "name", "")
    assert is_delivery_topic(name)
    assert name not in all_topics()


@pytest.mark.parametrize(
    "name",
    [
        *all_topics(),
        "",
        "delivery",
        "delivery-",
        "delivery-beijing",
        "delivery-beijing-orders-dlq-dlq",
        "delivery-beijing-Orders",
        "delivery-retry-s",
        "delivery-retry-150",
        "x-delivery-beijing-orders",
        "delivery-beijing-orders\n",
    ],
)
def test_others_are_not(name: str) -> None:
    assert not is_delivery_topic(name)
