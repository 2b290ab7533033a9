"""A write that Kafka does not take is told with how far it came."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.catalog.changes import changes
from infra.catalog.topic import write
from infra.errors import ClusterProblem
from infra.local.ports import free_port
from schemas.cluster import KafkaCluster
from tests.infra.catalog.samples import CODEC, read, sample_text


def test_what_kafka_refuses_is_told(tmp_path: Path) -> None:
    stations = read(tmp_path / "sample.json", sample_text("json"))
    todo = changes([replace(stations[0], remark="x" * 1_100_000)], {}, 1_000, remove_missing=False)
    cluster = KafkaCluster(bootstrap=f"127.0.0.1:{free_port()}")
    with pytest.raises(ClusterProblem, match=r"station-catalog: .*Message size too large.* 0 of 1 stations are done"):
        write(cluster, CODEC, todo, lambda *_: None)
