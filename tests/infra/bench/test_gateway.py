"""`evcs bench gateway` measures all that it promises, and leaves nothing behind, whatever its end."""

import json
import signal
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from connectors.interfaces.served.registry import served
from infra.bench.gateway import GatewayBenchSettings, measure
from schemas.cluster import KafkaCluster
from tests.infra.commands.processes import evcs, seconds_until_told
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

SMALL = GatewayBenchSettings(connectors=200, calls=400, in_flight=8, rounds=1, per_s=50.0, seconds=3.0)


def left_on(cluster: KafkaCluster) -> list[str]:
    topics = AdminClient({"bootstrap.servers": cluster.bootstrap}).list_topics(timeout=10).topics
    return [name for name in topics if name.startswith("bench-")]


def test_a_small_run_has_every_figure(kafka: KafkaCluster, tmp_path: Path) -> None:
    told: list[str] = []
    found = measure(kafka, SMALL, tmp_path / "runs", told.append)
    figures = json.loads(json.dumps(found))
    assert set(figures["p50_ms"]) == set(figures["p99_ms"]) == set(served())
    assert set(figures["beside_pages"]["p99_ms"]) == set(served()) - {"query_stations_info"}
    for name in ("ours_per_s", "limit_per_s", "ready_s", "bytes_per_connector", "ours_cpu_us", "limit_cpu_us"):
        assert figures[name] > 0, name
    assert figures["share_of_limit"] == pytest.approx(figures["ours_per_s"] / figures["limit_per_s"], abs=0.01)
    assert 0 < figures["p50_ms"]["query_token"] <= figures["p99_ms"]["query_token"]
    assert figures["page_1000_s"]["again"] > 0
    assert len(figures["ours_all"]) == len(figures["limit_all"]) == 4
    assert len(told) == 4
    until(lambda: not left_on(kafka), "the topics are deleted")
    assert list((tmp_path / "runs").iterdir()) == []


def test_an_interrupted_run_leaves_no_topics(kafka: KafkaCluster, tmp_path: Path) -> None:
    process = evcs(
        *("bench", "gateway", "--connectors", "200", "--rounds", "1"),
        EVCS_KAFKA_BOOTSTRAP=kafka.bootstrap,
        EVCS_HOME=str(tmp_path),
    )
    seconds_until_told(process, "round 1 of 1")
    assert left_on(kafka)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert not output
    until(lambda: not left_on(kafka), "the topics are deleted")
