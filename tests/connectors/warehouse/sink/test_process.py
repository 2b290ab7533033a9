"""The process: the sink at work, and its health, readiness and metrics beside it."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from connectors.errors import WarehouseRefused
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.process import serve
from schemas.cluster import KafkaCluster
from tests.connectors.warehouse.sink.on_engine import committed, ends, put, settings
from tests.connectors.warehouse.sink.records import payloads
from tests.infra.clickhouse.database import Database

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition, which may wait itself, holds."""
    async with asyncio.timeout(60):
        while True:
            if await asyncio.to_thread(condition):
                return
            await asyncio.sleep(0.05)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_and_metrics(kafka: KafkaCluster, tables: Database) -> None:
    put(kafka, "charger-telemetry", *payloads(10), b"junk")
    chosen = settings(kafka, tables.warehouse)

    async def run() -> None:
        stopping = asyncio.Event()
        urls: list[str] = []
        serving = asyncio.create_task(serve(chosen, stopping, urls.append))
        await asyncio.sleep(0)
        (url,) = urls
        await until(lambda: get(f"{url}/readyz")[0] == 200)
        await until(lambda: committed(chosen) == ends(kafka))
        await until(lambda: 'evcs_sink_lag_records{topic="charger-telemetry"} 0.0' in get(f"{url}/metrics")[1])
        assert await asyncio.to_thread(get, f"{url}/healthz") == (200, "alive\n")
        _, metrics = await asyncio.to_thread(get, f"{url}/metrics")
        assert 'evcs_sink_rows_total{table="telemetry"} 10.0' in metrics
        assert 'evcs_sink_refused_total{reason="undecodable",topic="charger-telemetry"} 1.0' in metrics
        assert "evcs_sink_wait_seconds 0.0" in metrics
        stopping.set()
        await serving

    asyncio.run(run())


def test_what_ends_the_sink_ends_the_process(kafka: KafkaCluster, clickhouse: Warehouse) -> None:
    """There are no tables."""
    put(kafka, "charger-telemetry", *payloads(1))

    async def run() -> None:
        async with asyncio.timeout(60):
            await serve(settings(kafka, clickhouse), asyncio.Event())

    with pytest.raises(WarehouseRefused, match="telemetry"):
        asyncio.run(run())
