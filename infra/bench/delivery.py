"""`evcs bench delivery`: sealed pushes/s end to end from Kafka, the same bytes posted bare, and httpx as it comes."""

import contextlib
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

from confluent_kafka import Producer

from connectors.delivery.topics import Lane, delivery_topics, lane_topic
from connectors.platform import load_platforms
from infra.bench.delivery_records import PLATFORM, records
from infra.bench.probing import measured_by, median
from infra.errors import OperatorError
from infra.simulator.platform.onboarding import platform_environment
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.derived import StatusChange
from schemas.topic import all_topics

_FLUSH_S = 60.0

#: Beijing's calls in flight, of both lanes together.
_LIMITS = load_platforms().platforms[PLATFORM].limits
IN_FLIGHT = _LIMITS.orders_in_flight + _LIMITS.states_in_flight

Tell = Callable[[str], None]


def measure(cluster: KafkaCluster, pushes: int, default_pushes: int, rounds: int, tell: Tell) -> dict[str, object]:
    """All three in one run, on topics of its own; medians over `rounds`, in which they alternate."""
    ours, limits, defaults = [], [], []
    for number in range(1, rounds + 1):
        with counting_server() as address:
            tell(f"round {number} of {rounds}: {pushes:,} pushes bare, with aiohttp")
            limits.append(measured_by("post_probe", address, "aiohttp", str(pushes), str(IN_FLIGHT))["per_s"])
            tell(f"round {number} of {rounds}: {default_pushes:,} pushes with httpx as it comes")
            defaults.append(measured_by("post_probe", address, "httpx", str(default_pushes), str(IN_FLIGHT))["per_s"])
            tell(f"round {number} of {rounds}: {pushes:,} pushes from Kafka")
            ours.append(_from_kafka(cluster, address, pushes))
    ours_per_s, limit, default = map(median, (ours, limits, defaults))
    return {
        "ours_per_s": round(ours_per_s),
        "limit_per_s": round(limit),
        "default_per_s": round(default),
        "ours_to_limit": round(ours_per_s / limit, 3),
        "ours_to_default": round(ours_per_s / default, 1),
        "pushes": pushes,
        "in_flight": IN_FLIGHT,
        "rounds": rounds,
        "ours_all": [round(value) for value in ours],
        "limit_all": [round(value) for value in limits],
        "default_all": [round(value) for value in defaults],
    }


def _from_kafka(cluster: KafkaCluster, address: str, pushes: int) -> float:
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    topics = [
        *delivery_topics([load_platforms().platforms[PLATFORM]]),
        *(all_topics()[name] for name in ("delivery-attempts", "delivery-status", "order-disputes")),
    ]
    create_topics(cluster, replication=1, topics=topics)
    try:
        _write(cluster, pushes)
        measured = measured_by("delivery_probe", str(pushes), environment=delivery_environment(cluster, address))
    finally:
        delete_topics(cluster, topics)
    if measured["confirmed"] != pushes or measured["failed"]:
        raise OperatorError(f"{pushes} pushes were due, {measured} were done")
    return float(measured["per_s"])


def delivery_environment(cluster: KafkaCluster, address: str) -> dict[str, str]:
    """What a delivery process needs to report to the counting server."""
    return {
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        **platform_environment(PLATFORM, address.removesuffix("/")),
    }


def _write(cluster: KafkaCluster, pushes: int) -> None:
    codec = codec_for(cluster.schema_registry_url)
    producer = Producer(cluster.producer_config(linger_ms=20, queue_buffering_max_messages=1_000_000))
    for record in records(pushes):
        lane: Lane = "states" if isinstance(record, StatusChange) else "orders"
        producer.produce(cluster.topic(lane_topic(PLATFORM, lane)), codec.encode(record), record.connector_id.encode())
    if producer.flush(_FLUSH_S):
        raise OperatorError("the broker has not taken the benchmark's records")


@contextlib.contextmanager
def counting_server() -> Iterator[str]:
    """The counting server's address; it ends with the block, and with this process."""
    command = [sys.executable, "-m", "infra.bench.counting_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            port = json.loads(server.stdout.readline())["port"]
            yield f"http://127.0.0.1:{port}/evcs/20160701/"
        finally:
            server.stdin.close()
