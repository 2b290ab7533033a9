"""What the fleet sends: on which topic, under which key and time."""

from dataclasses import dataclass

from schemas.records.charge_events import BillIssued, ChargeEvent, ChargeStarted, ChargeStartFailed, ChargeStopped
from schemas.records.telemetry import Telemetry

TELEMETRY_TOPIC = "charger-telemetry"
EVENTS_TOPIC = "charge-events"
CATALOG_TOPIC = "station-catalog"
COMMANDS_TOPIC = "charger-commands"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record ready to be sent at `send_at`; `timestamp_ms` is the sample's own time or when the
    back office learned of the event (UTC ms)."""

    send_at: int
    topic: str
    key: bytes
    value: bytes
    timestamp_ms: int


def topic_of(record: Telemetry | ChargeEvent) -> str:
    """The topic (without a cluster's prefix) that carries the record."""
    return TELEMETRY_TOPIC if isinstance(record, Telemetry) else EVENTS_TOPIC


def time_of(record: Telemetry | ChargeEvent) -> int:
    """The record's own time, UTC ms."""
    match record:
        case Telemetry():
            return record.sampled_at
        case ChargeStarted():
            return record.started_at
        case ChargeStartFailed():
            return record.failed_at
        case ChargeStopped():
            return record.stopped_at
        case BillIssued():
            return record.issued_at
