"""A whole installation for a test: worker, delivery and a city's platform around a fleet; each may be killed."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.demo.run import PLATFORM, platform_environment
from infra.demo.services import ServiceProcess, await_group
from infra.local.broker import LocalKafka
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.platform.ledger import Receipt
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from streams.worker import READY

_TOKEN = "query_token"


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
        """Starts `streams` or `delivery`; its log is kept beside those of its earlier lives."""
        self._starts += 1
        arguments = {"streams": ["streams"], "delivery": ["delivery", "run", PLATFORM]}[name]
        environment = {
            "EVCS_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "EVCS_TOPIC_PREFIX": "",
            **platform_environment(self.city.base_url),
            **self._settings,
        }
        log = self._home / f"{self._starts:02}-{name}.log"
        service = self._services[name] = ServiceProcess(name, arguments, environment, log)
        return service

    def start_services(self) -> None:
        """Starts both and waits until they take records."""
        worker, delivery = self.start("streams"), self.start("delivery")
        worker.await_log(READY)
        await_group(self.cluster, f"evcs-delivery-{PLATFORM}", delivery)

    def kill(self, name: str) -> None:
        """SIGKILL for `streams`, `delivery` or `broker`."""
        if name == "broker":
            assert self.broker.kill()
        else:
            self._services[name].kill()

    def restart(self, name: str) -> None:
        """Starts again what was killed; returns at once, or for the broker when it answers."""
        if name == "broker":
            self.broker.start()
        else:
            self.start(name)

    def check(self) -> None:
        """Raises OperatorError if a service has ended by itself."""
        for service in self._services.values():
            service.check()

    def await_push(self, since: float, timeout_s: float, during: Callable[[], None]) -> float:
        """Waits for the first push after `since` (the platform's clock) that is no repeat; returns the seconds."""
        arrived: list[float] = []

        def heard(receipt: Receipt) -> None:
            if receipt.arrival > since and not receipt.duplicate and receipt.interface != _TOKEN:
                arrived.append(receipt.arrival)

        self.city.ledger.subscribe(heard)
        deadline = time.monotonic() + timeout_s
        while not arrived and time.monotonic() < deadline:
            during()
            time.sleep(0.02)
        return arrived[0] - since if arrived else float("inf")
