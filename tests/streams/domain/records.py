"""What these tests feed the rules with: records, samples, events, a catalog, and a partition that collects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeVar

from schemas.codec import codec_for
from schemas.records.charge_events import BillIssued, ChargeEvent, ChargeStarted, ChargeStartFailed, ChargeStopped
from schemas.records.connector_state import ConnectorState
from schemas.records.faults import DeadLetter
from schemas.records.station import Connector, Equipment, Station, TariffPeriod
from schemas.records.telemetry import Telemetry
from schemas.values import ChargeModel, ConnectorStatus, StopReason
from streams.domain.events import take_event
from streams.domain.outputs import Output, StateWrite
from streams.domain.policy import TrackingPolicy
from streams.domain.restoring import restore
from streams.domain.sampling import apply_samples
from streams.domain.sites import Sites
from streams.domain.timers import run_timers
from streams.domain.tracker import Tracker

CODEC = codec_for("")
STATION = "ST00000001"
EQUIPMENT = "EQ0000000000000000000001"
CONNECTOR = "EQ000000000000000000000101"
SEQ = "MA7L4KFB0" + "0" * 17 + "1"
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

T = TypeVar("T")


def beijing(hour: int, minute: int = 0, second: float = 0, day: int = 3) -> int:
    """An instant of March 2025, Beijing time, in UTC ms."""
    whole = datetime(2025, 3, day, hour, minute, tzinfo=timezone(timedelta(hours=8)))
    return int(whole.timestamp() * 1000) + round(second * 1000)


NOON = beijing(12)


@dataclass(frozen=True, slots=True)
class FakeRecord:
    """A consumed Kafka record."""

    at_key: bytes | None
    payload: bytes | None
    at_offset: int
    at_ms: int

    def key(self) -> bytes | None:
        return self.at_key

    def value(self) -> bytes | None:
        return self.payload

    def offset(self) -> int:
        return self.at_offset

    def timestamp(self) -> tuple[int, int]:
        return (1, self.at_ms)


def sample(at: int, **fields: Any) -> Telemetry:
    """An idle sample at `at`, or as `fields` say."""
    plain = Telemetry(
        status=ConnectorStatus.IDLE,
        park_status=10,
        lock_status=10,
        start_charge_seq="",
        charge_model=0,
        sampled_at=at,
        meter_wh=1_000_000,
        soc_pct=0,
        current_a=0.0,
        current_b=0.0,
        current_c=0.0,
        voltage_a=0.0,
        voltage_b=0.0,
        voltage_c=0.0,
        connector_id=CONNECTOR,
        equipment_id=EQUIPMENT,
        station_id=STATION,
    )
    return replace(plain, **fields)


def charging(at: int, meter_wh: int = 1_000_000, **fields: Any) -> Telemetry:
    """A sample of a running charge."""
    usual: dict[str, Any] = {
        "status": ConnectorStatus.CHARGING,
        "park_status": 50,
        "lock_status": 50,
        "start_charge_seq": SEQ,
        "charge_model": ChargeModel.CITY_PLATFORM,
        "soc_pct": 40,
        "current_a": 125.5,
        "voltage_a": 400.0,
    }
    return sample(at, meter_wh=meter_wh, **(usual | fields))


def plugged(at: int, meter_wh: int = 1_000_000, **fields: Any) -> Telemetry:
    """A sample of a connector that is in a vehicle and does not charge."""
    return sample(at, meter_wh=meter_wh, **({"status": ConnectorStatus.PLUGGED, "park_status": 50} | fields))


def started(at: int, meter_wh: int = 1_000_000, **fields: Any) -> ChargeStarted:
    """ChargeStarted of the usual charge."""
    model = ChargeModel.CITY_PLATFORM
    plain = ChargeStarted(SEQ, CONNECTOR, EQUIPMENT, STATION, model, at, meter_wh, "Li", "7788", "LSVAU2180N2183294")
    return replace(plain, **fields)


def failed(at: int, **fields: Any) -> ChargeStartFailed:
    """ChargeStartFailed of the usual charge."""
    plain = ChargeStartFailed(SEQ, CONNECTOR, EQUIPMENT, STATION, ChargeModel.CITY_PLATFORM, at, 2)
    return replace(plain, **fields)


def stopped(at: int, meter_wh: int, **fields: Any) -> ChargeStopped:
    """ChargeStopped of the usual charge."""
    return replace(ChargeStopped(SEQ, CONNECTOR, at, meter_wh, StopReason.BMS), **fields)


def bill(at: int, energy: str = "10.00", elec: str = "8.00", service: str = "4.00", **fields: Any) -> BillIssued:
    """BillIssued of the usual charge."""
    elec_money, service_money = Decimal(elec), Decimal(service)
    total = elec_money + service_money
    plain = BillIssued(SEQ, CONNECTOR, at, Decimal(energy), elec_money, service_money, total)
    return replace(plain, **fields)


def prices(*periods: tuple[int, str, str]) -> tuple[TariffPeriod, ...]:
    """A tariff of (seconds since midnight, electricity price, service price)."""
    return tuple(TariffPeriod(starts, Decimal(elec), Decimal(service)) for starts, elec, service in periods)


#: Cheap until 08:00, dear until 22:00, cheap again; the day begins in the last period.
DAY_AND_NIGHT = prices((0, "0.3000", "0.4000"), (8 * 3600, "1.2000", "0.8000"), (22 * 3600, "0.3000", "0.4000"))
FLAT = prices((0, "1.0000", "0.5000"))


def station(
    tariff: Sequence[TariffPeriod] = FLAT, connectors: Iterable[str] = (CONNECTOR,), station_id: str = STATION
) -> Station:
    """A station of one charger."""
    power = Decimal("60.0")
    plugs = tuple(Connector(c, 4, 750, 200, 125, power, 2) for c in connectors)
    equipment = Equipment(EQUIPMENT, 1, power, plugs)
    return Station(
        station_id=station_id,
        operator_id="MA7L4KFB0",
        equipment_owner_id="MA7L4KFB0",
        station_name="Station",
        area_code="110105",
        address="Road 1",
        service_tel="4000000000",
        station_type=1,
        station_status=50,
        park_count=10,
        longitude=Decimal("116.481488"),
        latitude=Decimal("39.990464"),
        construction=1,
        changed_at=NOON,
        tariff=tuple(tariff),
        equipment=(equipment,),
    )


def newest_states(states: Iterable[StateWrite]) -> dict[bytes, ConnectorState]:
    """What a compacted topic keeps of these writes."""
    newest = {state.key: state.value for state in states}
    return {key: CODEC.decode_as(ConnectorState, value) for key, value in newest.items()}


class Partition:
    """A tracker with its inputs' offsets, which keeps all that it puts out."""

    def __init__(self, *stations: Station, policy: TrackingPolicy | None = None) -> None:
        self.policy = policy or TrackingPolicy()
        self.sites = Sites()
        for known in stations or (station(),):
            self.sites.put(known)
        self.tracker = Tracker(0, CODEC, self.sites, self.policy)
        self.outputs: list[Output] = []
        self.states: list[StateWrite] = []
        self.telemetry_offset = self.event_offset = -1

    def sample(self, *samples: Telemetry, clock: int | None = None) -> "Partition":
        """Each sample arrives at its own time."""
        for one in samples:
            self.raw_sample(CODEC.encode(one), at=one.sampled_at if clock is None else clock, key=one.connector_id)
        return self

    def raw_sample(self, payload: bytes | None, at: int, key: str | bytes | None = CONNECTOR) -> "Partition":
        """Any bytes arrive on charger-telemetry at `at`."""
        self.telemetry_offset += 1
        raw_key = key.encode() if isinstance(key, str) else key
        apply_samples(self.tracker, [FakeRecord(raw_key, payload, self.telemetry_offset, at)], at, at)
        self._collect()
        return self

    def event(self, event: ChargeEvent, at: int | None = None) -> "Partition":
        """An event arrives, at its own time unless `at` says when."""
        own = {"ChargeStarted": "started_at", "ChargeStopped": "stopped_at", "BillIssued": "issued_at"}
        when = getattr(event, own.get(type(event).__name__, "failed_at")) if at is None else at
        return self.raw_event(CODEC.encode(event), when, event.connector_id)

    def raw_event(self, payload: bytes | None, at: int, key: str | bytes | None = CONNECTOR) -> "Partition":
        """Any bytes arrive on charge-events at `at`."""
        self.event_offset += 1
        raw_key = key.encode() if isinstance(key, str) else key
        take_event(self.tracker, FakeRecord(raw_key, payload, self.event_offset, at), at)
        self._collect()
        return self

    def tick(self, now: int) -> "Partition":
        """The clock strikes `now`."""
        run_timers(self.tracker, now)
        self._collect()
        return self

    def run_clock(self, start: int, end: int, step: int = SECOND) -> "Partition":
        """The clock runs from `start` to `end`."""
        for now in range(start, end + 1, step):
            run_timers(self.tracker, now)
        self._collect()
        return self

    def restarted(self, clock: int) -> "Partition":
        """A new worker that recovers from what this one wrote; offsets go on."""
        other = Partition(policy=self.policy)
        other.sites = other.tracker.sites = self.sites
        other.telemetry_offset, other.event_offset = self.telemetry_offset, self.event_offset
        for key, state in newest_states(self.states).items():
            restore(other.tracker, key, state, clock)
        return other

    def of(self, record_type: type[T]) -> list[T]:
        """All records of a type so far, decoded, in order."""
        decoded = (CODEC.decode(output.value) for output in self.outputs)
        return [record for record in decoded if type(record) is record_type]

    def all(self) -> list[Any]:
        """All records so far, decoded, in order."""
        return [CODEC.decode(output.value) for output in self.outputs]

    def state(self) -> ConnectorState:
        """The newest state of the one connector."""
        return newest_states(self.states)[CONNECTOR.encode()]

    def reasons(self) -> list[str]:
        """Why records were dead-lettered, in order."""
        return [letter.reason for letter in self.of(DeadLetter)]

    def forget_outputs(self) -> "Partition":
        """Only what comes from here on counts."""
        self.outputs.clear()
        return self

    def _collect(self) -> None:
        outputs, states = self.tracker.out.take()
        self.outputs += outputs
        self.states += states
