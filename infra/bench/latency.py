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

#: Records are put in so many steps a second.
_STEPS_PER_S = 100


def measure(cluster: KafkaCluster, seconds: float, per_s: int, tell: Tell) -> dict[str, object]:
    """From the derived topics by way of router and lanes, a process each; half of the pushes are statuses."""
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
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
        count = _put(cluster, seconds, per_s)
        delays = _confirmed(cluster, services["lanes"], count)
    return {
        "status_p50_ms": quantile(delays, 0.5),
        "status_p99_ms": quantile(delays, 0.99),
        "statuses": len(delays),
        "pushes": count,
        "pushes_per_s": per_s,
        "seconds": seconds,
    }


def _everywhere() -> str:
    """Beijing's profile without its area: the benchmark has no catalog."""
    text = (files("connectors.platforms") / f"{PLATFORM}.toml").read_text(encoding="utf-8")
    return text.replace('areas = ["11"]', "areas = []")


def _put(cluster: KafkaCluster, seconds: float, per_s: int) -> int:
    codec = codec_for(cluster.schema_registry_url)
    producer = Producer(cluster.producer_config(linger_ms=1))
    began, count = time.time(), 0
    for record in records(round(seconds * per_s)):
        topic = "connector-status-changes" if isinstance(record, StatusChange) else "charge-progress"
        producer.produce(cluster.topic(topic), codec.encode(record), record.connector_id.encode())
        count += 1
        if count % max(1, per_s // _STEPS_PER_S) == 0:
            producer.poll(0)
            time.sleep(max(0.0, began + count / per_s - time.time()))
    if producer.flush(_FLUSH_S):
        raise OperatorError("the broker has not taken the benchmark's records")
    return count


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
