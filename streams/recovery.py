"""Keeps a worker's trackers in step with its partitions: those that come are recovered, those that go are dropped."""

import asyncio
import gc
import logging
from typing import Any

import faust
from confluent_kafka import Consumer
from faust.types import TP

from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log
from schemas.watermarks import watermarks
from streams.catalog import CatalogReader
from streams.services import Services
from streams.tracking import EVENTS, TELEMETRY, Tracking

log = logging.getLogger(__name__)


def follow_assignments(app: faust.App, services: Services, tracking: Tracking, catalog: CatalogReader) -> None:
    """Recovers partitions before their first chunk; a failure stops the worker."""
    cluster = services.settings.cluster

    @app.on_partitions_revoked.connect
    async def revoked(sender: Any, /, *args: Any, signal: Any, **kwargs: Any) -> None:
        tracking.drop(_telemetry_partitions(cluster, args[0]))

    @app.on_rebalance_complete.connect
    async def assigned(sender: Any, /, *args: Any, signal: Any, **kwargs: Any) -> None:
        mine = _telemetry_partitions(cluster, app.consumer.assignment())
        tracking.drop(tracking.partitions() - mine)
        missing = mine - tracking.partitions()
        if missing:
            loop = asyncio.get_running_loop()
            try:
                await loop.run_in_executor(None, _recover, cluster, tracking, catalog, missing)
            except Exception as error:
                await services.fail(error)
        services.takes(mine)


def _telemetry_partitions(cluster: KafkaCluster, tps: set[TP]) -> set[int]:
    telemetry = cluster.topic(TELEMETRY)
    return {tp.partition for tp in tps if tp.topic == telemetry}


def _recover(cluster: KafkaCluster, tracking: Tracking, catalog: CatalogReader, partitions: set[int]) -> None:
    consumer = Consumer({**cluster.consumer_config(group_id="evcs-offsets"), "logger": kafka_log(__name__)})
    try:
        ends = {
            (topic, n): watermarks(consumer, cluster.topic(topic), n)[1]
            for topic in (TELEMETRY, EVENTS)
            for n in partitions
        }
    finally:
        consumer.close()
    if not catalog.loaded:
        log.info("catalog: %d stations", catalog.load())
    tracking.recover(partitions, ends)
    gc.collect()
    gc.freeze()  # what was recovered stays: walking it again and again would stall pushes
