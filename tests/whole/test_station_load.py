"""Station load on a real Kafka and ClickHouse, killed and rebalanced in the middle: equal to a recount."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from schemas.cluster import KafkaCluster
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus
from streams.services import READY
from tests.connectors.warehouse.sink.on_engine import fill, settings
from tests.infra.clickhouse.database import Database
from tests.streams.worker_process import PLACES, Input, now_ms, sample_of
from tests.whole.topics import records_on, until

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow, pytest.mark.timeout(600)]

#: `evcs streams --topology station_load`, but a minute is held for three seconds, and its log tells what was taken.
WORKER = """
from infra import cli
from streams import loads
loads.HELD_MS = 3_000
apply = loads.Loads.apply
def tell(self, chunk, on_safe):
    apply(self, chunk, on_safe)
    print("took", len(chunk.records), flush=True)
loads.Loads.apply = tell
cli.main()
"""

#: A worker commits what it has acked every half second.
COMMITTED_S = 1.0

MINUTE = 60_000
SAMPLES = 12 * 6


def samples_of(began: int) -> list[Telemetry]:
    """Twelve minutes of all places, every ten seconds, in order. Half of them charge, DC or with three phases."""
    found = []
    for n in range(SAMPLES):
        for number, place in enumerate(PLACES):
            at = began + n * 10_000 + number * 37
            plain = sample_of(place, at)
            charging: dict[str, Any] = {"status": ConnectorStatus.CHARGING, "meter_wh": 1_000_000 + n * (7 + number)}
            amperes = 10.0 + number + n % 5
            if number % 4 == 0:
                found.append(replace(plain, **charging, current_a=amperes, voltage_a=400.0 + n))
            elif number % 4 == 1 and n >= 20:
                volts: dict[str, Any] = dict.fromkeys(("voltage_a", "voltage_b", "voltage_c"), 220.0)
                found.append(
                    replace(plain, **charging, **volts, current_a=amperes, current_b=amperes, current_c=amperes - 1)
                )
            else:
                found.append(plain)
    return found


@dataclass(frozen=True, slots=True)
class Load:
    """Power in kW, connectors counted."""

    average_kw: float
    peak_kw: float
    charging: int
    heard_of: int

    def is_about(self, other: "Load") -> bool:
        """To 10 W: each connector's peak is a whole number of W."""
        distances = abs(self.average_kw - other.average_kw), abs(self.peak_kw - other.peak_kw)
        return max(distances) < 0.01 and (self.charging, self.heard_of) == (other.charging, other.heard_of)


def recounted(samples: Iterable[Telemetry]) -> dict[tuple[str, int], Load]:
    """By station and minute, from the samples alone."""
    minutes: dict[tuple[str, int], dict[str, list[Telemetry]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        minutes[sample.station_id, sample.sampled_at // MINUTE * MINUTE][sample.connector_id].append(sample)
    found = {}
    for key, connectors in minutes.items():
        average_kw = peak_kw = 0.0
        for mine in connectors.values():
            mine.sort(key=lambda s: s.sampled_at)
            peak = max(s.current_a * s.voltage_a + s.current_b * s.voltage_b + s.current_c * s.voltage_c for s in mine)
            hours = (mine[-1].sampled_at - mine[0].sampled_at) / 3_600_000
            energy_kwh = (mine[-1].meter_wh - mine[0].meter_wh) / 1000
            average_kw += energy_kwh / hours if hours else peak / 1000
            peak_kw += peak / 1000
        charging = sum(any(s.status == ConnectorStatus.CHARGING for s in mine) for mine in connectors.values())
        found[key] = Load(average_kw, peak_kw, charging, len(connectors))
    return found


def answered(database: Database) -> dict[tuple[str, int], Load]:
    """The same as the warehouse has it."""
    sql = "SELECT station_id, toUnixTimestamp64Milli(minute_at), average_kw, peak_kw, charging, heard_of"
    return {(row[0], row[1]): Load(*row[2:]) for row in database.rows(f"{sql} FROM station_load")}


@contextmanager
def worker(cluster: KafkaCluster, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that takes records; killed behind the block unless it has ended."""
    environment = {"EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap, "EVCS_TOPIC_PREFIX": cluster.topic_prefix}
    command = [sys.executable, "-c", WORKER, "streams", "--topology", "station_load"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=out, stderr=out)
    try:
        until(lambda: process.poll() is not None or READY in log.read_text(), "the worker takes records")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def test_each_minutes_load_equals_a_recount(kafka: KafkaCluster, tables: Database, tmp_path: Path) -> None:
    source = Input(kafka)
    samples = samples_of(now_ms() // MINUTE * MINUTE - 30 * MINUTE)
    late = samples[100:1000:7]
    in_time = [sample for sample in samples if sample not in late]
    third = len(in_time) // 3
    sent = settings(kafka, tables.warehouse)

    with worker(kafka, tmp_path / "1.log") as first:
        source.put(*in_time[:third])
        until(lambda: records_on(kafka, "station-load"), "the first minutes are put out")
        # It dies with this in memory: read, neither put out nor acked.
        source.put(*in_time[third : 2 * third])
        until(lambda: _taken(tmp_path / "1.log") == 2 * third, "all is taken", every_s=0.02)
        time.sleep(COMMITTED_S)
        first.send_signal(signal.SIGKILL)
    with worker(kafka, tmp_path / "2.log"), worker(kafka, tmp_path / "3.log") as third_one:
        source.put(*in_time[2 * third :], *in_time[: third // 2])
        until(lambda: _heard_to(kafka) >= in_time[-1].sampled_at // MINUTE * MINUTE, "the last minute is put out")
        third_one.send_signal(signal.SIGTERM)
        assert third_one.wait(60) == 0, (tmp_path / "3.log").read_text()
        source.put(*late, *in_time[-50:])
        expected = recounted(samples)

        def is_all_there() -> bool:
            fill(sent)
            found = answered(tables)
            return found.keys() == expected.keys() and all(found[key].is_about(load) for key, load in expected.items())

        until(is_all_there, "each minute's load is as recounted", every_s=1)


def _taken(log: Path) -> int:
    return sum(int(line.split()[1]) for line in log.read_text().splitlines() if line.startswith("took "))


def _heard_to(cluster: KafkaCluster) -> int:
    return max((load.minute_at for load in records_on(cluster, "station-load")), default=0)
