"""The platform misbehaves in every way it can: once it behaves again, everything is there, and in order."""

import asyncio
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from connectors.delivery.parts import Parts
from connectors.delivery.process import ProcessSettings, work
from connectors.delivery.retries import RetrySettings
from connectors.delivery.routing.settings import RouterSettings
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.topics import delivery_topics, lane_topic
from connectors.policies import BreakerPolicy, Retry, Scope, Timeouts
from infra.demo.run import PLATFORM
from infra.local.broker import LocalKafka
from infra.simulator.fleet.sender import Sender
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.faults import FaultKind
from infra.simulator.platform.onboarding import platform_environment
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.derived import Derived, StatusChange
from schemas.records.faults import DeadLetter
from schemas.topic import all_topics
from tests.connectors.delivery.on_kafka import dead_letters as dead_letters_of
from tests.connectors.interfaces import records
from tests.whole.topics import PATIENCE_S, dead_letters, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

CODEC = codec_for("")
CONNECTORS = 8

STATUS, ORDER, BONUS = (
    "notification_stationStatus",
    "notification_charge_order_info",
    "notification_charge_order_info_for_bonus",
)
RESULTS = (
    "notification_start_charge_result",
    "notification_equip_charge_status",
    "notification_stop_charge_result",
)
PROGRESS = RESULTS[1]
#: StartChargeSeqStat of a charge that has ended.
ENDED = 4
STATES_LANE, ORDERS_LANE = lane_topic(PLATFORM, "states"), lane_topic(PLATFORM, "orders")

#: What a connector with one charge owes.
OWED = Counter({STATUS: 1, ORDER: 1, BONUS: 1, RESULTS[0]: 1, RESULTS[1]: 2, RESULTS[2]: 1})

#: In the order in which they happen: topic and record.
HISTORY: tuple[tuple[str, Derived], ...] = (
    ("connector-status-changes", records.STATUS),
    ("charge-start-results", records.STARTED_WELL),
    ("charge-progress", records.PROGRESS),
    ("charge-progress", records.STOPPED),
    ("charge-stop-results", records.STOPPED_WELL),
    ("charge-orders", replace(records.ORDER, charge_model=1)),
)


@dataclass(slots=True)
class Stand:
    """A running delivery, its platform, and a way to give it something to deliver."""

    cluster: KafkaCluster
    city: PlatformThread
    sender: Sender
    charges: int = 0

    def charge(self) -> list[str]:
        """Puts one charge of each of some new connectors on the derived topics; returns their ids.

        A step is on its topic before the next one is written, as it is behind a worker: how long they lie apart is
        nobody's promise, only that no fetch can have the later one alone.
        """
        numbers = range(self.charges, self.charges + CONNECTORS)
        self.charges += CONNECTORS
        at = time.time_ns() // 1_000_000
        for step, (topic, record) in enumerate(HISTORY):
            for number in numbers:
                mine = replace(record, connector_id=_connector(number))
                if not isinstance(mine, StatusChange):
                    mine = replace(mine, start_charge_seq=_seq(number))
                self.sender.send(self.cluster.topic(topic), mine.connector_id.encode(), CODEC.encode(mine), at + step)
            self.sender.flush()
        return [_connector(number) for number in numbers]

    def arrived(self, connectors: list[str]) -> dict[str, Counter[str]]:
        """Pushes by connector and interface, repeats left out."""
        found = {connector: Counter[str]() for connector in connectors}
        owners = {_seq_of(connector): connector for connector in connectors} | {c: c for c in connectors}
        for receipt in self.city.ledger.receipts.copy():
            if receipt.key in owners and not receipt.duplicate:
                found[owners[receipt.key]][receipt.interface] += 1
        return found


def _connector(number: int) -> str:
    return f"{number:017}"


def _seq(number: int) -> str:
    return _seq_of(_connector(number))


def _seq_of(connector: str) -> str:
    return f"123456789{connector}"


@pytest.fixture(scope="module")
def stand(broker: LocalKafka) -> Iterator[Stand]:
    cluster = KafkaCluster(bootstrap=broker.bootstrap, topic_prefix=f"t{uuid.uuid4().hex[:8]}-")
    with PlatformThread() as city:
        environment = {"EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap, "EVCS_TOPIC_PREFIX": cluster.topic_prefix}
        settings = DeliverySettings.from_env(PLATFORM, {**environment, **platform_environment(PLATFORM, city.base_url)})
        platform = replace(
            settings.platform,
            scope=Scope(),
            timeouts=Timeouts(connect_s=0.5, read_s=0.5, total_s=0.8),
            retry=Retry(ladder_s=(1, 2), in_place_s=(0.05, 0.2), results_attempts=10_000),
            # What fails in most of its calls must go on failing, and not be left alone.
            breaker=BreakerPolicy(consecutive=1_000_000, least=1_000_000, paused_probe_s=0.1),
        )
        create_topics(cluster, topics=[*all_topics().values(), *delivery_topics([platform])])
        whole = ProcessSettings(
            cluster=cluster,
            lanes=(replace(settings, platform=platform),),
            router=RouterSettings((platform,), cluster),
            retries=RetrySettings((platform,), cluster),
        )
        started: list[tuple[asyncio.Event, asyncio.AbstractEventLoop]] = []

        async def deliver() -> None:
            stopping = asyncio.Event()
            started.append((stopping, asyncio.get_running_loop()))
            await work(whole, Parts(), stopping)

        thread = threading.Thread(target=lambda: asyncio.run(deliver()), name="delivery")
        thread.start()
        until(lambda: started, "delivery is at work")
        yield Stand(cluster, city, Sender(cluster))
        stopping, loop = started[0]
        loop.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    delete_topics(cluster)


def is_told(got: Counter[str], owed: Counter[str] = OWED) -> bool:
    """Whether all that is owed has arrived; of a charge's progress one that is newer may stand for those before."""
    progress = Counter({PROGRESS: got[PROGRESS]})
    return 0 < got[PROGRESS] <= owed[PROGRESS] and got - progress == owed - Counter({PROGRESS: owed[PROGRESS]})


def everything_arrived(stand: Stand, connectors: list[str]) -> bool:
    """Whether each of these connectors has been told of in full, its charge's end included."""
    ended = {r.key for r in stand.city.ledger.received(PROGRESS) if r.payload["StartChargeSeqStat"] == ENDED}
    return all(is_told(got) for got in stand.arrived(connectors).values()) and ended >= set(map(_seq_of, connectors))


def lane_letters(stand: Stand) -> list[DeadLetter]:
    """What the lanes gave up."""
    return dead_letters_of(stand.cluster, ORDERS_LANE) + dead_letters_of(stand.cluster, STATES_LANE)


#: Instead of processing as the kind does by default, and after it, so that what is sent again is a repeat.
CASES = [(kind, None) for kind in FaultKind if kind is not FaultKind.RET_4004] + [
    (FaultKind.HTTP_500, True),
    (FaultKind.RESET, True),
    (FaultKind.RET_BUSY, True),
    (FaultKind.GARBAGE, False),
    (FaultKind.BAD_SIGNATURE, False),
]


@pytest.mark.parametrize(("kind", "processed"), CASES)
def test_after_every_fault_everything_arrives_in_order(stand: Stand, kind: FaultKind, processed: bool | None) -> None:
    ledger, faults = stand.city.ledger, stand.city.faults
    # A refused status is dropped and a refused order disputed, as the document has it: nothing to send again.
    interfaces = RESULTS if kind is FaultKind.REFUSAL else ()
    violations, shown = len(ledger.violations), ledger.faults_shown[kind]
    faults.inject(kind, *interfaces, probability=0.6, delay_s=0.3, processed=processed)
    connectors = stand.charge()
    until(lambda: ledger.faults_shown[kind] >= shown + CONNECTORS, "the platform misbehaves", every_s=0.02)
    faults.clear()
    until(lambda: everything_arrived(stand, connectors), "everything arrives", every_s=0.05)
    # What comes of a token that was dropped on the way is part of the fault.
    flaws = [v for v in ledger.violations[violations:] if v.kind is not Kind.TOKEN]
    assert flaws == []
    assert lane_letters(stand) == []
    assert dead_letters(stand.cluster) == []


def test_only_what_the_platform_rejects_for_good_is_dead_lettered(stand: Stand) -> None:
    stand.city.faults.inject(FaultKind.RET_4004, BONUS, count=3)
    connectors = stand.charge()

    def got() -> Counter[str]:
        return sum(stand.arrived(connectors).values(), Counter())

    owed = Counter({interface: count * CONNECTORS for interface, count in OWED.items()}) - Counter({BONUS: 3})
    until(lambda: is_told(got(), owed), "all but the rejected")
    until(lambda: len(lane_letters(stand)) == 3, "the dead letters")
    for letter in lane_letters(stand):
        assert (letter.reason, letter.topic) == ("rejected_by_platform", ORDERS_LANE)
        assert CODEC.decode(letter.value).connector_id in connectors
        assert letter.key == CODEC.decode(letter.value).connector_id.encode()


def test_a_platform_that_was_down_gets_everything(stand: Stand) -> None:
    stand.city.go_down()
    connectors = stand.charge()
    violations, dead = len(stand.city.ledger.violations), len(dead_letters(stand.cluster))
    time.sleep(0.5)  # let connections be refused
    assert not any(stand.arrived(connectors).values())
    stand.city.come_up()
    until(lambda: everything_arrived(stand, connectors), "everything arrives")
    assert [v for v in stand.city.ledger.violations[violations:] if v.kind is not Kind.TOKEN] == []
    assert len(dead_letters(stand.cluster)) == dead
