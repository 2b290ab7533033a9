"""`evcs bench streams`: this pipeline, the same rules on stock Faust, and a bare consumer, on one topic."""

import json
import os
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Consumer, TopicPartition

from infra.bench.probing import median
from infra.errors import OperatorError
from infra.simulator.fleet.generator import catalog, generate
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from streams.tracking import TELEMETRY

#: A probe that has not finished by then never will.
_PROBE_TIMEOUT_S = 900

Tell = Callable[[str], None]


def bare_consumer(cluster: KafkaCluster, records: int) -> float:
    """Records/s of confluent-kafka consuming telemetry without decoding it."""
    consumer = Consumer(
        cluster.consumer_config(group_id="evcs-bench", queued_min_messages=200_000, fetch_wait_max_ms=50)
    )
    topic = cluster.topic(TELEMETRY)
    consumer.assign([TopicPartition(topic, n, 0) for n in range(all_topics()[TELEMETRY].partitions)])
    read = 0
    began = 0.0
    while read < records:
        batch = consumer.consume(10_000, timeout=1.0)
        if batch and not began:
            began = time.perf_counter()
        read += sum(1 for message in batch if message.error() is None)
    elapsed = time.perf_counter() - began
    consumer.close()
    return read / elapsed


def probe(cluster: KafkaCluster, module: str, records: int, packages: Path | None = None) -> dict[str, float]:
    """Runs one of the probe modules in a process of its own and returns what it measured.

    It is the one of `packages`, an unpacked wheel, if that is given. Raises OperatorError when it fails.
    """
    environment = {
        **os.environ,
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        "EVCS_STREAMS_CLOCK": "event",
        "EVCS_STREAMS_GROUP": f"{cluster.topic_prefix}{module}",
    }
    if packages is not None:
        environment["PYTHONPATH"] = str(packages)
    ran = subprocess.run(
        # -P: the folder in which one stands may be that of the sources
        [sys.executable, *(["-P"] if packages is not None else []), "-m", f"infra.bench.{module}", str(records)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PROBE_TIMEOUT_S,
        check=False,
    )
    begin = ran.stdout.rfind("{")  # terminal escapes of Faust's may stand before it
    if ran.returncode or begin < 0:
        raise OperatorError(f"infra.bench.{module} failed:\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}")
    measured: dict[str, float] = json.JSONDecoder().raw_decode(ran.stdout, begin)[0]
    return measured


@contextmanager
def _unpacked(wheel: Path | None) -> Iterator[Path | None]:
    """A folder with what is in the wheel. Raises OperatorError for a file that is none."""
    if wheel is None:
        yield None
        return
    with TemporaryDirectory(prefix="evcs-wheel-") as folder:
        try:
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder)
        except zipfile.BadZipFile as error:
            raise OperatorError(f"{wheel} is no wheel ({error}): make one with `make wheel`") from error
        yield Path(folder)


def measure(
    cluster: KafkaCluster,
    connectors: int,
    samples_each: int,
    stock_records: int,
    rounds: int,
    tell: Tell,
    wheel: Path | None = None,
) -> dict[str, object]:
    """All in one run, on topics of its own, which are deleted at the end; medians over `rounds`.

    `wheel` has the rules compiled: they are measured beside those that are installed. Raises OperatorError.
    """
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    limits: list[float] = []
    ours: list[dict[str, float]] = []
    compiled: list[dict[str, float]] = []
    with _unpacked(wheel) as packages:
        create_topics(cluster, replication=1, topics=all_topics().values())
        try:
            tell(f"writing {connectors * samples_each:,} samples of {connectors:,} connectors")
            catalog(cluster, connectors)
            report = generate(cluster, connectors, samples_each, with_events=True)
            for number in range(1, rounds + 1):
                also = "" if packages is None else ", and with compiled rules"
                tell(f"round {number} of {rounds}: bare consumer, then this pipeline{also}")
                limits.append(bare_consumer(cluster, report.records))
                # Each round starts from nothing: topics of its own for what it puts out.
                ours.append(_on_fresh_outputs(cluster, report.records))
                if packages is not None:
                    compiled.append(_on_fresh_outputs(cluster, report.records, packages))
                    if not compiled[-1].get("compiled"):
                        raise OperatorError(
                            f"the rules in {wheel} are not compiled, or of another version: run `make wheel`"
                        )
            tell(f"stock Faust, {stock_records:,} records")
            stock = probe(cluster, "stock_probe", stock_records)["per_s"]
        finally:
            delete_topics(cluster)
    limit = median(limits)
    return {
        **_beside("ours", ours, stock, limit),
        **(_beside("compiled", compiled, stock, limit) if compiled else {}),
        "stock_per_s": round(stock),
        "limit_per_s": round(limit),
        "records": report.records,
        "connectors": connectors,
        "outputs": round(median([o["outputs"] for o in ours])),
        "stock_records": stock_records,
        "rounds": rounds,
        "limit_all": [round(value) for value in limits],
    }


def _beside(name: str, measured: list[dict[str, float]], stock: float, limit: float) -> dict[str, object]:
    per_s = median([m["per_s"] for m in measured])
    return {
        f"{name}_per_s": round(per_s),
        f"{name}_to_stock": round(per_s / stock, 1),
        f"{name}_to_limit": round(per_s / limit, 3),
        f"{name}_all": [round(m["per_s"]) for m in measured],
    }


def _on_fresh_outputs(cluster: KafkaCluster, records: int, packages: Path | None = None) -> dict[str, float]:
    inputs = {TELEMETRY, "charge-events", "station-catalog"}
    outputs = [topic for topic in all_topics().values() if topic.name not in inputs]
    delete_topics(cluster, outputs)
    time.sleep(1.0)
    create_topics(cluster, replication=1, topics=outputs)
    return probe(cluster, "streams_probe", records, packages)
