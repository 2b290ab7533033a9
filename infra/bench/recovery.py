"""`evcs bench recovery`: how fast a worker has its connectors back, and how much memory each takes."""

import json
import resource
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import replace

from infra.bench.source_record import SourcedRecord
from infra.errors import OperatorError
from infra.simulator.fleet.population import populate
from infra.simulator.fleet.stream import SampleStream
from infra.topic_admin import create_topics, delete_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.topic import all_topics
from streams.domain.policy import TrackingPolicy
from streams.domain.sampling import apply_samples
from streams.domain.sites import Sites
from streams.domain.tracker import Tracker
from streams.output import STATE_TOPIC, OutputQueue
from streams.settings import StreamsSettings
from streams.tracking import Tracking

_CHARGING_SHARE = 0.3


def measure(cluster: KafkaCluster, connectors: int, tell: Callable[[str], None]) -> dict[str, object]:
    """Writes the states of so many connectors, 30 % of them charging, and has a new process recover them."""
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    create_topics(cluster, replication=1, topics=all_topics().values())
    try:
        tell(f"writing the states of {connectors:,} connectors")
        _write_states(cluster, connectors)
        tell("recovering them in a new process")
        ran = subprocess.run(
            [sys.executable, "-m", "infra.bench.recovery", cluster.bootstrap, cluster.topic_prefix],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if ran.returncode:
            raise OperatorError(f"the recovering process failed:\n{ran.stderr[-4000:]}")
        measured: dict[str, object] = json.loads(ran.stdout)
        return measured
    finally:
        delete_topics(cluster)


def _write_states(cluster: KafkaCluster, connectors: int) -> None:
    codec = codec_for("")
    population = populate(connectors)
    sites = Sites()
    for station in population.stations:
        sites.put(station)
    stream = SampleStream(codec, population, _CHARGING_SHARE, 0.0, 1, wall_ms() - 60_000, 10_000)
    partitions = all_topics()[STATE_TOPIC].partitions
    trackers = [Tracker(n, codec, sites, TrackingPolicy()) for n in range(partitions)]
    output = OutputQueue(cluster)
    for instant in stream.instants(2):
        for index, (key, value) in enumerate(instant.samples):
            number = zlib.crc32(key) % partitions
            record = SourcedRecord(key, value, index, instant.sampled_at)
            apply_samples(trackers[number], (record,), instant.sampled_at, wall_ms())
            while output.congested():
                output.poll()
        for tracker in trackers:
            _, states = tracker.out.take()
            if states:
                output.submit(tracker.partition, (), states)
        output.poll()
    while not output.empty():
        output.poll()
        time.sleep(0.01)


def _resident_kb() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * resource.getpagesize() // 1024


def main() -> None:
    """The recovering process: prints one JSON line."""
    cluster = KafkaCluster(bootstrap=sys.argv[1], topic_prefix=sys.argv[2])
    tracking = Tracking(StreamsSettings(cluster=cluster), OutputQueue(cluster))
    before_kb = _resident_kb()
    began = time.perf_counter()
    count = tracking.recover(set(range(all_topics()[STATE_TOPIC].partitions)))
    elapsed = time.perf_counter() - began
    grown_kb = _resident_kb() - before_kb
    report = {
        "connectors": count,
        "recovery_s": round(elapsed, 2),
        "connectors_per_s": round(count / elapsed),
        "bytes_per_connector": round(grown_kb * 1024 / count),
    }
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
