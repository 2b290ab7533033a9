"""Whether members of a group find out that they know different platforms."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from confluent_kafka import Consumer

from connectors.delivery import peers as peers_module
from connectors.delivery.peers import Peers
from connectors.errors import MisconfiguredService
from schemas.cluster import KafkaCluster

pytestmark = pytest.mark.kafka

GROUP = "evcs-router"


def peers(kafka: KafkaCluster, *known: str, instance: str = "0", name: str = "router") -> Peers:
    return Peers(kafka, kafka.topic(GROUP), name, instance, known)


@contextmanager
def at_work(kafka: KafkaCluster, one: Peers) -> Iterator[None]:
    """It is a member of the group."""
    config = kafka.consumer_config(group_id=kafka.topic(GROUP), client_id=one.client_id)
    consumer = Consumer(config)
    assigned: list[bool] = []
    consumer.subscribe([kafka.topic("charge-orders")], on_assign=lambda *_: assigned.append(True))
    try:
        while not assigned:
            consumer.poll(0.05)
        yield
    finally:
        consumer.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was killed."""
    monkeypatch.setattr(peers_module, "PATIENCE_S", 0.5)


def never() -> bool:
    return False


def test_a_group_without_members_is_nobodys(kafka: KafkaCluster) -> None:
    peers(kafka, "beijing").require_alike(never)


def test_those_that_know_the_same_are_alike(kafka: KafkaCluster) -> None:
    one = peers(kafka, "beijing", "chengdu")
    with at_work(kafka, one):
        one.require_alike(never)
        peers(kafka, "chengdu", "beijing", instance="1").require_alike(never)


@pytest.mark.parametrize("known", [("beijing",), ("beijing", "chengdu", "tianjin"), ()])
def test_one_that_knows_others_is_told_whom_to_start_again(kafka: KafkaCluster, known: tuple[str, ...]) -> None:
    with at_work(kafka, peers(kafka, "beijing", "chengdu", instance="a.b-1")):
        with pytest.raises(MisconfiguredService, match=r"the router of instance a\.b-1 knows other platforms"):
            peers(kafka, *known, instance="1").require_alike(never)


def test_one_that_goes_meanwhile_is_waited_for(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_module, "PATIENCE_S", 60.0)
    asked: list[bool] = []

    def goes() -> bool:
        asked.append(True)
        if len(asked) == 2:
            other.close()
        return False

    with ExitStack() as other:
        other.enter_context(at_work(kafka, peers(kafka, "beijing")))
        peers(kafka, "chengdu").require_alike(goes)
    assert len(asked) == 2


def test_clients_of_other_kinds_do_not_matter(kafka: KafkaCluster) -> None:
    with at_work(kafka, peers(kafka, "beijing", name="routers")):
        peers(kafka, "chengdu").require_alike(never)


def test_a_cluster_that_is_away_is_asked_until_given_up(kafka: KafkaCluster) -> None:
    asked: list[bool] = []

    def given_up() -> bool:
        asked.append(True)
        return len(asked) > 2

    away = KafkaCluster(bootstrap="127.0.0.1:9", topic_prefix=f"{uuid.uuid4().hex}-")
    give_up: Callable[[], bool] = given_up
    Peers(away, GROUP, "router", "0", ["beijing"]).require_alike(give_up)
    assert len(asked) == 3
