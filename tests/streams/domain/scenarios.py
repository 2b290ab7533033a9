"""Charges on one connector as two topics see them, and every way in which a worker may come to read the two."""

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from schemas.records.charge_events import BillIssued, ChargeEvent, ChargeStarted, ChargeStopped
from schemas.records.connector_state import ConnectorState
from schemas.records.derived import Order
from schemas.records.station import TariffPeriod
from schemas.records.telemetry import Telemetry
from schemas.values import ChargeModel
from streams.domain.events import take_event
from streams.domain.outputs import Output, StateWrite
from streams.domain.policy import TrackingPolicy
from streams.domain.restoring import restore
from streams.domain.sampling import apply_samples
from streams.domain.sites import Sites
from streams.domain.timers import run_timers
from streams.domain.tracker import Tracker
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    HOUR,
    MINUTE,
    SECOND,
    FakeRecord,
    beijing,
    bill,
    charging,
    plugged,
    prices,
    sample,
    started,
    station,
    stopped,
)

KEY = CONNECTOR.encode()
BEGIN = beijing(9, 30)


def seq_of(number: int) -> str:
    """The StartChargeSeq of the scenario's charge `number`."""
    return f"MA7L4KFB0{number:018d}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happened, in order of time: samples with their times, events with the times they were written at."""

    tariff: tuple[TariffPeriod, ...]
    charges: tuple[str, ...]
    samples: tuple[Telemetry, ...]
    events: tuple[tuple[int, ChargeEvent], ...]

    @property
    def end(self) -> int:
        """When everything is over and waited for."""
        return max([s.sampled_at for s in self.samples] + [at for at, _ in self.events]) + 26 * HOUR

    def without(self, what: type[ChargeEvent] | type[Telemetry], number: int) -> "Scenario":
        """The same, but all telemetry, or one charge's event of this type, never comes."""
        if what is Telemetry:
            return Scenario(self.tariff, self.charges, (), self.events)
        seq = seq_of(number)
        left = tuple(
            (at, e) for at, e in self.events if not (isinstance(e, what) and getattr(e, "start_charge_seq", "") == seq)
        )
        return Scenario(self.tariff, self.charges, self.samples, left)

    def silent_behind(self, share: float) -> "Scenario":
        """The same, but samples end for good somewhere."""
        return replace(self, samples=self.samples[: 1 + int(share * len(self.samples))])


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """One to three charges, with samples every few seconds, tariff boundaries in between, and prompt events."""
    at, meter_wh = BEGIN, draw(st.integers(0, 2_000_000))
    moments: list[int] = []
    samples: list[Telemetry] = []
    events: list[tuple[int, ChargeEvent]] = []
    charges: list[str] = []
    step = draw(st.sampled_from([1 * SECOND, 10 * SECOND, 10 * SECOND, 14_900]))
    for number in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(0, 3))):
            samples.append(sample(at, meter_wh=meter_wh))
            at += step
        begun, first_wh = at - draw(st.integers(0, step - 1)), meter_wh
        seq, model = seq_of(number), draw(st.sampled_from(list(ChargeModel)))
        charges.append(seq)
        if draw(st.booleans()):
            samples.append(plugged(at, meter_wh, start_charge_seq=seq, charge_model=model))
            at += step
        before_wh = meter_wh
        for _ in range(draw(st.integers(1, 24))):
            before_wh = meter_wh
            meter_wh += draw(st.integers(0, 3_000))
            samples.append(charging(at, meter_wh, start_charge_seq=seq, charge_model=model))
            moments.append(at)
            at += step
        if draw(st.booleans()):  # the stop is a little behind the last sample, or a little before it
            ended, last_wh = at - draw(st.integers(0, step - 1)), meter_wh + draw(st.integers(0, 1_000))
        else:
            ended = max(begun, at - step - draw(st.integers(0, step - 1)))
            last_wh = draw(st.integers(before_wh, meter_wh))
        if draw(st.booleans()):
            meter_wh = max(meter_wh, last_wh)
            samples.append(charging(at, meter_wh, start_charge_seq=seq, charge_model=model))
            at += step
        meter_wh = max(meter_wh, last_wh)
        moments += [begun, ended]
        samples.append(plugged(at, meter_wh))
        at += step
        told = ended + draw(st.integers(0, 3 * SECOND))
        ids = {"start_charge_seq": seq, "charge_model": model}
        events.append((begun + draw(st.integers(0, 3 * SECOND)), started(begun, first_wh, **ids)))
        events.append((told, stopped(ended, last_wh, start_charge_seq=seq)))
        if draw(st.booleans()):
            issued = told + draw(st.integers(0, 15 * SECOND))
            events.append((issued, bill(issued, start_charge_seq=seq)))
    for _ in range(3):
        samples.append(sample(at, meter_wh=meter_wh))
        at += step
    near = st.tuples(st.sampled_from(moments), st.integers(-12, 12)).map(lambda found: found[0] // SECOND + found[1])
    boundaries = draw(st.lists(near, unique=True, max_size=5))
    of_day = [(second + 8 * 3600) % 86_400 for second in sorted(boundaries)]
    tariff = prices(*((second, f"{1 + n}.2345", f"0.{n}5") for n, second in enumerate(of_day)))
    events.sort(key=lambda entry: entry[0])
    return Scenario(tariff, tuple(charges), tuple(samples), tuple(events))


def topics_of(scenario: Scenario) -> tuple[list[FakeRecord], list[FakeRecord]]:
    """The two topics as they lie on the broker."""
    telemetry = [FakeRecord(KEY, CODEC.encode(s), n, s.sampled_at) for n, s in enumerate(scenario.samples)]
    events = [FakeRecord(KEY, CODEC.encode(e), n, at) for n, (at, e) in enumerate(scenario.events)]
    return telemetry, events


def with_duplicates(records: list[FakeRecord], picks: list[tuple[int, int]]) -> list[FakeRecord]:
    """Some records are written a second time, any number of places later, at that place's time."""
    if not records:
        return []
    behind: dict[int, list[FakeRecord]] = {}
    for which, later in picks:
        place = min(which % len(records) + later, len(records) - 1)
        behind.setdefault(place, []).append(records[which % len(records)])
    result: list[FakeRecord] = []
    for place, record in enumerate(records):
        for copy in [record, *behind.get(place, [])]:
            result.append(FakeRecord(copy.at_key, copy.payload, len(result), record.at_ms))
    return result


@dataclass(slots=True)
class Reader:
    """One worker that reads the two topics in chunks, with the clock that such a worker has.

    The clock stands at the slower topic's newest record as long as either has more, as `streams.tracking` has it.
    """

    scenario: Scenario
    telemetry: list[FakeRecord]
    events: list[FakeRecord]
    tracker: Tracker = field(init=False)
    read_telemetry: int = 0
    read_events: int = 0
    outputs: list[Output] = field(default_factory=list)
    states: list[StateWrite] = field(default_factory=list)

    def __post_init__(self) -> None:
        sites = Sites()
        sites.put(station(self.scenario.tariff))
        self.tracker = Tracker(0, CODEC, sites, TrackingPolicy())

    @property
    def clock(self) -> int:
        """As far as all that happened has been read (UTC ms), -1 if a topic's beginning has not."""
        positions = [
            records[read - 1].at_ms if read else -1
            for records, read in ((self.telemetry, self.read_telemetry), (self.events, self.read_events))
            if read < len(records)
        ]
        if positions:
            return min(positions)
        return max(record.at_ms for record in (*self.telemetry, *self.events))

    def take_telemetry(self, count: int) -> None:
        """The next `count` samples arrive as one chunk."""
        chunk = self.telemetry[self.read_telemetry : self.read_telemetry + count]
        if chunk:
            self.read_telemetry += len(chunk)
            newest = chunk[-1].at_ms
            apply_samples(self.tracker, chunk, newest, self.scenario.end, settled=self.clock)
            self._after()

    def take_events(self, count: int) -> None:
        """The next `count` events arrive as one chunk."""
        chunk = self.events[self.read_events : self.read_events + count]
        if chunk:
            self.read_events += len(chunk)
            for record in chunk:
                take_event(self.tracker, record, max(self.clock, record.at_ms), settled=self.clock)
            self._after()

    def take(self, steps: list[tuple[bool, int]]) -> None:
        """Chunks of either topic in this order."""
        for of_telemetry, count in steps:
            if of_telemetry:
                self.take_telemetry(count)
            else:
                self.take_events(count)

    def take_in_order(self) -> None:
        """Every record by itself, in order of time."""
        entries = [(r.at_ms, 0) for r in self.telemetry[self.read_telemetry :]]
        entries += [(r.at_ms, 1) for r in self.events[self.read_events :]]
        for _, topic in sorted(entries):
            if topic == 0:
                self.take_telemetry(1)
            else:
                self.take_events(1)

    def finish(self) -> None:
        """All that is left arrives, then the clock runs on until nothing more can be waited for."""
        self.take_telemetry(len(self.telemetry))
        self.take_events(len(self.events))
        last, end = self.clock, self.scenario.end
        for now in (*range(last, last + 10 * MINUTE, SECOND), *range(last + 10 * MINUTE, end + HOUR, HOUR)):
            run_timers(self.tracker, now)
        self._collect()

    def recover(self, states: dict[bytes, ConnectorState]) -> None:
        """Puts back what the state topic kept."""
        for key, state in states.items():
            clock = state.sample.sampled_at if state.sample is not None else state.status_pushed_at
            restore(self.tracker, key, state, clock)

    def rewind(self, telemetry: int, events: int) -> None:
        """What was committed: reading begins behind so many records of each topic."""
        self.read_telemetry, self.read_events = telemetry, events

    def orders(self) -> list[Output]:
        """All orders so far."""
        return [output for output in self.outputs if output.topic == "charge-orders"]

    def _after(self) -> None:
        if self.clock > 0:
            run_timers(self.tracker, self.clock)
        self._collect()

    def _collect(self) -> None:
        outputs, states = self.tracker.out.take()
        self.outputs += outputs
        self.states += states


def in_order(scenario: Scenario) -> Reader:
    """The run that all others are compared with."""
    reader = Reader(scenario, *topics_of(scenario))
    reader.take_in_order()
    reader.finish()
    return reader


def by_seq(outputs: list[Output]) -> dict[str, set[bytes]]:
    """The different orders of each charge."""
    found: dict[str, set[bytes]] = {}
    for output in outputs:
        found.setdefault(CODEC.decode_as(Order, output.value).start_charge_seq, set()).add(output.value)
    return found


def steps() -> st.SearchStrategy[list[tuple[bool, int]]]:
    """Which topic is read next, and how many records of it."""
    return st.lists(st.tuples(st.booleans(), st.one_of(st.just(1), st.integers(1, 30))), max_size=40)


def duplicates() -> st.SearchStrategy[list[tuple[int, int]]]:
    """Which records are written twice, and how many places later."""
    return st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)), max_size=6)


MISSING: tuple[type[ChargeEvent] | type[Telemetry] | None, ...] = (
    None,
    Telemetry,
    ChargeStarted,
    ChargeStopped,
    BillIssued,
)
