"""Runs the trackers of all partitions that this worker has: recovery, chunks, clocks, outputs.

No rule is decided here; this joins the pure rules to chunks, to the state topic and to the output queue.
"""

import gc
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from schemas.clock import wall_ms
from schemas.codec import Codec, codec_for
from schemas.compacted import read_to_end
from schemas.errors import UndecodableRecord
from schemas.freed_memory import give_back
from schemas.records.connector_state import ConnectorState
from schemas.records.station import Station
from streams.domain.events import take_event
from streams.domain.outputs import StateWrite
from streams.domain.restoring import restore
from streams.domain.sampling import apply_samples
from streams.domain.sites import Sites
from streams.domain.timers import run_timers
from streams.domain.tracker import Tracker
from streams.output import STATE_TOPIC, OutputQueue, call_all
from streams.settings import Clock, StreamsSettings
from streams.transport.chunk import Chunk

log = logging.getLogger(__name__)

TELEMETRY = "charger-telemetry"
EVENTS = "charge-events"

#: A partition whose newest record is this young counts as caught up, however fast records come.
_YOUNG_MS = 2_000

#: While a backlog is worked off, a partition's states are written this often, s: most of its connectors have changed
#: again by then, and only the newest state matters.
_SAVE_S = 0.25


class _Partition:
    """One partition's tracker, how far its two topics have come, and the acks that wait for its states."""

    __slots__ = ("acks", "caught_up", "newest", "processed", "save_at", "tracker")

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.acks: list[Callable[[], object]] = []
        self.save_at = 0.0
        self.newest = {TELEMETRY: -1, EVENTS: -1}
        self.caught_up = {TELEMETRY: False, EVENTS: False}
        self.processed = {TELEMETRY: -1, EVENTS: -1}


class Tracking:
    """All partitions of one worker. Single-threaded, as Faust's loop is."""

    def __init__(self, settings: StreamsSettings, output: OutputQueue, wall: Callable[[], int] = wall_ms) -> None:
        self.settings = settings
        self.codec: Codec = codec_for(settings.cluster.schema_registry_url)
        self.sites = Sites()
        self.output = output
        self._wall = wall
        self._partitions: dict[int, _Partition] = {}
        self._live = settings.clock is Clock.WALL
        self._names = {settings.cluster.topic(name): name for name in (TELEMETRY, EVENTS)}
        #: What was passed over, dead-lettered or flagged, by reason, also of partitions that have gone.
        self.counts: Counter[str] = Counter()
        self.samples = 0

    def put_station(self, station: Station) -> None:
        """Takes a station's newest catalog record."""
        self.sites.put(station)

    def recover(self, numbers: set[int], ends: dict[tuple[str, int], int] | None = None) -> int:
        """Reads the state of these partitions back; returns the number of connectors. Blocks.

        `ends` has the end offset of each input partition: a state that claims more than its input holds
        belongs to a topic that was made anew, and its offsets count for nothing.
        """
        began = time.monotonic()
        collecting = gc.isenabled()
        gc.disable()  # nothing that is read back is garbage, and walking it over and over would take most of the time
        try:
            fresh = {number: self._recover_one(number, ends) for number in sorted(numbers)}
        finally:
            if collecting:
                gc.enable()
        self._partitions = {**self._partitions, **fresh}
        give_back()  # what reading took: a fifth of what the connectors take
        count = sum(len(partition.tracker.connectors) for partition in fresh.values())
        log.info("recovered %d connectors of partitions %s in %.1f s", count, sorted(numbers), time.monotonic() - began)
        return count

    def _recover_one(self, number: int, ends: dict[tuple[str, int], int] | None) -> _Partition:
        tracker = Tracker(number, self.codec, self.sites, self.settings.policy, counts=self.counts)
        newest: dict[bytes, bytes | None] = {}
        for batch in read_to_end(self.settings.cluster, self.settings.cluster.topic(STATE_TOPIC), (number,)):
            for message in batch:
                newest[message.key() or b""] = message.value()
        clock = self._wall()
        for key in list(newest):
            value = newest.pop(key)
            if value is None:
                continue
            try:
                state = self.codec.decode_as(ConnectorState, value)
            except UndecodableRecord as error:
                log.error("connector-state/%d: the state of %r is lost: %s", number, key, error)
                continue
            restore(tracker, key, self._within(state, number, ends), clock if self._live else _seen(state))
        return _Partition(tracker)

    def _within(self, state: ConnectorState, number: int, ends: dict[tuple[str, int], int] | None) -> ConnectorState:
        if ends is None:
            return state
        telemetry_end, events_end = ends.get((TELEMETRY, number), -1), ends.get((EVENTS, number), -1)
        if state.telemetry_offset < telemetry_end and state.event_offset < events_end:
            return state
        return replace(
            state,
            telemetry_offset=state.telemetry_offset if state.telemetry_offset < telemetry_end else -1,
            event_offset=state.event_offset if state.event_offset < events_end else -1,
        )

    def drop(self, numbers: set[int]) -> None:
        """These partitions have gone to another worker."""
        self._partitions = {n: p for n, p in self._partitions.items() if n not in numbers}
        self.output.forget(numbers)

    def partitions(self) -> set[int]:
        """The partitions that are recovered and run here."""
        return set(self._partitions)

    def apply(self, chunk: Chunk, on_safe: Callable[[], object]) -> None:
        """Takes one chunk; `on_safe` is called once all it caused is safe. The partition must be recovered.

        Derived records go out at once. States, and with them the acks, follow at once too; while the partition has
        a backlog they wait for those of the chunks that are read within a quarter of a second, but for those of orders.
        """
        partition = self._partitions[chunk.partition]
        tracker = partition.tracker
        topic = self._names[chunk.topic]
        wall = self._wall()
        # While a chunk is being read, all that has happened is known up to its beginning at most.
        settled = self.clock(partition)
        if topic == TELEMETRY:
            clock = wall if self._live else chunk.newest_at
            apply_samples(tracker, chunk.records, clock, wall, settled)
            self.samples += len(chunk.records)
        else:
            for record in chunk.records:
                at = record.timestamp()[1]
                take_event(tracker, record, min(settled, at) if settled > 0 else at, settled)
        partition.newest[topic] = max(partition.newest[topic], chunk.newest_at)
        partition.caught_up[topic] = chunk.caught_up
        partition.processed[topic] = chunk.last_offset
        clock = self.clock(partition)
        if clock > 0:
            run_timers(tracker, clock)
        partition.acks.append(on_safe)
        self._put_out(chunk.partition, partition)

    def _put_out(self, number: int, partition: _Partition, save: bool = False) -> None:
        """Derived records now; states and acks too if they need not wait, or are told to be saved. The states behind
        orders never wait."""
        derived = partition.tracker.out.take_derived()
        states: list[StateWrite] = []
        acks: list[Callable[[], object]] = []
        now = time.monotonic()
        if save or now >= partition.save_at or not self._behind(partition):
            states = partition.tracker.out.take_states()
            acks, partition.acks = partition.acks, []
            partition.save_at = now + _SAVE_S
        else:
            states = partition.tracker.out.take_states_of_orders()
        if derived or states or acks:
            self.output.submit(number, derived, states, partial(call_all, acks))

    def save(self) -> None:
        """Writes what waits for more to come, behind the outputs that are on their way."""
        for number, partition in self._partitions.items():
            self._put_out(number, partition, save=True)

    def safe(self) -> bool:
        """Whether all chunks that were taken are safe."""
        return self.output.empty() and not any(partition.acks for partition in self._partitions.values())

    def clock(self, partition: _Partition) -> int:
        """The partition's time (UTC ms), -1 while it is not known: as far as all its inputs have come, and the
        wall where they are at their end.

        A backlog is worked off at its own time: silence and waits must not be measured with a clock that is
        hours ahead of what has been read.
        """
        behind = self._behind(partition)
        if behind:
            return min(behind)
        return self._wall() if self._live else max(partition.newest.values())

    def _behind(self, partition: _Partition) -> list[int]:
        """How far those of the partition's inputs have come (UTC ms) that have a backlog."""
        wall = self._wall()
        return [
            newest
            for topic, newest in partition.newest.items()
            if not partition.caught_up[topic] and (not self._live or newest < wall - _YOUNG_MS)
        ]

    def tick(self, at_end: Callable[[str, int, int], bool]) -> None:
        """Lets time pass where no records come, and writes the states that have waited for long enough.

        `at_end(topic, partition, processed)` tells whether nothing is left behind the offset `processed`.
        """
        for number, partition in self._partitions.items():
            for cluster_name, topic in self._names.items():
                partition.caught_up[topic] = at_end(cluster_name, number, partition.processed[topic])
            clock = self.clock(partition)
            if clock > 0:
                run_timers(partition.tracker, clock)
            self._put_out(number, partition)

    def connectors(self) -> int:
        """How many connectors this worker tracks."""
        return sum(len(p.tracker.connectors) for p in self._partitions.values())

    def figures(self) -> Iterable[Metric]:
        """This topology's own, for /metrics; read on another thread than the one that tracks."""
        yield GaugeMetricFamily("evcs_streams_connectors", "Connectors that are tracked", self.connectors())
        yield GaugeMetricFamily(
            "evcs_streams_clock_behind_seconds",
            "How far the time of the slowest partition is behind the wall; NaN while none is known",
            self._behind_s(),
        )
        flagged = CounterMetricFamily(
            "evcs_streams_flagged_records",
            "Records that were dead-lettered, passed over or flagged",
            labels=("reason",),
        )
        for reason, count in sorted(dict(self.counts).items()):
            flagged.add_metric((reason,), count)
        yield flagged

    def _behind_s(self) -> float:
        clocks = [clock for partition in self._partitions.values() if (clock := self.clock(partition)) > 0]
        return max(0, self._wall() - min(clocks)) / 1000 if clocks else math.nan


def _seen(state: ConnectorState) -> int:
    return state.sample.sampled_at if state.sample is not None else state.status_pushed_at
