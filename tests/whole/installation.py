"""A whole installation for a test: worker, delivery and a city's platform around a fleet; each may be killed."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, TopicPartition

from connectors.delivery.topics import LANES as DELIVERY_LANES
from connectors.delivery.topics import lane_topic
from infra.demo.run import PLATFORM
from infra.demo.services import ServiceProcess, await_group
from infra.demo.watch import DERIVED
from infra.local.broker import LocalKafka
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.platform.ledger import Receipt
from infra.simulator.platform.onboarding import platform_environment
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, declared_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from schemas.watermarks import watermarks
from streams.services import READY
from streams.tracking import EVENTS, TELEMETRY
from tests.whole.topics import PATIENCE_S, until

_TOKEN = "query_token"

ROUTER = "evcs-router"
LANES = f"evcs-delivery-{PLATFORM}"


_PARTITIONS = {topic.name: topic.partitions for topic in declared_topics([PLATFORM])}

Offsets = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Mark:
    """All that was derived up to `derived`, or had arrived at `at`, counted as done at `committed_at` (s), when the
    derived topics ended at `derived_then`: from then on it is neither derived nor pushed again."""

    at: float
    derived: Offsets
    committed_at: float
    derived_then: Offsets


class Installation:
    """Everything on a broker of its own under `home`; within the block it runs, and the catalog is known.

    `settings` become environment variables of both services.
    """

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        self.broker = LocalKafka(home / "kafka", port=0, die_with_parent=True)
        self.city = PlatformThread()
        self._home = home
        self._settings = settings
        self._stack = ExitStack()
        self._starts = 0
        self._services: dict[str, ServiceProcess] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.broker)
            stack.enter_context(self.city)
            stack.callback(self._stop_services)
            self.cluster = KafkaCluster(bootstrap=self.broker.bootstrap)
            create_topics(self.cluster)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _stop_services(self) -> None:
        for service in self._services.values():
            service.stop()

    def publish_catalog(self, settings: FleetSettings) -> None:
        """What `infra.demo.run` does before the services start."""
        before = Fleet(settings)
        before.publish_catalog()
        before.close()

    def start(self, name: str) -> ServiceProcess:
        """Starts `streams`, `delivery` or `gateway`; its log is kept beside those of its earlier lives."""
        self._starts += 1
        arguments = {
            "streams": ["streams"],
            "delivery": ["delivery", "run", PLATFORM],
            "gateway": ["gateway", PLATFORM],
        }[name]
        environment = {
            "EVCS_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "EVCS_TOPIC_PREFIX": "",
            "EVCS_GATEWAY_PORT": "0",
            "EVCS_GATEWAY_ADMIN_PORT": "0",
            **platform_environment(PLATFORM, self.city.base_url),
            **self._settings,
        }
        log = self._home / f"{self._starts:02}-{name}.log"
        service = self._services[name] = ServiceProcess(name, arguments, environment, log)
        return service

    def start_services(self) -> None:
        """Starts both and waits until they take records."""
        worker, delivery = self.start("streams"), self.start("delivery")
        worker.await_log(READY)
        for group in (ROUTER, LANES):
            await_group(self.cluster, group, delivery)

    def kill(self, name: str) -> None:
        """SIGKILL for `streams`, `delivery` or `broker`."""
        if name == "broker":
            assert self.broker.kill()
        else:
            self._services[name].kill()

    def restart(self, name: str) -> float:
        """Starts again what was killed; returns the moment (the platform's clock) from which recovery counts.

        A service's is its process's start, which loads Python and all; the broker's is when its partitions have
        leaders again, since how long Java takes for that is the machine's affair.
        """
        began = time.time()
        if name != "broker":
            self.start(name)
            return began
        self.broker.start()
        consumer = Consumer(self.cluster.consumer_config(group_id="tests"))
        for partition in range(all_topics()[TELEMETRY].partitions):
            watermarks(consumer, self.cluster.topic(TELEMETRY), partition)
        consumer.close()
        return time.time()

    def check(self) -> None:
        """Raises OperatorError if a service has ended by itself."""
        for service in self._services.values():
            service.check()

    def ends(self, names: Iterable[str]) -> Offsets:
        """Where the partitions of these topics end now."""
        consumer = Consumer(self.cluster.consumer_config(group_id="tests"))
        try:
            return {
                (name, partition): watermarks(consumer, self.cluster.topic(name), partition)[1]
                for name in names
                for partition in range(_PARTITIONS[name])
            }
        finally:
            consumer.close()

    def committed(self, group: str, wanted: Offsets) -> Offsets:
        """What the group has committed of these partitions, 0 where it has nothing."""
        consumer = Consumer(self.cluster.consumer_config(group_id=group))
        try:
            asked = [TopicPartition(self.cluster.topic(name), partition) for name, partition in wanted]
            answers = consumer.committed(asked, timeout=PATIENCE_S)
        finally:
            consumer.close()
        return {where: max(0, answer.offset) for where, answer in zip(wanted, answers, strict=True)}

    def mark(self) -> Mark:
        """Waits until both services have committed everything from before the call; samples must be flowing."""
        at = time.time()
        derived, samples, events = self.ends(DERIVED), self.ends([TELEMETRY]), self.ends([EVENTS])
        # What time alone has brought about is safe once a record behind it is.
        taken = {where: end + 1 for where, end in samples.items() if end} | events

        def is_committed(group: str, wanted: Offsets) -> bool:
            found = self.committed(group, wanted)
            return all(found[where] >= end for where, end in wanted.items())

        until(lambda: is_committed("evcs-streams", taken), "the worker has committed its input")
        until(lambda: is_committed(ROUTER, derived), "the router has committed what was derived")
        lanes = self.ends(lane_topic(PLATFORM, lane) for lane in DELIVERY_LANES)
        until(lambda: is_committed(LANES, lanes), "the lanes have committed what was routed")
        return Mark(at, derived, time.time(), self.ends(DERIVED))

    def await_quiet(self, quiet_s: float, timeout_s: float = PATIENCE_S) -> None:
        """Waits until no push has arrived for so long."""
        receipts = self.city.ledger.receipts
        until(lambda: time.time() - receipts[-1].arrival > quiet_s, "the pushes stop", timeout_s)

    def await_push(self, since: float, timeout_s: float = PATIENCE_S) -> float:
        """Waits for the first push after `since` (the platform's clock) that is no repeat; returns the seconds."""
        ledger = self.city.ledger

        def first() -> Receipt | None:
            new = (r for r in reversed(ledger.receipts.copy()) if not r.duplicate and r.interface != _TOKEN)
            return min(takewhile(lambda r: r.arrival > since, new), key=lambda r: r.arrival, default=None)

        until(first, "a new push", timeout_s)
        receipt = first()
        assert receipt is not None
        return receipt.arrival - since
