"""Delivery that stops by itself after N pushes are confirmed and committed, and says how fast it was."""

import asyncio
import json
import os
import sys
import time

from connectors.delivery.outbox import outbox_producer
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from infra.bench.delivery_records import PLATFORM


async def _main(pushes: int) -> None:
    settings = DeliverySettings.from_env(PLATFORM)
    delivery = Delivery(settings, outbox_producer(settings.cluster))
    running = asyncio.create_task(delivery.run())
    while not delivery.lanes.tally.confirmed:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    first = delivery.lanes.tally.confirmed.total()
    began, cpu, loop_cpu = time.perf_counter(), time.process_time(), time.thread_time()
    while delivery.committed < pushes and not running.done():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    elapsed, cpu, loop_cpu = time.perf_counter() - began, time.process_time() - cpu, time.thread_time() - loop_cpu
    if running.done():
        running.result()
    confirmed = delivery.lanes.tally.confirmed.total()
    report = {
        "per_s": (confirmed - first) / elapsed,
        "cpu_us": cpu * 1e6 / (confirmed - first),
        "loop_cpu_us": loop_cpu * 1e6 / (confirmed - first),
        "confirmed": confirmed,
        "failed": delivery.lanes.tally.failures.total(),
    }
    print(json.dumps(report), flush=True)  # noqa: T201
    os._exit(0)  # the figure is taken; an orderly end would only add to the run


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
