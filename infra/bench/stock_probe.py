"""The same rules as one would write them on stock Faust: its transport, its sends, its table. For comparison."""

import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import faust
from faust.types import StreamT

from schemas.codec import codec_for
from streams.catalog import CatalogReader
from streams.domain.sampling import apply_samples
from streams.domain.sites import Sites
from streams.domain.tracker import Tracker
from streams.settings import StreamsSettings
from streams.tracking import TELEMETRY


class _Record:
    """A Faust message in the shape that the rules take."""

    __slots__ = ("_message",)

    def __init__(self, message: Any) -> None:
        self._message = message

    def key(self) -> bytes | None:
        key: bytes | None = self._message.key
        return key

    def value(self) -> bytes | None:
        value: bytes | None = self._message.value
        return value

    def offset(self) -> int:
        offset: int = self._message.offset
        return offset

    def timestamp(self) -> tuple[int, int]:
        return 1, int(self._message.timestamp * 1000)


def main() -> None:
    """Processes `argv[1]` samples and prints one JSON line."""
    total = int(sys.argv[1])
    settings = StreamsSettings.from_env()
    cluster = settings.cluster
    codec = codec_for("")
    sites = Sites()
    CatalogReader(cluster, codec, sites.put).load()
    app = faust.App(
        f"{cluster.topic_prefix}stock-{uuid.uuid4().hex[:6]}",
        broker=f"kafka://{cluster.bootstrap}",
        store="memory://",
        datadir=Path(tempfile.gettempdir()) / "evcs-streams",  # Faust makes a folder that stays empty
        web_enabled=False,
        topic_partitions=8,
        topic_replication_factor=1,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    telemetry = app.topic(cluster.topic(TELEMETRY), key_serializer="raw", value_serializer="raw")
    states = app.Table("state", key_type=bytes, value_type=bytes, partitions=8)
    sinks: dict[str, Any] = {}
    trackers: dict[int, Tracker] = {}
    counted = {"records": 0, "outputs": 0, "began": 0.0}

    @app.agent(telemetry)
    async def track(stream: StreamT[Any]) -> None:
        async for event in stream.events():
            message = event.message
            counted["began"] = counted["began"] or time.perf_counter()
            tracker = trackers.get(message.partition)
            if tracker is None:
                tracker = trackers[message.partition] = Tracker(message.partition, codec, sites, settings.policy)
            at = int((message.timestamp or 0) * 1000)
            apply_samples(tracker, (_Record(message),), at, int(time.time() * 1000))
            outputs, writes = tracker.out.take()
            for output in outputs:
                sink = sinks.get(output.topic)
                if sink is None:
                    sink = sinks[output.topic] = app.topic(cluster.topic(output.topic), value_serializer="raw")
                await sink.send(key=output.key, value=output.value)
                counted["outputs"] += 1
            for write in writes:
                states[write.key] = write.value
                counted["outputs"] += 1
            counted["records"] += 1
            if counted["records"] >= total:
                elapsed = time.perf_counter() - counted["began"]
                report = {"per_s": counted["records"] / elapsed, "outputs": counted["outputs"]}
                print(json.dumps(report), flush=True)  # noqa: T201
                os._exit(0)

    app.Worker(loglevel="error", quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
