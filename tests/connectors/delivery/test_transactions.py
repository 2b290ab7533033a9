"""A producer that loses its place: to another process, which ends the service, or to one of its own that it left
behind, which does not."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.delivery import transactions
from connectors.delivery.transactions import Transactions
from connectors.errors import KafkaRefused
from schemas.cluster import KafkaCluster
from tests.connectors.delivery.on_kafka import everything_on

pytestmark = pytest.mark.kafka

TOPIC = "charge-orders"
ID = "a-router"


def begun(kafka: KafkaCluster) -> Transactions:
    made = Transactions(kafka, kafka.topic(ID), "its place is taken", lambda: False)
    made.start()
    return made


def take_its_place(kafka: KafkaCluster) -> Producer:
    other = Producer(kafka.producer_config(transactional_id=kafka.topic(ID)))
    other.init_transactions(60)
    return other


def values(kafka: KafkaCluster) -> list[bytes | None]:
    return [message.value() for message in everything_on(kafka, TOPIC)]


def test_whose_place_another_process_takes_is_refused(kafka: KafkaCluster) -> None:
    ours = begun(kafka)
    assert ours.put(kafka.topic(TOPIC), b"k", b"first")
    assert ours.commit()
    take_its_place(kafka)
    with pytest.raises(KafkaRefused, match="its place is taken"):
        for _ in range(2):
            ours.put(kafka.topic(TOPIC), b"k", b"second")
            ours.commit()
    assert values(kafka) == [b"first"]


def test_one_of_its_own_that_it_left_behind_does_not_end_the_service(
    kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a call to a restarting broker hangs, and comes back once a new producer has begun."""
    ours = begun(kafka)
    called, hangs = ours._called, [True]

    def hanging_once(call: Callable[[float], Any]) -> Any:
        if hangs:
            hangs.clear()
            raise transactions._Fenced("the client does not come back")
        return called(call)

    assert ours.put(kafka.topic(TOPIC), b"k", b"lost")
    ours._begun_at -= 60
    monkeypatch.setattr(ours, "_called", hanging_once)
    assert not ours.commit()
    take_its_place(kafka)
    kept = []
    for value in (b"second", b"third", b"fourth"):
        ours.put(kafka.topic(TOPIC), b"k", value)
        if ours.commit():
            kept.append(value)
    assert kept
    assert values(kafka) == kept
