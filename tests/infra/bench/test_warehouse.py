"""`evcs bench warehouse` measures all three, of data that are all there, and leaves nothing behind."""

import json

import pytest
from confluent_kafka.admin import AdminClient

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.bench.warehouse import measure
from schemas.cluster import KafkaCluster
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_small_run_has_every_figure(kafka: KafkaCluster, clickhouse: Warehouse) -> None:
    told: list[str] = []
    figures = json.loads(json.dumps(measure(kafka, clickhouse, 50, 1_000, 1, told.append)))
    for name in ("ours_per_s", "limit_per_s", "rowwise_per_s", "ours_to_limit", "ours_to_rowwise"):
        assert figures[name] > 0, name
    assert (figures["samples"], figures["rows"], len(told)) == (5_000, 1_000, 4)
    assert len(figures["ours_all"]) == len(figures["limit_all"]) == len(figures["rowwise_all"]) == 1
    admin = WarehouseClient(clickhouse, in_database=False)
    assert admin.rows("SELECT name FROM system.databases WHERE name LIKE 'bench_%'") == []
    admin.close()
    broker = AdminClient({"bootstrap.servers": kafka.bootstrap})
    until(lambda: not [t for t in broker.list_topics(timeout=10).topics if t.startswith("bench-")], "no topic is left")
