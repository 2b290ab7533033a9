"""What goes wrong on the way: records repeated, lost, late, early, out of order, garbled, or telling nonsense.

Rates are of 1 and all zero by default. Garbage and nonsense come in addition to the true records, so that
only `lost_*`, `early_event` and `meter_jump` change what is true. Every injection is reported.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum

from infra.simulator.fleet.connector import Output
from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.outgoing import EVENTS_TOPIC, TELEMETRY_TOPIC, Outgoing, time_of, topic_of
from schemas.records.charge_events import ChargeEvent, ChargeStarted, ChargeStopped
from schemas.records.telemetry import Telemetry

#: A schema id that no registry gives.
UNKNOWN_SCHEMA_ID = 0x7FFFFFF0

#: Belongs to no station of any catalog.
UNKNOWN_CONNECTOR_ID = "99999999999999999"

#: Not even Confluent's wire format.
GARBAGE = b"\xff\xfe not a record"

#: After so many injections there are no more: the report stays whole, and some 200 MB small.
MAX_INJECTED = 1_000_000

_LATE_MS = (3_000, 15_000)
_FUTURE_MS = (3_600_000, 86_400_000)
_JUMP_WH = (1_000, 50_000)


class Mishap(Enum):
    """What was done to a record."""

    DUPLICATE = "duplicate"
    LATE_EVENT = "late_event"
    EARLY_EVENT = "early_event"
    LOST_START = "lost_start"
    LOST_STOP = "lost_stop"
    OUT_OF_ORDER = "out_of_order"
    METER_JUMP = "meter_jump"
    UNDECODABLE = "undecodable"
    UNKNOWN_SCHEMA = "unknown_schema"
    UNKNOWN_CONNECTOR = "unknown_connector"
    FUTURE_TIME = "future_time"


@dataclass(frozen=True, slots=True)
class MishapRates:
    """How often each mishap happens, as a share of the samples or events it can happen to.

    An early event arrives before any telemetry tells of it, since the sample of the change is held back for
    good. A meter jumps backwards in one sample, once a connector.
    """

    duplicate: float = 0.0
    late_event: float = 0.0
    early_event: float = 0.0
    lost_start: float = 0.0
    lost_stop: float = 0.0
    out_of_order: float = 0.0
    meter_jump: float = 0.0
    undecodable: float = 0.0
    unknown_schema: float = 0.0
    unknown_connector: float = 0.0
    future_time: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise MisconfiguredFleet(f"{field.name} is {getattr(self, field.name)}: a share is 0 to 1")

    @classmethod
    def all_at(cls, rate: float) -> "MishapRates":
        """Everything at the same rate."""
        return cls(**{field.name: rate for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Injected:
    """One mishap that happened: to which record, told by topic, connector, charge (or "") and its own time."""

    mishap: Mishap
    topic: str
    connector_id: str
    start_charge_seq: str
    at_ms: int


class ConnectorMishaps:
    """The way from one connector to Kafka. Seeded by connector, so that others' traffic changes nothing.

    Appends every injection to `report`.
    """

    def __init__(
        self,
        rates: MishapRates,
        connector_id: str,
        seed: int,
        encode: Callable[[Output], bytes],
        report: list[Injected],
    ) -> None:
        self._rates = rates
        self._connector_id = connector_id
        self._key = connector_id.encode()
        self._rng = random.Random(f"{seed}/mishaps/{connector_id}")
        self._encode = encode
        self._report = report
        self._delayed: Outgoing | None = None
        self._jumped = False

    def apply(self, outputs: Sequence[Output], now_ms: int) -> list[Outgoing]:
        """What is sent instead of these outputs of one step."""
        sent: list[Outgoing] = []
        withheld: set[int] = set()
        for output in outputs:
            if isinstance(output, Telemetry):
                if output.sampled_at not in withheld:
                    sent += self._telemetry(output, now_ms)
                continue
            if isinstance(output, ChargeStarted | ChargeStopped) and self._happens(Mishap.EARLY_EVENT, output):
                withheld.add(time_of(output))
            sent += self._event(output, now_ms)
        return sent

    def release(self, now_ms: int) -> list[Outgoing]:
        """What was still held back."""
        held, self._delayed = self._delayed, None
        return [replace(held, send_at=now_ms)] if held else []

    def _happens(self, mishap: Mishap, record: Output) -> bool:
        rate: float = getattr(self._rates, mishap.value)
        if rate <= 0 or self._rng.random() >= rate or len(self._report) >= MAX_INJECTED:
            return False
        seq = record.start_charge_seq
        self._report.append(Injected(mishap, topic_of(record), self._connector_id, seq, time_of(record)))
        return True

    def _event(self, event: ChargeEvent, now_ms: int) -> list[Outgoing]:
        if isinstance(event, ChargeStarted) and self._happens(Mishap.LOST_START, event):
            return []
        if isinstance(event, ChargeStopped) and self._happens(Mishap.LOST_STOP, event):
            return []
        late_ms = self._rng.randint(*_LATE_MS) if self._happens(Mishap.LATE_EVENT, event) else 0
        # Kafka's time is when the back office learned of it: an offline charger tells of its past.
        known_at = max(time_of(event), now_ms)
        outgoing = Outgoing(now_ms + late_ms, EVENTS_TOPIC, self._key, self._encode(event), known_at)
        return [outgoing] * (2 if self._happens(Mishap.DUPLICATE, event) else 1)

    def _telemetry(self, sample: Telemetry, now_ms: int) -> list[Outgoing]:
        told = sample
        if not self._jumped and self._happens(Mishap.METER_JUMP, sample):
            self._jumped = True
            told = replace(sample, meter_wh=max(0, sample.meter_wh - self._rng.randint(*_JUMP_WH)))
        outgoing = self._sample(told, now_ms)
        if self._delayed is None and self._happens(Mishap.OUT_OF_ORDER, sample):
            self._delayed = outgoing
            return self._nonsense(sample, now_ms)
        sent = [outgoing] * (2 if self._happens(Mishap.DUPLICATE, sample) else 1)
        return sent + self.release(now_ms) + self._nonsense(sample, now_ms)

    def _nonsense(self, sample: Telemetry, now_ms: int) -> list[Outgoing]:
        sent: list[Outgoing] = []
        true = self._sample(sample, now_ms)
        if self._happens(Mishap.UNDECODABLE, sample):
            sent.append(replace(true, value=GARBAGE))
        if self._happens(Mishap.UNKNOWN_SCHEMA, sample):
            header = b"\x00" + UNKNOWN_SCHEMA_ID.to_bytes(4, "big")
            sent.append(replace(true, value=header + true.value[len(header) :]))
        if self._happens(Mishap.UNKNOWN_CONNECTOR, sample):
            stranger = replace(sample, connector_id=UNKNOWN_CONNECTOR_ID, start_charge_seq="", charge_model=0)
            sent.append(replace(true, key=UNKNOWN_CONNECTOR_ID.encode(), value=self._encode(stranger)))
        if self._happens(Mishap.FUTURE_TIME, sample):
            ahead = replace(sample, sampled_at=now_ms + self._rng.randint(*_FUTURE_MS))
            # Kafka's own time stays: brokers refuse what is more than an hour ahead.
            sent.append(replace(true, value=self._encode(ahead)))
        return sent

    def _sample(self, sample: Telemetry, now_ms: int) -> Outgoing:
        return Outgoing(now_ms, TELEMETRY_TOPIC, self._key, self._encode(sample), sample.sampled_at)
