"""Puts out the minutes of `StationLoads` when they have been open for long enough, and acks chunks behind them.

No rule is decided here; this joins the pure rule to chunks, to a clock and to the output queue.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from schemas.clock import wall_ms
from schemas.codec import codec_for
from schemas.telemetry_layout import LATEST_MS
from streams.domain.station_load import MINUTE_MS, StationLoads
from streams.output import OutputQueue, call_all
from streams.settings import StreamsSettings
from streams.transport.chunk import Chunk

log = logging.getLogger(__name__)

#: A minute is put out so long after its first sample came: all of it, and what is late by a quarter of a minute. What
#: is later makes one more record.
HELD_MS = MINUTE_MS * 5 // 4

#: Connectors' minutes in memory, some 300 bytes each, at which all are put out: a backlog holds hours of them.
OPEN_MAX = 200_000

#: The records of a minute belong to no partition of ours.
_NO_PARTITION = -1


class Loads:
    """The loads of one worker's partitions. Single-threaded, as Faust's loop is."""

    def __init__(self, settings: StreamsSettings, output: OutputQueue, wall: Callable[[], int] = wall_ms) -> None:
        self._loads = StationLoads(codec_for(settings.cluster.schema_registry_url))
        self._output = output
        self._wall = wall
        #: Acks of chunks, and when these came.
        self._acks: deque[tuple[int, Callable[[], object]]] = deque()

    def apply(self, chunk: Chunk, on_safe: Callable[[], object]) -> None:
        """Takes one chunk of telemetry; `on_safe` is called once all that it adds to is safe."""
        now = self._wall()
        self._loads.add(chunk.records, now)
        self._acks.append((now, on_safe))
        if self._loads.open >= OPEN_MAX:
            self.save()

    def tick(self) -> None:
        """Puts out what has been open for long enough."""
        self._put_out(self._wall() - HELD_MS)

    def save(self) -> None:
        """Puts everything out, also of minutes that are not over: their rest will be records of its own."""
        self._put_out(LATEST_MS)

    def figures(self) -> Iterable[Metric]:
        """This topology's own, for /metrics; read on another thread than the one that adds."""
        loads = self._loads
        yield GaugeMetricFamily("evcs_station_load_open_minutes", "Connectors' minutes in memory", loads.open)
        yield CounterMetricFamily("evcs_station_load_passed_over", "Samples that were passed over", loads.passed_over)

    def _put_out(self, until: int) -> None:
        """What was there by then. A chunk adds to minutes that were open when it came, or that it has opened."""
        acks: list[Callable[[], object]] = []
        while self._acks and self._acks[0][0] <= until:
            acks.append(self._acks.popleft()[1])
        outputs = self._loads.take(until)
        if outputs:
            loads = self._loads
            log.info("%d loads put out; %d of %d samples passed over", len(outputs), loads.passed_over, loads.samples)
        if outputs or acks:
            self._output.submit(_NO_PARTITION, outputs, (), partial(call_all, acks))
