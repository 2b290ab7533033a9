"""Puts N samples into the warehouse and says how fast that was. Run by `evcs bench warehouse`.

Arguments: the way, and N. `sink` is our sink, from its first partitions to the last row; `blocks` inserts the sink's
blocks, `rows` Python values, both made before the time begins.
"""

import gc
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.sink.forms import Forms
from connectors.warehouse.sink.insertion import SETTINGS
from connectors.warehouse.sink.process import GC_THRESHOLD
from connectors.warehouse.sink.service import INSERTS_MAX, Sink
from connectors.warehouse.sink.settings import SinkSettings
from connectors.warehouse.sink.sources import SOURCES
from schemas.codec import HEADER_SIZE, codec_for
from schemas.compacted import read_to_end
from schemas.records.telemetry import Telemetry
from schemas.registry import load_schemas

_SOURCE = next(source for source in SOURCES if source.table == "telemetry")


def _payloads(settings: SinkSettings) -> dict[int, list[bytes]]:
    """All that lies on the topic, by partition."""
    found: defaultdict[int, list[bytes]] = defaultdict(list)
    for batch in read_to_end(settings.cluster, settings.cluster.topic(_SOURCE.topic)):
        for message in batch:
            found[message.partition() or 0].append(message.value() or b"")
    return found


def _by_sink(settings: SinkSettings, client: WarehouseClient, count: int) -> float:
    sink = Sink(settings, client)
    working = threading.Thread(target=sink.run, daemon=True)
    working.start()
    _wait(lambda: sink.ready, working)
    began = time.perf_counter()
    rows = {"table": _SOURCE.table}
    _wait(lambda: (sink.metrics.registry.get_sample_value("evcs_sink_rows_total", rows) or 0) >= count, working)
    return time.perf_counter() - began


def _wait(condition: Any, working: threading.Thread) -> None:
    while not condition():
        if not working.is_alive():
            raise SystemExit("the sink has ended")
        time.sleep(0.002)


def _by_blocks(settings: SinkSettings, client: WarehouseClient, count: int) -> float:
    forms = Forms(_SOURCE.record, codec_for(settings.cluster.schema_registry_url), load_schemas())
    files = [
        forms.of(values[0][:HEADER_SIZE]).file.of(values[first : first + settings.cuts.rows])
        for values in _payloads(settings).values()
        for first in range(0, len(values), settings.cuts.rows)
    ]

    def insert(number: int) -> None:
        client.insert(f"INSERT INTO {_SOURCE.table} FORMAT Avro", files[number], f"block-{number}", SETTINGS)

    began = time.perf_counter()
    with ThreadPoolExecutor(INSERTS_MAX) as pool:
        list(pool.map(insert, range(len(files))))
    return time.perf_counter() - began


def _by_rows(settings: SinkSettings, client: WarehouseClient, count: int) -> float:
    codec = codec_for(settings.cluster.schema_registry_url)
    columns = [field.name for field in fields(Telemetry)]
    rows = list(_rows(settings, codec.decode, columns, count))
    size = settings.cuts.rows
    began = time.perf_counter()
    for first in range(0, len(rows), size):
        client.insert_rows(_SOURCE.table, columns, rows[first : first + size], f"rows-{first}", SETTINGS)
    return time.perf_counter() - began


def _rows(settings: SinkSettings, decode: Any, columns: list[str], count: int) -> Iterator[list[Any]]:
    for values in _payloads(settings).values():
        for value in values[:count]:
            record = decode(value)
            row = [getattr(record, name) for name in columns]
            row[columns.index("sampled_at")] = datetime.fromtimestamp(record.sampled_at / 1000, UTC)
            yield row
            count -= 1


if __name__ == "__main__":
    chosen = SinkSettings.from_env()
    total = int(sys.argv[2])
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    way = {"sink": _by_sink, "blocks": _by_blocks, "rows": _by_rows}[sys.argv[1]]
    elapsed = way(chosen, WarehouseClient(chosen.warehouse), total)
    print(json.dumps({"per_s": total / elapsed}), flush=True)  # noqa: T201
    os._exit(0)  # the figure is taken; an orderly end would only add to the run
