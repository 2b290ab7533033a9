"""A real worker in a process of its own, and records for it to take."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.demo.services import ServiceProcess
from infra.simulator.fleet.outgoing import EVENTS_TOPIC, TELEMETRY_TOPIC
from infra.simulator.fleet.population import Place, populate
from infra.simulator.fleet.sender import Sender
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.charge_events import ChargeEvent
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus
from streams.services import READY

CODEC = codec_for("")
PLACES = populate(20).places

_ASSIGNED = re.compile(re.escape(READY) + r" of partitions \[([\d, ]*)\]")


class Worker:
    """`evcs streams` on this cluster; `waits` are EVCS_STREAMS_<NAME>=<value>."""

    def __init__(self, cluster: KafkaCluster, log: Path, **waits: object) -> None:
        environment = {
            "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
            "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
            **{f"EVCS_STREAMS_{name.upper()}": str(value) for name, value in waits.items()},
        }
        self.log = log
        self.process = ServiceProcess("streams", ["streams"], environment, log)

    def await_ready(self) -> None:
        """Returns once it takes records."""
        self.process.await_log(READY)

    def partitions(self) -> set[int]:
        """What it took over in the last rebalance that it finished."""
        self.process.check()
        found = _ASSIGNED.findall(self.log.read_text(encoding="utf-8"))
        return {int(number) for number in found[-1].split(",") if number.strip()} if found else set()

    def recoveries(self) -> int:
        """How often it has taken over partitions: more than once if the group has shut it out in between."""
        return self.log.read_text(encoding="utf-8").count(READY)


@contextmanager
def running(cluster: KafkaCluster, log: Path, **waits: object) -> Iterator[Worker]:
    """A worker that takes records inside the block, and ends in order behind it."""
    worker = Worker(cluster, log, **waits)
    try:
        worker.await_ready()
        yield worker
    finally:
        status = worker.process.stop()
    assert status == 0, worker.process.tail()


def now_ms() -> int:
    """The wall clock, UTC ms."""
    return time.time_ns() // 1_000_000


def sample_of(place: Place, at: int, **changes: Any) -> Telemetry:
    """An idle sample of a connector, or as `changes` say."""
    fields: dict[str, Any] = {
        "status": ConnectorStatus.IDLE,
        "park_status": 10,
        "lock_status": 10,
        "start_charge_seq": "",
        "charge_model": 0,
        "sampled_at": at,
        "meter_wh": 1_000_000,
        "soc_pct": 0,
        **dict.fromkeys(("current_a", "current_b", "current_c", "voltage_a", "voltage_b", "voltage_c"), 0.0),
        "connector_id": place.connector_id,
        "equipment_id": place.equipment_id,
        "station_id": place.station_id,
    }
    return Telemetry(**(fields | changes))


class Input:
    """Puts samples, events and whatever else on the worker's input topics."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._sender = Sender(cluster)

    def put(self, *records: Telemetry | ChargeEvent, at: int | None = None) -> None:
        """Records under their connectors' keys and the time `at` (UTC ms), now by default."""
        for record in records:
            topic = TELEMETRY_TOPIC if isinstance(record, Telemetry) else EVENTS_TOPIC
            self.put_bytes(topic, record.connector_id.encode(), CODEC.encode(record), at)
        self._sender.flush()

    def put_bytes(self, topic: str, key: bytes, value: bytes, at: int | None = None) -> None:
        """Anything at all; sent with the next `put`."""
        self._sender.send(self._cluster.topic(topic), key, value, at or now_ms())
