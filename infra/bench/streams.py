"""`evcs bench streams`: this pipeline, the same rules on stock Faust, and a bare consumer, on one topic."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from confluent_kafka import Consumer, TopicPartition

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


def probe(cluster: KafkaCluster, module: str, records: int) -> dict[str, float]:
    """Runs one of the probe modules in a process of its own and returns what it measured."""
    environment = {
        **os.environ,
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        "EVCS_STREAMS_CLOCK": "event",
        "EVCS_STREAMS_GROUP": f"{cluster.topic_prefix}{module}",
    }
    ran = subprocess.run(
        [sys.executable, "-m", f"infra.bench.{module}", str(records)],
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


def measure(
    cluster: KafkaCluster, connectors: int, samples_each: int, stock_records: int, rounds: int, tell: Tell
) -> dict[str, object]:
    """All three in one run, on topics of its own, which are deleted at the end; medians over `rounds`."""
    cluster = replace(cluster, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    create_topics(cluster, replication=1, topics=all_topics().values())
    try:
        tell(f"writing {connectors * samples_each:,} samples of {connectors:,} connectors")
        catalog(cluster, connectors)
        report = generate(cluster, connectors, samples_each, with_events=True)
        limits: list[float] = []
        ours: list[dict[str, float]] = []
        for number in range(1, rounds + 1):
            tell(f"round {number} of {rounds}: bare consumer, then this pipeline")
            limits.append(bare_consumer(cluster, report.records))
            # Each round starts from nothing: topics of its own for what it puts out.
            ours.append(_on_fresh_outputs(cluster, report.records))
        tell(f"stock Faust, {stock_records:,} records")
        stock = probe(cluster, "stock_probe", stock_records)
    finally:
        delete_topics(cluster)
    limit = sorted(limits)[len(limits) // 2]
    best = sorted(ours, key=lambda o: o["per_s"])[len(ours) // 2]
    return {
        "ours_per_s": round(best["per_s"]),
        "stock_per_s": round(stock["per_s"]),
        "limit_per_s": round(limit),
        "ours_to_stock": round(best["per_s"] / stock["per_s"], 1),
        "ours_to_limit": round(best["per_s"] / limit, 3),
        "records": report.records,
        "connectors": connectors,
        "outputs": round(best["outputs"]),
        "stock_records": stock_records,
        "rounds": rounds,
        "ours_all": [round(o["per_s"]) for o in ours],
        "limit_all": [round(value) for value in limits],
    }


def _on_fresh_outputs(cluster: KafkaCluster, records: int) -> dict[str, float]:
    inputs = {TELEMETRY, "charge-events", "station-catalog"}
    outputs = [topic for topic in all_topics().values() if topic.name not in inputs]
    delete_topics(cluster, outputs)
    time.sleep(1.0)
    create_topics(cluster, replication=1, topics=outputs)
    return probe(replace(cluster), "streams_probe", records)
