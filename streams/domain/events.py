"""One charge event from the back office: it completes what telemetry shows, or stands alone."""

from schemas.errors import UndecodableRecord
from schemas.records.charge_events import (
    BillIssued,
    ChargeEvent,
    ChargeStarted,
    ChargeStartFailed,
    ChargeStopped,
)
from schemas.records.derived import StartResult
from streams.domain import charging
from streams.domain.alarms import plan
from streams.domain.charge import Charge
from streams.domain.connector import Connector
from streams.domain.tracker import SourceRecord, Tracker, offset_of

TOPIC = "charge-events"
_EVENTS = (ChargeStarted, ChargeStartFailed, ChargeStopped, BillIssued)


def take_event(tracker: Tracker, record: SourceRecord, now: int) -> None:
    """Handles one event: dead-letters it with its reason, passes it over, or applies it.

    `now` is the partition's clock (UTC ms); waits count from the record's own time.
    """
    key = record.key() or b""
    connector = tracker.connectors.get(key)
    if connector is not None and offset_of(record) <= connector.event_offset:
        tracker.counts["replayed_event"] += 1
        return
    try:
        event = tracker.codec.decode(record.value())
    except UndecodableRecord as error:
        tracker.refuse(TOPIC, record, error.reason, str(error), now)
        return
    if not isinstance(event, _EVENTS):
        detail = f"is a {type(event).__name__}"
        tracker.refuse(TOPIC, record, "unexpected_record_type", detail, now)
        return
    if key != event.connector_id.encode():
        detail = f"the Kafka key is {key!r}, the event's ConnectorID {event.connector_id!r}"
        tracker.refuse(TOPIC, record, "key_is_not_connector", detail, now)
        return
    if not 0 < len(event.start_charge_seq) <= 27:
        detail = f"StartChargeSeq has {len(event.start_charge_seq)} characters, 1 to 27 are allowed"
        tracker.refuse(TOPIC, record, "start_charge_seq_length", detail, now)
        return
    if connector is None:
        connector = tracker.connectors[key] = Connector.unseen(key, event.connector_id)
        connector.station_id = tracker.intern(tracker.sites.station_id(event.connector_id))
        connector.seen_at = now
        if not tracker.sites.knows(event.connector_id):
            tracker.flag(connector, None, "unknown_connector", "not in the catalog, and no sample yet", now)
    connector.event_offset = offset_of(record)
    if event.start_charge_seq in connector.closed_seqs:
        detail = f"the order of {event.start_charge_seq} is made already"
        tracker.refuse(TOPIC, record, "charge_already_closed", detail, now)
    else:
        _apply(tracker, connector, event, record.timestamp()[1])
        charging.close_finished(tracker, connector, now)
    tracker.save(connector, now)
    plan(tracker, connector)


def _apply(tracker: Tracker, connector: Connector, event: ChargeEvent, known_at: int) -> None:
    if isinstance(event, ChargeStartFailed):
        _start_failed(tracker, connector, event)
        return
    charge = connector.charge(event.start_charge_seq)
    if charge is None:
        charge = Charge(event.start_charge_seq, 0, known_at=known_at)
        connector.charges = (*connector.charges, charge)
    charge.known_at = max(charge.known_at, known_at)
    charge.progress_head = None
    if isinstance(event, ChargeStarted):
        _started(tracker, connector, charge, event)
    elif isinstance(event, ChargeStopped):
        _stopped(tracker, connector, charge, event)
    else:
        charge.bill = event


def _start_failed(tracker: Tracker, connector: Connector, event: ChargeStartFailed) -> None:
    result = StartResult(
        event.start_charge_seq,
        event.connector_id,
        event.station_id,
        event.charge_model,
        False,
        event.fail_reason,
        event.failed_at,
        "",
        "",
    )
    tracker.out.put(result, connector.key, event.failed_at)
    remembered = (*connector.closed_seqs, event.start_charge_seq)
    connector.closed_seqs = remembered[-tracker.policy.closed_remembered :]


def _started(tracker: Tracker, connector: Connector, charge: Charge, event: ChargeStarted) -> None:
    if not connector.station_id:
        connector.station_id = tracker.intern(event.station_id)
    if not connector.equipment_id:
        connector.equipment_id = tracker.intern(event.equipment_id)
    charge.model = event.charge_model
    charge.user_name, charge.ident_code, charge.vin = event.user_name, event.ident_code, event.vin
    if charge.started_at != event.started_at or not charge.start_reported:
        charge.start_reported = True
        charge.begin(event.started_at, event.meter_start_wh, tracker.tariff_of(connector))
    charging.announce_start(tracker, connector, charge, event.started_at)
    if charge.ended_at is not None and charge.stop_reported:
        charging.announce_stop(tracker, connector, charge, charge.ended_at)


def _stopped(tracker: Tracker, connector: Connector, charge: Charge, event: ChargeStopped) -> None:
    running = connector.running()
    if running is charge and connector.newest is not None:
        sampled_at, meter_wh = tracker.newest_reading(connector)
        running.read(sampled_at, meter_wh + running.rebase_wh, tracker.tariff_of(connector))
    charge.ended_at = event.stopped_at
    charge.meter_end_wh = event.meter_end_wh + charge.rebase_wh
    charge.stop_reason = event.stop_reason
    charge.stop_reported = True
    charging.announce_stop(tracker, connector, charge, event.stopped_at)
