"""What `evcs bench gateway` measures on: topics of its own with a fleet on them, and gateways that serve it."""

import http.client
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from connectors.credential_sources import read_credentials
from connectors.platform import load_platforms
from connectors.protocol.credentials import Credentials
from connectors.warehouse.settings import Warehouse
from infra.bench.database import environment_of
from infra.bench.gateway_calls import Address
from infra.bench.gateway_fleet import Fleet, make_fleet, write_fleet
from infra.bench.gateway_service import PLATFORM
from infra.bench.listening_process import ListeningProcess
from infra.errors import OperatorError
from infra.runs import entered, tidy_up
from infra.simulator.platform.onboarding import platform_environment
from infra.topic_admin import create_topics, delete_topics, id_of
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.topic import all_topics

Tell = Callable[[str], None]

#: A gateway that is not ready by then never will be.
_READY_TIMEOUT_S = 300.0
_ASK_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Stand:
    """`home` is a folder for what is needed meanwhile; `credentials` are those of the platform's calls."""

    cluster: KafkaCluster
    empty: KafkaCluster
    fleet: Fleet
    home: Path
    credentials: Credentials
    base_path: str

    @contextmanager
    def gateway(self, cluster: KafkaCluster | None = None, warehouse: Warehouse | None = None) -> Iterator["Gateway"]:
        """A new one, once it is ready; on other topics than the fleet's, and with a warehouse, if they are given."""
        environment = _environment(cluster or self.cluster, self.home)
        service, log, arguments = "infra.bench.gateway_service", self.home / "gateway.log", []
        if warehouse is not None:
            environment |= environment_of(warehouse)
            arguments = ["with-warehouse"]
        with ListeningProcess(service, log, *arguments, environment=environment) as process:
            yield Gateway(process, self.base_path, _until_ready(process))

    @contextmanager
    def limit(self, answer: bytes) -> Iterator["Gateway"]:
        """A server in its place that always gives this answer."""
        body = self.home / "answer"
        body.write_bytes(answer)
        with ListeningProcess("infra.bench.constant_server", self.home / "limit.log", str(body)) as process:
            yield Gateway(process, self.base_path, 0.0)


class Gateway:
    """One that is at work. `ready_s`: from the start of its process."""

    def __init__(self, process: ListeningProcess, base_path: str, ready_s: float) -> None:
        url = urlsplit(process.said["url"])
        self.process = process
        self.ready_s = ready_s
        self.address = Address(url.hostname or "", url.port or 0, base_path)


@contextmanager
def made_stand(cluster: KafkaCluster, connectors: int, runs: Path, tell: Tell) -> Iterator[Stand]:
    """Topics and fleet for the time of a benchmark, whatever its end; what killed ones left is deleted first.

    `runs` is `infra.runs`' folder. Raises ClusterProblem, StorageUnusable, BrokerRefused.
    """
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    empty = replace(cluster, topic_prefix=f"{cluster.topic_prefix}empty-")
    cluster_id = id_of(cluster)
    tidy_up(runs, cluster, cluster_id, tell)
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        for one in (cluster, empty):
            stack.enter_context(entered(runs, one, cluster_id))
            stack.callback(delete_topics, one)
            create_topics(one, replication=1, topics=all_topics().values())
        tell(f"writing the stations and states of {connectors:,} connectors")
        fleet = make_fleet(connectors, codec_for(cluster.schema_registry_url))
        write_fleet(cluster, fleet)
        environment = _environment(cluster, home)
        (home / f"{PLATFORM}.toml").write_text(_without_limit(), encoding="utf-8")
        platform = load_platforms(environ=environment).platforms[PLATFORM]
        credentials = read_credentials(environment, platform.credentials.inbound_prefix)
        yield Stand(cluster, empty, fleet, home, credentials, platform.gateway.base_path)


def _without_limit() -> str:
    """Beijing's profile, which takes as many calls as come."""
    text = (files("connectors.platforms") / f"{PLATFORM}.toml").read_text(encoding="utf-8")
    before, gateway = text.split("[gateway]")
    return f"{before}[gateway]{gateway.replace('per_second = 200', 'per_second = 0')}"


def _environment(cluster: KafkaCluster, home: Path) -> dict[str, str]:
    return {
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        "EVCS_PLATFORMS": str(home),
        **platform_environment(PLATFORM, "http://127.0.0.1:9"),
    }


def _until_ready(process: ListeningProcess) -> float:
    admin = urlsplit(process.said["admin_url"])
    while True:
        asking = http.client.HTTPConnection(admin.hostname or "", admin.port, timeout=_READY_TIMEOUT_S)
        asking.request("GET", "/readyz")
        status = asking.getresponse().status
        asking.close()
        if status == http.HTTPStatus.OK:
            return process.age_s
        process.check()
        if process.age_s > _READY_TIMEOUT_S:
            raise OperatorError(f"the gateway is not ready after {_READY_TIMEOUT_S:.0f} s:\n{process.tail()}")
        time.sleep(_ASK_EVERY_S)
