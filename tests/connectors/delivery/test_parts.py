"""When the parts of a delivery process are ready, and what has left a forwarder, without a broker."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.delivery.buffers import Held
from connectors.delivery.forwarder import Forwarder
from connectors.delivery.outbox import outbox_producer
from connectors.delivery.parts import Delivering, Forwarding
from connectors.delivery.retries import RetryScheduler, RetrySettings
from connectors.delivery.routing.router import Router
from connectors.delivery.routing.settings import RouterSettings
from connectors.delivery.service import Delivery
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import city as c

NOWHERE = KafkaCluster(bootstrap="127.0.0.1:9")
TOPIC = "delivery-beijing-orders"


def router() -> Forwarder[Any]:
    return Router(RouterSettings((c.BEIJING,), NOWHERE)).forwarder


def scheduler() -> Forwarder[Any]:
    return RetryScheduler(RetrySettings((c.BEIJING,), NOWHERE), lambda: 0).forwarder


def lanes() -> Delivery:
    return Delivery(c.settings(cluster=NOWHERE, group="lanes"), outbox_producer(NOWHERE))


@pytest.mark.parametrize("made", [router, scheduler, lanes])
@pytest.mark.parametrize("how", ["_revoked", "_lost"])
def test_a_part_is_ready_while_it_has_its_partitions(made: Any, how: str) -> None:
    part: Any = made()
    seen: Delivering | Forwarding = part
    consumer = cast(Consumer, SimpleNamespace(resume=lambda _: None))
    mine = [TopicPartition(TOPIC, number) for number in (0, 1)]
    assert not seen.ready
    part._assigned(consumer, mine)
    assert seen.ready
    assert seen.partitions == 2
    getattr(part, how)(consumer, mine)
    assert not seen.ready
    assert seen.partitions == 0
    part._assigned(consumer, [])
    assert seen.ready, "others have all partitions"
    part.stop()
    assert not seen.ready


def test_what_has_left_is_what_counts() -> None:
    forwarder, place = router(), (TOPIC, 0)
    transactions: Any = SimpleNamespace(commit=lambda *_: True)
    forwarder._transactions = transactions
    forwarder._reading = cast(Consumer, SimpleNamespace(consumer_group_metadata=lambda: None))
    forwarder._buffers.assign([place], 0.0)
    given_out = [Held(place, offset, (0, 0), 0.0, None) for offset in (5, 6, 7)]

    def finish() -> tuple[int, int]:
        forwarder._written = list(given_out)
        forwarder._finish()
        return forwarder.forwarded, forwarder.waiting

    assert finish() == (3, 0)
    transactions.commit = lambda *_: False
    forwarder._committed = lambda _: {place: 6}  # type: ignore[method-assign, assignment]
    assert finish() == (4, 2), "the first had been committed after all"
