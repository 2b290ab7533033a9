"""A long stream of telemetry, made fast: which connectors charge, which change, and the bytes of every sample.

For benchmarks and load tests. It has no memory of why a charge ends; the connectors' real behaviour is in
`connector.py`. No I/O.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.occupancy import PARK_AND_LOCK
from infra.simulator.fleet.population import Place, Population
from infra.simulator.fleet.sequences import start_charge_seq
from infra.simulator.fleet.splicing import (
    MAX_METER_WH,
    METER_HIGH,
    METER_LOW,
    MIN_METER_WH,
    VARIANTS,
    Load,
    ids_suffix,
    load_of,
    resting_tail,
    routing_prefix,
    zigzag,
)
from schemas.codec import Codec
from schemas.records.charge_events import ChargeStarted, ChargeStopped
from schemas.values import ChargeModel, ConnectorStatus, StopReason

#: So many connectors at most share one instant of sampling.
CONNECTORS_PER_INSTANT = 20

#: Registers start between these, Wh.
_FIRST_METER_WH = (1_000_000, 60_000_000)
assert MIN_METER_WH <= _FIRST_METER_WH[0] < _FIRST_METER_WH[1] < MAX_METER_WH

#: Of the connectors that do not charge, so many are plugged and so many out of order at the beginning.
_PLUGGED_SHARE, _FAULT_SHARE = 0.08, 0.01

#: Of the changes, so many start a charge, and as many end one; the rest is between idle, plugged and fault.
_STARTS_SHARE = 0.4

_BATTERY_WH = (30_000, 100_000)
_MODELS = (ChargeModel.OTHER, ChargeModel.CITY_PLATFORM, ChargeModel.CARD, ChargeModel.OTHER)
_RESTS_AFTER_CHARGE = (ConnectorStatus.IDLE, ConnectorStatus.PLUGGED, ConnectorStatus.IDLE)
Event = ChargeStarted | ChargeStopped


@dataclass(frozen=True, slots=True)
class Instant:
    """What is sampled at `sampled_at` (UTC ms): pairs of Kafka key and value, and the charge events before."""

    sampled_at: int
    samples: list[tuple[bytes, bytes]]
    events: list[Event]


class _Live:
    __slots__ = (
        "charging",
        "key",
        "load",
        "meter_wh",
        "place",
        "prefix",
        "seq",
        "soc_base_wh",
        "suffix",
        "tail",
        "wh_per_pct",
    )

    def __init__(self, place: Place, load: Load, meter_wh: int) -> None:
        self.place = place
        self.key = place.connector_id.encode()
        self.suffix = ids_suffix(place)
        self.load = load
        self.meter_wh = meter_wh
        self.charging = False
        self.seq = ""
        self.prefix = b""
        self.tail = b""
        self.soc_base_wh = 0
        self.wh_per_pct = 1


class SampleStream:
    """Samples of a population, `interval_ms` apart, from `start_ms` on, in order of time.

    `charging_share` of the connectors charge at any time; `change_share` of them change their state between
    two samples. The same arguments give the same bytes. Iterate once; the counters hold what was given out.
    Raises MisconfiguredFleet below one second between samples: a StartChargeSeq holds the second.
    """

    def __init__(
        self,
        codec: Codec,
        population: Population,
        charging_share: float,
        change_share: float,
        seed: int,
        start_ms: int,
        interval_ms: int,
    ) -> None:
        if interval_ms < 1000:
            raise MisconfiguredFleet(f"samples {interval_ms} ms apart: use at least 1000")
        self.charges_started = 0
        self.charges_stopped = 0
        self.status_changes = 0
        self._codec = codec
        self._operator_id = population.operator_id
        self._rng = random.Random(seed)
        self._start_ms = start_ms
        self._interval_ms = interval_ms
        self._changes = round(change_share * len(population.places))
        loads = {kind: load_of(kind, interval_ms) for kind in {p.kind for p in population.places}}
        self._live = [_Live(p, loads[p.kind], self._rng.randint(*_FIRST_METER_WH)) for p in population.places]
        self._rng.shuffle(self._live)
        charging = round(charging_share * len(self._live))
        resting = len(self._live) - charging
        plugged, faulty = charging + round(resting * _PLUGGED_SHARE), round(resting * _FAULT_SHARE)
        self._pools: dict[ConnectorStatus, list[_Live]] = {
            ConnectorStatus.CHARGING: self._live[:charging],
            ConnectorStatus.PLUGGED: self._live[charging:plugged],
            ConnectorStatus.FAULT: self._live[plugged : plugged + faulty],
            ConnectorStatus.IDLE: self._live[plugged + faulty :],
        }
        self._events: list[Event] = []
        for live in self._pools[ConnectorStatus.CHARGING]:
            self._begin(live, start_ms)
        for status, pool in self._pools.items():
            if status is not ConnectorStatus.CHARGING:
                for live in pool:
                    self._rest(live, status)
        self._rng.shuffle(self._live)

    def instants(self, samples_each: int) -> Iterator[Instant]:
        """Every connector's next `samples_each` samples. Raises IndexError past MAX_METER_WH."""
        slots = [
            self._live[first : first + CONNECTORS_PER_INSTANT]
            for first in range(0, len(self._live), CONNECTORS_PER_INSTANT)
        ]
        for tick in range(samples_each):
            tick_ms = self._start_ms + tick * self._interval_ms
            if tick:
                self._change(tick_ms)
            events, self._events = self._events, []
            for number, slot in enumerate(slots):
                sampled_at = tick_ms + number * self._interval_ms // len(slots)
                yield Instant(sampled_at, _sample(slot, sampled_at, tick % VARIANTS), events)
                events = []

    def _change(self, now_ms: int) -> None:
        """Lets as many connectors change as `change_share` says; as many charges begin as end."""
        rng, pools = self._rng, self._pools
        charging, idle = pools[ConnectorStatus.CHARGING], pools[ConnectorStatus.IDLE]
        starts = min(round(self._changes * _STARTS_SHARE), len(charging), len(idle))
        # All are taken out before any is put back, so that nothing changes twice between two samples.
        stopping = [_take(rng, charging) for _ in range(starts)]
        starting = [_take(rng, idle) for _ in range(starts)]
        others: list[tuple[_Live, ConnectorStatus]] = []
        for _ in range(self._changes - 2 * starts):
            if pools[ConnectorStatus.FAULT] and rng.random() < 0.1:
                others.append((_take(rng, pools[ConnectorStatus.FAULT]), ConnectorStatus.IDLE))
            elif pools[ConnectorStatus.PLUGGED] and rng.random() < 0.8:
                others.append((_take(rng, pools[ConnectorStatus.PLUGGED]), ConnectorStatus.IDLE))
            elif idle:
                status = ConnectorStatus.FAULT if rng.random() < 0.3 else ConnectorStatus.PLUGGED
                others.append((_take(rng, idle), status))
        for live in stopping:
            status = rng.choice(_RESTS_AFTER_CHARGE)
            self._end(live, now_ms)
            self._rest(live, status)
            pools[status].append(live)
        for live in starting:
            self._begin(live, now_ms)
            charging.append(live)
        for live, status in others:
            self._rest(live, status)
            pools[status].append(live)
        self.status_changes += len(stopping) + len(starting) + len(others)

    def _begin(self, live: _Live, now_ms: int) -> None:
        battery_wh, soc_pct = self._rng.randint(*_BATTERY_WH), self._rng.randint(10, 80)
        model = _MODELS[live.place.index % len(_MODELS)]
        live.seq = start_charge_seq(self._operator_id, now_ms, live.place.index)
        live.wh_per_pct = battery_wh // 100
        live.soc_base_wh = live.meter_wh - soc_pct * live.wh_per_pct
        live.charging = True
        status = ConnectorStatus.CHARGING
        live.prefix = routing_prefix(self._codec, status, *PARK_AND_LOCK[status], live.seq, model)
        place = live.place
        self._events.append(
            ChargeStarted(
                start_charge_seq=live.seq,
                connector_id=place.connector_id,
                equipment_id=place.equipment_id,
                station_id=place.station_id,
                charge_model=model,
                started_at=now_ms - now_ms % 1000,
                meter_start_wh=live.meter_wh,
            )
        )
        self.charges_started += 1

    def _end(self, live: _Live, now_ms: int) -> None:
        stopped_at = now_ms - now_ms % 1000
        event = ChargeStopped(live.seq, live.place.connector_id, stopped_at, live.meter_wh, StopReason.USER)
        self._events.append(event)
        self.charges_stopped += 1

    def _rest(self, live: _Live, status: ConnectorStatus) -> None:
        live.charging = False
        live.seq = ""
        live.prefix = routing_prefix(self._codec, status, *PARK_AND_LOCK[status], "", ChargeModel.UNKNOWN)
        live.tail = resting_tail(live.meter_wh, live.suffix)


def _take(rng: random.Random, pool: list[_Live]) -> _Live:
    position = int(rng.random() * len(pool))
    pool[position], pool[-1] = pool[-1], pool[position]
    return pool.pop()


def _sample(slot: list[_Live], sampled_at: int, variant: int) -> list[tuple[bytes, bytes]]:
    """One sample of every connector of the slot, and the energy since the last one on its register."""
    instant = zigzag(sampled_at)
    low, high = METER_LOW, METER_HIGH
    samples: list[tuple[bytes, bytes]] = []
    for live in slot:
        if not live.charging:
            samples.append((live.key, live.prefix + instant + live.tail))
            continue
        load = live.load
        live.meter_wh = meter_wh = live.meter_wh + load.step_wh[variant]
        number = meter_wh << 1
        soc_pct = min(100, (meter_wh - live.soc_base_wh) // live.wh_per_pct)
        value = live.prefix + instant + low[number & 0x3FFF] + high[number >> 14]
        samples.append((live.key, value + load.blocks[soc_pct][variant] + live.suffix))
    return samples
