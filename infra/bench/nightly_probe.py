"""The check of one day in a process of its own, which says how long it took and how much memory. Argument: the day."""

import json
import resource
import sys
import threading
import time
from datetime import date

from connectors.reconciliation.service import check_day
from connectors.reconciliation.settings import NightlySettings
from connectors.warehouse.client import WarehouseClient
from infra.bench.delivery_records import PLATFORM


def _main(day: date) -> None:
    settings = NightlySettings.from_env([PLATFORM])
    warehouse = WarehouseClient(settings.warehouse)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, cpu = time.perf_counter(), time.process_time()
    books = check_day(settings, warehouse, day, threading.Event(), lambda _: None)
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
    sums = books[PLATFORM].sums(day)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = {
        "seconds": round(elapsed, 2),
        "cpu_s": round(cpu, 2),
        "peak_mb": round(peak_kb / 1024, 1),
        "grown_mb": round((peak_kb - before_kb) / 1024, 1),
        "orders": sums.orders,
        "requests": sums.requests,
        "open": sums.open,
        "disputes": sums.disputes,
        "energy_kwh": str(sums.energy_kwh),
    }
    print(json.dumps(report), flush=True)  # noqa: T201


if __name__ == "__main__":
    _main(date.fromisoformat(sys.argv[1]))
