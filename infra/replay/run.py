"""One replay from the file's sessions to the comparison: topics, catalog, timeline, workers, wait, read back.

The worker is started when everything is written. Event time advances with the records alone: a worker that
came to the end of what is written so far could not tell that from the end of time, and would give up waiting
for events that are only late in being written.
"""

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from uuid import uuid4

from infra.demo.services import ServiceProcess
from infra.local.progress import Progress
from infra.replay.charges import plan_charges
from infra.replay.comparison import Comparison, compare
from infra.replay.completion import await_end
from infra.replay.positions import Position, Positions
from infra.replay.sessions import Session
from infra.replay.telling import Telling
from infra.replay.timeline import Timeline
from infra.replay.topics import replay_topics
from infra.replay.writing import Written, write_catalog, write_timeline
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from streams.domain.policy import TrackingPolicy
from streams.settings import Clock


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How to replay; `interval_ms` between samples, `timeout_s` for the workers; `runs` is `infra.runs`' folder."""

    cluster: KafkaCluster
    runs: Path
    interval_ms: int = 10_000
    workers: int = 1
    timeout_s: float = 3600.0
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out, what went in, and how long the workers took from their start."""

    comparison: Comparison
    written: Written
    working_s: float


def run_replay(sessions: list[Session], settings: ReplaySettings, tell: Progress) -> Replayed:
    """Replays the sessions; no topic and no worker is left, whatever the end.

    Raises OperatorError, FleetError, KafkaException, ReadStalled.
    """
    cluster = replace(settings.cluster, topic_prefix=f"replay-{uuid4().hex[:8]}-")
    group = f"{cluster.topic_prefix}evcs-streams"
    plan = plan_charges(sessions)
    charges = [charge for lane in plan.connectors for charge in lane]
    timeline = Timeline(codec_for(cluster.schema_registry_url), plan.connectors, settings.interval_ms)
    telling = Telling(tell)
    tell(f"making topics {cluster.topic_prefix}… on {cluster.bootstrap}")
    with replay_topics(cluster, group, settings.runs, settings.keep, tell):
        write_catalog(cluster, plan.stations)
        written = write_timeline(cluster, timeline, telling.writing)
        tell(f"wrote {written.samples:,} samples and {written.events:,} events in {written.seconds:.1f} s")
        working_s = _work(cluster, group, len(charges), settings, telling)
        return Replayed(compare(cluster, charges, telling.reading), written, working_s)


def _work(cluster: KafkaCluster, group: str, orders: int, settings: ReplaySettings, telling: Telling) -> float:
    """Lets workers do what is written; returns how long they took from their start until all was committed, s."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evcs-replay-")))
        positions = Positions(cluster, group)
        stack.callback(positions.close)
        began = done_at = time.monotonic()
        workers = []
        for number in range(1, settings.workers + 1):
            log = folder / f"worker-{number}.log"
            worker = ServiceProcess(f"streams worker {number}", ["streams"], worker_environment(cluster, group), log)
            stack.callback(worker.stop)
            workers.append(worker)

        def watch(position: Position) -> None:
            nonlocal done_at
            for worker in workers:
                worker.check()
            if not position.input_done:
                done_at = time.monotonic()
            telling.working(position, orders, time.monotonic() - began)

        await_end(positions.look, orders, settings.timeout_s, watch)
        return done_at - began


def worker_environment(cluster: KafkaCluster, group: str) -> Mapping[str, str]:
    """What a worker of this replay finds in its environment, beside where the cluster is and how to enter it.

    Its waits are the defaults, since what it puts out is compared with them.
    """
    policy = TrackingPolicy()
    return {
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        "EVCS_STREAMS_CLOCK": Clock.EVENT.value,
        "EVCS_STREAMS_GROUP": group,
        **{f"EVCS_STREAMS_{f.name.upper()}": str(getattr(policy, f.name)) for f in fields(policy)},
    }
