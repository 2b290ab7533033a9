"""`evcs bench nightly`: the check of a day's orders with a strict platform, among a year's other orders."""

import contextlib
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import IO, Any

import msgspec
from confluent_kafka import Producer

from connectors.reconciliation.days import yesterday
from connectors.warehouse.settings import Warehouse
from infra.bench.database import environment_of, tables
from infra.bench.delivery_records import PLATFORM
from infra.bench.nightly_orders import AT_ONCE, energy_kwh, insert_others, insert_the_days
from infra.bench.probing import measured_by
from infra.errors import OperatorError
from infra.simulator.platform.onboarding import platform_environment
from infra.topic_admin import create_topics, delete_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.station import Station
from schemas.topic import all_topics

_TOPICS = (
    *("charge-orders", "station-catalog", "order-checks", "order-checks-dlq", "order-disputes"),
    "delivery-attempts",
)
_FLUSH_S = 60.0

Tell = Callable[[str], None]


def measure(cluster: KafkaCluster, warehouse: Warehouse, orders: int, others: int, tell: Tell) -> dict[str, object]:
    """One check, on topics and in a database of its own. Raises OperatorError unless all was told, and told rightly."""
    mark = uuid.uuid4().hex[:8]
    cluster = replace(cluster, topic_prefix=f"bench-{mark}-")
    warehouse = replace(warehouse, database=f"bench_{mark}")
    day = yesterday(wall_ms())
    topics = [all_topics()[name] for name in _TOPICS]
    create_topics(cluster, replication=1, topics=topics)
    try:
        with _filled(warehouse, day, orders, others, tell):
            _put_station(cluster)
            tell(f"the platform learns of {orders:,} orders")
            with _platform(day, orders) as (address, told):
                tell(f"the check of {orders:,} orders")
                found = _checked(cluster, warehouse, address, day)
                _require(found, told(), orders)
    finally:
        delete_topics(cluster, topics)
    seconds = float(found["seconds"])
    return {**found, "orders_per_s": round(orders / seconds), "other_orders": others}


def _require(found: dict[str, Any], told: dict[str, Any], orders: int) -> None:
    right = {"orders": orders, "open": 0, "disputes": 0, "energy_kwh": str(energy_kwh(orders))}
    seen = {name: found[name] for name in right}
    if seen != right or told != {"requests": found["requests"], "violations": {}}:
        raise OperatorError(f"{right} was due, {seen} was done, and the platform saw {told}")


@contextlib.contextmanager
def _filled(warehouse: Warehouse, day: date, orders: int, others: int, tell: Tell) -> Iterator[None]:
    """A database with these orders, dropped behind the block."""
    with tables(warehouse) as client:
        client.run(insert_the_days(day, orders))
        for first in range(0, others, AT_ONCE):
            tell(f"{first:,} of {others:,} other orders")
            client.run(insert_others(day, first, min(AT_ONCE, others - first)))
        yield


def _put_station(cluster: KafkaCluster) -> None:
    """The orders' station is Beijing's."""
    example = (files("schemas") / "examples" / "station.v2.json").read_bytes()
    station = replace(msgspec.json.decode(example, type=Station), station_id="S", area_code="110105")
    producer = Producer(cluster.producer_config())
    producer.produce(cluster.topic("station-catalog"), codec_for(cluster.schema_registry_url).encode(station), b"S")
    if producer.flush(_FLUSH_S):
        raise OperatorError("the broker has not taken the benchmark's station")


@contextlib.contextmanager
def _platform(day: date, orders: int) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Its address, and what says, once, what it was told; it ends with the block, and with this process."""
    command = [sys.executable, "-m", "infra.bench.nightly_platform", day.isoformat(), str(orders)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def told() -> dict[str, Any]:
            _close(process.stdin)
            found: dict[str, Any] = json.loads(process.stdout.readline() if process.stdout else "{}")
            return found

        try:
            yield json.loads(process.stdout.readline())["address"], told
        finally:
            _close(process.stdin)


def _close(stream: IO[str] | None) -> None:
    if stream is not None:
        stream.close()


def _checked(cluster: KafkaCluster, warehouse: Warehouse, address: str, day: date) -> dict[str, Any]:
    environment = {
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        **environment_of(warehouse),
        **platform_environment(PLATFORM, address),
    }
    return measured_by("nightly_probe", day.isoformat(), environment=environment)
