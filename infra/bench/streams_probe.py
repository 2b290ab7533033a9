"""A streams worker that stops by itself after N samples and says how fast it was. Run by `evcs bench streams`."""

import asyncio
import json
import os
import resource
import sys
import time
import uuid
from dataclasses import replace

from streams.services import Services
from streams.settings import StreamsSettings
from streams.tracking import Tracking
from streams.transport.chunk import Chunk
from streams.worker import make_app, rules_are_compiled


def main() -> None:
    """Processes `argv[1]` samples, outputs and states confirmed, and prints one JSON line."""
    total = int(sys.argv[1])
    settings = StreamsSettings.from_env()
    app = make_app(replace(settings, group=f"{settings.group}-{uuid.uuid4().hex[:6]}"))
    services: Services = app.services  # type: ignore[attr-defined]
    began: list[float] = []
    trackings: list[Tracking] = []
    apply = Tracking.apply

    def timed_apply(self: Tracking, chunk: Chunk, on_safe: object) -> None:
        if not began:
            trackings.append(self)
            began.append(time.perf_counter())
        apply(self, chunk, on_safe)  # type: ignore[arg-type]

    Tracking.apply = timed_apply  # type: ignore[method-assign]

    @app.task  # type: ignore[untyped-decorator]
    async def watch() -> None:
        while not trackings or trackings[0].samples < total or not trackings[0].safe():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        elapsed = time.perf_counter() - began[0]
        [tracking] = trackings
        report = {
            "per_s": tracking.samples / elapsed,
            "outputs": sum(services.output.produced.values()),
            "connectors": tracking.connectors(),
            "compiled": rules_are_compiled(),
            "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
        print(json.dumps(report), flush=True)  # noqa: T201
        os._exit(0)  # the figure is taken; an orderly end would only add to the run

    app.Worker(loglevel="error", quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
