"""`evcs bench isolation`: what platforms that misbehave cost those that do not.

Ten simulated platforms, first undisturbed, then with one that refuses connections, one that answers after ten seconds,
one that resets connections and one that answers garbage. Afterwards all are well again, and everything must be there.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer

from connectors.delivery.topics import delivery_topics
from connectors.platform import load_platforms
from infra.bench.delivery_records import orders, statuses
from infra.bench.ledger import attempts, delay_ms, quantile
from infra.demo.services import ServiceProcess, await_group
from infra.errors import OperatorError
from infra.simulator.platform.dialect import BONUS_ORDER, STATION_STATUS
from infra.simulator.platform.faults import FaultKind
from infra.simulator.platform.onboarding import platform_environment, platform_profile
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.topic import all_topics

Tell = Callable[[str], None]

#: What the four that misbehave do.
MISBEHAVIOURS = ("refuses", "slow", "resets", "garbage")

_SLOW_S = 10.0
_FLUSH_S = 60.0
_DRAIN_TIMEOUT_S = 600.0

_DEADLINES_S = {STATION_STATUS: 10, BONUS_ORDER: 150}


@dataclass(frozen=True, slots=True)
class IsolationSettings:
    """`per_s` records a second go to every platform, half statuses of `connectors` connectors, half orders."""

    platforms: int = 10
    seconds: float = 600.0
    per_s: float = 20.0
    connectors: int = 50
    ladder_s: tuple[int, ...] = (5, 10, 20)


def measure(cluster: KafkaCluster, settings: IsolationSettings, tell: Tell) -> dict[str, object]:
    """Both runs, and what became of everything. Raises OperatorError when a part fails."""
    with _stand(cluster, settings) as stand:
        tell(f"undisturbed, {settings.seconds:.0f} s")
        quiet = stand.run(settings.seconds)
        tell(f"with {', '.join(MISBEHAVIOURS)}, {settings.seconds:.0f} s")
        stand.misbehave()
        disturbed = stand.run(settings.seconds)
        stand.behave()
        tell("all are well again: waiting until everything has arrived")
        drained_s = stand.drain()
        before, during = stand.delays(quiet), stand.delays(disturbed)
        return {
            "p99_undisturbed_ms": quantile(before, 0.99),
            "p99_disturbed_ms": quantile(during, 0.99),
            "ratio": round(quantile(during, 0.99) / max(quantile(before, 0.99), 1), 2),
            "median_undisturbed_ms": quantile(before, 0.5),
            "median_disturbed_ms": quantile(during, 0.5),
            "healthy_platforms": len(stand.healthy),
            "pushes_undisturbed": len(before),
            "pushes_disturbed": len(during),
            "orders": len(stand.orders),
            "orders_missing": stand.missing(),
            "statuses_overtaken": stand.overtaken(),
            "drained_s": round(drained_s, 1),
        }


class Stand:
    """The platforms, the process that delivers to them, and what was put on their lanes."""

    def __init__(
        self,
        cluster: KafkaCluster,
        settings: IsolationSettings,
        cities: Mapping[str, PlatformThread],
        process: ServiceProcess,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._cities = cities
        self._process = process
        self._codec = codec_for(cluster.schema_registry_url)
        self._producer = Producer(cluster.producer_config(linger_ms=1))
        self._made = 0
        self._newest: dict[str, int] = {}
        self._down: list[PlatformThread] = []
        self.orders: set[str] = set()
        names = list(cities)
        self.bad = dict(zip(MISBEHAVIOURS, names, strict=False))
        self.healthy = [name for name in names if name not in self.bad.values()]

    def run(self, seconds: float) -> tuple[int, int]:
        """Puts records on every lane for so long; returns from when to when, UTC ms."""
        began = time.time()
        for number in range(round(seconds * self._settings.per_s)):
            self._put()
            due = began + (number + 1) / self._settings.per_s
            self._producer.poll(0)
            time.sleep(max(0.0, due - time.time()))
            self._process.check()
        if self._producer.flush(_FLUSH_S):
            raise OperatorError("the broker has not taken the benchmark's records")
        return round(began * 1000), round(time.time() * 1000)

    def _put(self) -> None:
        number, self._made = self._made, self._made + 1
        if number % 2:
            record: object = orders(number)
            lane, key = "orders", f"{number:016d}"
            self.orders.add(f"123456789{number:018d}")
        else:
            connector = (number // 2) % self._settings.connectors
            status = 1 + (number // 2 // self._settings.connectors) % 4
            record, lane, key = statuses(connector, status), "states", f"{connector:016d}"
            self._newest[key] = status
        value = self._codec.encode(record)
        for name in self._cities:
            self._producer.produce(self._cluster.topic(f"delivery-{name}-{lane}"), value, key.encode())

    def misbehave(self) -> None:
        """The four begin."""
        for how, name in self.bad.items():
            city = self._cities[name]
            if how == "refuses":
                city.go_down()
                self._down.append(city)
            elif how == "slow":
                city.faults.inject(FaultKind.SLOW, delay_s=_SLOW_S)
            elif how == "resets":
                city.faults.inject(FaultKind.RESET, processed=False)
            else:
                city.faults.inject(FaultKind.GARBAGE, processed=False)

    def behave(self) -> None:
        """All are well again."""
        for city in self._cities.values():
            city.faults.clear()
        while self._down:
            self._down.pop().come_up()

    def drain(self) -> float:
        """Waits until every platform has every order and every newest status; returns how long that took, s."""
        began = time.monotonic()
        while self.missing() or self.overtaken():
            self._process.check()
            if time.monotonic() - began > _DRAIN_TIMEOUT_S:
                break
            time.sleep(0.2)
        return time.monotonic() - began

    def missing(self) -> int:
        """Orders that a platform does not have, of all platforms together."""
        return sum(
            len(self.orders - {r.key for r in city.ledger.received(BONUS_ORDER)}) for city in self._cities.values()
        )

    def overtaken(self) -> int:
        """Connectors whose last status at a platform is not the newest, of all platforms together."""
        return sum(
            city.ledger.statuses.get(key, {}).get("Status") != status
            for city in self._cities.values()
            for key, status in self._newest.items()
        )

    def delays(self, between: tuple[int, int]) -> list[int]:
        """How long after it was due each push of the healthy platforms was confirmed, ms, of what was due then."""
        return [
            delay_ms(attempt)
            for attempt in attempts(self._cluster)
            if attempt.platform in self.healthy and between[0] <= attempt.due_at < between[1]
        ]


@contextmanager
def _stand(cluster: KafkaCluster, settings: IsolationSettings) -> Iterator[Stand]:
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    names = [f"city-{number}" for number in range(settings.platforms)]
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        cities = {name: stack.enter_context(PlatformThread()) for name in names}
        environment = {
            "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
            "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
            "EVCS_PLATFORMS": str(home),
        }
        for name, city in cities.items():
            retry = {"ladder_s": list(settings.ladder_s)}
            (home / f"{name}.toml").write_text(platform_profile(name, _DEADLINES_S, retry), encoding="utf-8")
            environment |= platform_environment(name, city.base_url)
        platforms = [load_platforms(environ=environment).platforms[name] for name in names]
        stack.callback(delete_topics, cluster)
        create_topics(cluster, replication=1, topics=[*all_topics().values(), *delivery_topics(platforms)])
        arguments = ["delivery", "run", *names, "--part", "lanes", "--part", "retries", "--log-level", "error"]
        process = ServiceProcess("delivery", arguments, environment, home / "delivery.log")
        stack.callback(process.stop)
        for name in names:
            await_group(cluster, f"{cluster.topic_prefix}evcs-delivery-{name}", process)
        yield Stand(cluster, settings, cities, process)
