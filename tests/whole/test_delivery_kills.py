"""kill -9 of the lanes, the router, the retry scheduler and the broker, again and again: for every platform each order
is confirmed, dead-lettered or waiting, and little is sent twice."""

import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import Producer

from connectors.platform import load_platforms
from infra.delivery_status import gather
from infra.demo.services import ServiceProcess
from infra.local.broker import LocalKafka
from infra.simulator.platform.faults import FaultKind
from infra.simulator.platform.onboarding import platform_environment, platform_profile
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, declared_topics
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import CODEC, dead_letters
from tests.whole.topics import until

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(1200)]

#: What is killed, in a seeded order.
KILLS = ["broker"] + ["lanes"] * 3 + ["router"] * 2 + ["retries"] * 2
#: Where time does not matter.
MANY_KILLS = ["broker"] * 2 + ["lanes"] * 7 + ["router"] * 6 + ["retries"] * 6
PLATFORMS = ("east", "west")
BONUS = "notification_charge_order_info_for_bonus"

DEADLINES_S = {"notification_start_charge_result": 50, "notification_stop_charge_result": 50, BONUS: 150}
RETRY = {"ladder_s": [1, 2], "in_place_s": [0.1, 0.5]}


@dataclass(slots=True)
class Run:
    """What went in, what each platform got, and what was dead-lettered for it."""

    kills: list[str]
    orders: set[str] = field(default_factory=set)
    confirmed: dict[str, Counter[str]] = field(default_factory=dict)
    buried: dict[str, set[str]] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)


class Stand:
    """Broker, two cities, and the three services, each of which may be killed."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self._home = home
        self.broker = LocalKafka(home, port=0, die_with_parent=True)
        self.broker.start()
        stack.callback(self.broker.kill)
        self.cluster = KafkaCluster(bootstrap=self.broker.bootstrap)
        self.cities = {name: stack.enter_context(PlatformThread()) for name in PLATFORMS}
        profiles = home / "platforms"
        profiles.mkdir()
        self.environment = {"EVCS_KAFKA_BOOTSTRAP": self.broker.bootstrap, "EVCS_PLATFORMS": str(profiles)}
        for name, city in self.cities.items():
            (profiles / f"{name}.toml").write_text(platform_profile(name, DEADLINES_S, RETRY))
            self.environment |= platform_environment(name, city.base_url)
        self.platforms = [load_platforms(environ=self.environment).platforms[name] for name in PLATFORMS]
        self._services: dict[str, ServiceProcess] = {}
        self._producer = Producer(self.cluster.producer_config(linger_ms=1))
        stack.callback(self.stop)

    def start(self, *names: str) -> None:
        """Starts these services."""
        for name in names:
            arguments = ["delivery", "run", *PLATFORMS, "--part", name]
            self._services[name] = ServiceProcess(
                name, arguments, self.environment, self._home / f"{name}-{time.time_ns()}.log"
            )

    def kill(self, name: str) -> None:
        """kill -9, and a new start."""
        if name == "broker":
            self.broker.kill()
            self.broker.start()
        else:
            self._services[name].kill()
            self.start(name)

    def check(self) -> None:
        """Fails if a service has ended by itself."""
        for service in self._services.values():
            service.check()

    def stop(self) -> None:
        """Ends all services in order."""
        for service in self._services.values():
            service.stop()
        self._services = {}

    def charge(self, numbers: range) -> list[str]:
        """A start, a stop and an order each, where the streams put them; a step is on its topic before the next."""
        at = time.time_ns() // 1_000_000
        for step, (topic, make) in enumerate(
            (
                ("charge-start-results", r.start),
                ("charge-stop-results", r.stop),
                ("charge-orders", r.order),
            )
        ):
            for n in numbers:
                value = CODEC.encode(make(n, f"C{n}"))
                self._producer.produce(self.cluster.topic(topic), value, f"C{n}".encode(), timestamp=at + step)
            assert self._producer.flush(120) == 0
        return [r.seq(n) for n in numbers]

    def buried(self, name: str) -> set[str]:
        """The orders that were dead-lettered for a platform."""
        letters = dead_letters(self.cluster, f"delivery-{name}-orders")
        return {CODEC.decode(letter.value).start_charge_seq for letter in letters if letter.value}

    def waiting(self) -> dict[str, int]:
        """Orders that lie on lanes and ladders, by platform."""
        return {
            report.platform: report.orders for report in gather(self.cluster, self.platforms) if report.lane == "orders"
        }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, thorough: bool) -> Iterator[Run]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:
        home = tmp_path_factory.mktemp("delivery-kills")
        stand = Stand(home, stack)
        environment.setenv("EVCS_PLATFORMS", stand.environment["EVCS_PLATFORMS"])
        create_topics(stand.cluster, topics=declared_topics(PLATFORMS))
        yield _run(stand, MANY_KILLS if thorough else KILLS, seed=7)


def _run(stand: Stand, kills: list[str], seed: int) -> Run:
    rng = random.Random(seed)
    result = Run(kills=rng.sample(kills, len(kills)))
    for city in stand.cities.values():
        # Not taken, so that what comes again is no repeat of the platform's making.
        city.faults.inject(FaultKind.RET_BUSY, BONUS, probability=0.4, processed=False)
        city.faults.inject(FaultKind.RET_4004, BONUS, probability=0.1, processed=False)
    stand.start("router", "retries", "lanes")
    result.orders.update(stand.charge(range(20)))
    until(lambda: all(city.ledger.orders for city in stand.cities.values()), "the first orders")
    made = 20
    for victim in result.kills:
        result.orders.update(stand.charge(range(made, made + 15)))
        made += 15
        time.sleep(rng.uniform(0.1, 1.5))
        stand.kill(victim)
        time.sleep(rng.uniform(0.5, 3.0))
        stand.check()
    until(lambda: all(stand.buried(name) for name in PLATFORMS), "some are refused for good", every_s=1.0)
    for city in stand.cities.values():
        city.faults.clear()
    until(lambda: _all_told(stand, result.orders), "every order is confirmed or dead-lettered", every_s=1.0)
    # Of what came again something may still be on its way, or on a ladder.
    until(lambda: not any(stand.waiting().values()), "nothing waits", every_s=1.0)
    stand.stop()
    result.waiting = stand.waiting()
    for name, city in stand.cities.items():
        result.confirmed[name] = Counter(receipt.key for receipt in city.ledger.received(BONUS))
        result.buried[name] = stand.buried(name)
        result.violations[name] = [f"{v.kind} {v.interface} {v.message}" for v in city.ledger.violations]
    return result


def _all_told(stand: Stand, orders: set[str]) -> bool:
    stand.check()
    return all(
        orders <= {receipt.key for receipt in city.ledger.received(BONUS)} | stand.buried(name)
        for name, city in stand.cities.items()
    )


def test_there_was_something_to_lose(run: Run) -> None:
    assert len(run.orders) == 20 + 15 * len(run.kills)
    assert all(run.confirmed[name] and run.buried[name] for name in PLATFORMS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_order_is_confirmed_or_dead_lettered_and_none_waits(run: Run, name: str) -> None:
    assert run.confirmed[name].keys() | run.buried[name] == run.orders
    assert run.waiting[name] == 0


@pytest.mark.parametrize("name", PLATFORMS)
def test_an_order_is_repeated_once_a_kill_at_most(run: Run, name: str) -> None:
    """Only of what lanes had taken and not committed; neither router nor scheduler repeats anything."""
    again = {key: times - 1 for key, times in run.confirmed[name].items() if times > 1}
    log.info("%s: %d of %d orders came again", name, sum(again.values()), len(run.orders))
    assert max(again.values(), default=0) <= run.kills.count("lanes") + run.kills.count("broker")


@pytest.mark.parametrize("name", PLATFORMS)
def test_no_start_comes_after_its_stop_and_no_order_before_its_start(run: Run, name: str) -> None:
    assert run.violations[name] == []
