"""`evcs bench warehouse`: telemetry from Kafka into ClickHouse, the insertion alone of ready-made blocks, and rows as
clickhouse-connect inserts them."""

import uuid
from collections.abc import Callable
from dataclasses import replace

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.sources import SOURCES
from infra.bench.database import environment_of, tables
from infra.bench.probing import measured_by, median
from infra.errors import OperatorError
from infra.simulator.fleet.generator import generate
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics

Tell = Callable[[str], None]

SAMPLES_EACH = 100


def measure(
    cluster: KafkaCluster, warehouse: Warehouse, connectors: int, rows: int, rounds: int, tell: Tell
) -> dict[str, object]:
    """All three in one run, on topics and databases of its own; medians over `rounds`, in which they alternate.

    Of `connectors` there are a hundred samples each; `rows` of these are inserted by rows. Raises OperatorError,
    WarehouseError, ClusterProblem.
    """
    name = f"bench_{uuid.uuid4().hex[:8]}"
    cluster = replace(cluster, topic_prefix=name.replace("_", "-") + "-")
    topics = [all_topics()[topic] for source in SOURCES for topic in (source.topic, f"{source.topic}-dlq")]
    samples = connectors * SAMPLES_EACH
    found: dict[str, list[float]] = {"sink": [], "blocks": [], "rows": []}
    create_topics(cluster, replication=1, topics=topics)
    try:
        tell(f"writing {samples:,} samples of {connectors:,} connectors")
        generate(cluster, connectors, SAMPLES_EACH)
        for number in range(1, rounds + 1):
            for part, count in (("blocks", samples), ("rows", min(rows, samples)), ("sink", samples)):
                tell(f"round {number} of {rounds}: {count:,} samples by the {part}")
                own = replace(warehouse, database=f"{name}_{part}_{number}")
                with tables(own) as client:
                    environment = _environment(cluster, own, f"{name}-{number}")
                    found[part].append(
                        measured_by("warehouse_probe", part, str(count), environment=environment)["per_s"]
                    )
                    _require_rows(client, count)
    finally:
        delete_topics(cluster, topics)
    ours, limit, rowwise = (median(found[part]) for part in ("sink", "blocks", "rows"))
    return {
        "ours_per_s": round(ours),
        "limit_per_s": round(limit),
        "rowwise_per_s": round(rowwise),
        "ours_to_limit": round(ours / limit, 3),
        "ours_to_rowwise": round(ours / rowwise, 1),
        "samples": samples,
        "connectors": connectors,
        "rows": min(rows, samples),
        "rounds": rounds,
        "ours_all": [round(value) for value in found["sink"]],
        "limit_all": [round(value) for value in found["blocks"]],
        "rowwise_all": [round(value) for value in found["rows"]],
    }


def _require_rows(client: WarehouseClient, count: int) -> None:
    ((there,),) = client.rows("SELECT count() FROM telemetry FINAL")
    if there != count:
        raise OperatorError(f"{count:,} samples were put in, {there:,} are there: the figure would mean nothing")


def _environment(cluster: KafkaCluster, warehouse: Warehouse, group: str) -> dict[str, str]:
    return {
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        **environment_of(warehouse),
        "EVCS_SINK_GROUP": group,
        "EVCS_SINK_ADMIN_PORT": "0",
    }
