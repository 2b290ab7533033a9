"""`evcs bench latency`: how long after its change a status is confirmed, with many other pushes going on."""

import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer

from connectors.interfaces.station_status import INTERFACE as STATUS
from infra.bench.delivery import counting_server, delivery_environment
from infra.bench.delivery_records import PLATFORM, records
from infra.bench.ledger import attempts, delay_ms, quantile
from infra.demo.services import ServiceProcess, await_group
from infra.errors import OperatorError
from infra.topic_admin import create_topics, declared_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.derived import StatusChange

Tell = Callable[[str], None]

_FLUSH_S = 60.0
_DRAIN_TIMEOUT_S = 120.0

#: Records are put in so many steps a second, and wait for others as a worker's do.
_STEPS_PER_S = 100
_LINGER_MS = 5


def measure(cluster: KafkaCluster, seconds: float, per_s: int, tell: Tell) -> dict[str, object]:
    """From the derived topics by way of router and lanes, a process each; half of the pushes are statuses."""
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    flow = _encoded(cluster, round(seconds * per_s))
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        address = stack.enter_context(counting_server())
        stack.callback(delete_topics, cluster)
        create_topics(cluster, replication=1, topics=declared_topics([PLATFORM]))
        platforms = home / "platforms"
        platforms.mkdir()
        (platforms / f"{PLATFORM}.toml").write_text(_everywhere(), encoding="utf-8")
        environment = {**delivery_environment(cluster, address), "EVCS_PLATFORMS": str(platforms)}
        services = {}
        for part, group in (("router", "evcs-router"), ("lanes", f"evcs-delivery-{PLATFORM}")):
            arguments = ["delivery", "run", PLATFORM, "--part", part, "--log-level", "error"]
            services[part] = ServiceProcess(part, arguments, environment, home / f"{part}.log")
            stack.callback(services[part].stop)
            await_group(cluster, cluster.topic_prefix + group, services[part])
        tell(f"{per_s:,} records a second for {seconds:.0f} s")
        _put(cluster, flow, per_s)
        delays = _confirmed(cluster, services["lanes"], len(flow))
    return {
        "status_p50_ms": quantile(delays, 0.5),
        "status_p99_ms": quantile(delays, 0.99),
        "statuses": len(delays),
        "pushes": len(flow),
        "pushes_per_s": per_s,
        "seconds": seconds,
    }


def _everywhere() -> str:
    """Beijing's profile without its area: the benchmark has no catalog."""
    text = (files("connectors.platforms") / f"{PLATFORM}.toml").read_text(encoding="utf-8")
    return text.replace('areas = ["11"]', "areas = []")


def _encoded(cluster: KafkaCluster, count: int) -> list[tuple[str, bytes, bytes]]:
    """Topic, value and key of each record: workers that make them have machines of their own."""
    codec = codec_for(cluster.schema_registry_url)
    topics = {True: cluster.topic("connector-status-changes"), False: cluster.topic("charge-progress")}
    return [
        (topics[isinstance(record, StatusChange)], codec.encode(record), record.connector_id.encode())
        for record in records(count)
    ]


def _put(cluster: KafkaCluster, flow: list[tuple[str, bytes, bytes]], per_s: int) -> None:
    producer = Producer(cluster.producer_config(linger_ms=_LINGER_MS))
    began = time.time()
    for count, (topic, value, key) in enumerate(flow, start=1):
        producer.produce(topic, value, key)
        if count % max(1, per_s // _STEPS_PER_S) == 0:
            producer.poll(0)
            time.sleep(max(0.0, began + count / per_s - time.time()))
    if producer.flush(_FLUSH_S):
        raise OperatorError("the broker has not taken the benchmark's records")


def _confirmed(cluster: KafkaCluster, process: ServiceProcess, count: int) -> list[int]:
    deadline = time.monotonic() + _DRAIN_TIMEOUT_S
    while True:
        process.check()
        done = list(attempts(cluster))
        if len(done) >= count:
            return [delay_ms(attempt) for attempt in done if attempt.interface == STATUS]
        if time.monotonic() > deadline:
            raise OperatorError(f"{len(done)} of {count} pushes are done; delivery's log ends:\n{process.tail()}")
        time.sleep(1.0)
