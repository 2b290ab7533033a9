"""One charge event from the back office: it completes what telemetry shows, or stands alone."""

from decimal import Decimal

from schemas.errors import UndecodableRecord
from schemas.records.charge_events import (
    BillIssued,
    ChargeEvent,
    ChargeStarted,
    ChargeStartFailed,
    ChargeStopped,
)
from schemas.records.derived import StartResult
from schemas.values import StopReason
from streams.domain import charging
from streams.domain.alarms import plan
from streams.domain.charge import Charge
from streams.domain.connector import Connector, remembered
from streams.domain.policy import SEQ_MAX_LENGTH
from streams.domain.reading import read_newest
from streams.domain.tracker import SourceRecord, Tracker, instant_problem, meter_problem, offset_of

TOPIC = "charge-events"
_EVENTS = (ChargeStarted, ChargeStartFailed, ChargeStopped, BillIssued)

#: 0 to 4 have a meaning, 5 to 99 are the operator's own (Beijing V1.1 §1.1.14).
_STOP_REASONS = range(100)

#: What the order's schema can hold: 12 digits before the point in amounts, 6 in prices.
_AMOUNT_LIMIT, _PRICE_LIMIT = 10**12, 10**6


def take_event(tracker: Tracker, record: SourceRecord, now: int, settled: int | None = None) -> None:
    """Handles one event: dead-letters it with its reason, passes it over, or applies it.

    `now` is the worker's time. Samples and other events are waited for until `settled`, the time up to which all
    that happened has been read (by default `now`; 0 or less if it is not known). Waits count from the record's own
    time, and from `settled` where an event comes later than that. All in UTC ms.
    """
    key = record.key() or b""
    recorded_at = record.timestamp()[1]
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
    if not key or key != event.connector_id.encode():
        detail = f"the Kafka key is {key!r}, the event's ConnectorID {event.connector_id!r}"
        tracker.refuse(TOPIC, record, "key_is_not_connector", detail, now)
        return
    if not 0 < len(event.start_charge_seq) <= SEQ_MAX_LENGTH:
        detail = f"StartChargeSeq has {len(event.start_charge_seq)} characters, 1 to {SEQ_MAX_LENGTH} are allowed"
        tracker.refuse(TOPIC, record, "start_charge_seq_length", detail, now)
        return
    problem = problem_of(event, max(now, recorded_at) + tracker.policy.future_tolerance_ms)
    if problem:
        tracker.refuse(TOPIC, record, problem[0], problem[1], now)
        return
    if connector is None:
        connector = tracker.connectors[key] = Connector.unseen(key)
        connector.station_id = tracker.intern(tracker.sites.station_id(event.connector_id))
        connector.seen_at = now
        if not tracker.sites.knows(event.connector_id):
            tracker.flag(connector, None, "unknown_connector", "not in the catalog, and no sample yet", now)
    connector.event_offset = offset_of(record)
    tracker.newest_reading(connector)  # forgets a damaged one, which must not get into what is put out
    if event.start_charge_seq in connector.closed_seqs:
        detail = f"the order of {event.start_charge_seq} is made already"
        tracker.refuse(TOPIC, record, "charge_already_closed", detail, now)
    else:
        settled = now if settled is None else settled
        _apply(tracker, connector, event, record, now, settled)
        # `settled` may be the end of what was read together with this record: what is behind it is still to come.
        charging.close_finished(tracker, connector, min(settled, recorded_at))
    tracker.save(connector, now)
    plan(tracker, connector)


def problem_of(event: ChargeEvent, latest: int) -> tuple[str, str] | None:
    """Why an event's figures can't be true when nothing in it is later than `latest` (UTC ms): reason and detail."""
    if isinstance(event, ChargeStarted):
        return instant_problem(event.started_at, latest) or meter_problem(event.meter_start_wh)
    if isinstance(event, ChargeStopped):
        return instant_problem(event.stopped_at, latest) or meter_problem(event.meter_end_wh)
    if isinstance(event, ChargeStartFailed):
        return instant_problem(event.failed_at, latest)
    amounts = [event.energy_kwh, event.elec_money, event.service_money, event.total_money]
    prices: list[Decimal] = []
    for p in event.periods:
        amounts += (p.energy_kwh, p.elec_money, p.service_money)
        prices += (p.elec_price, p.service_price)
    if any(abs(amount) >= _AMOUNT_LIMIT for amount in amounts) or any(abs(price) >= _PRICE_LIMIT for price in prices):
        return "amount_implausible", "an amount has more digits than an order can hold"
    return None


def _apply(
    tracker: Tracker, connector: Connector, event: ChargeEvent, record: SourceRecord, now: int, settled: int
) -> None:
    charge = connector.charge(event.start_charge_seq)
    if isinstance(event, ChargeStartFailed):
        if charge is not None and charge.started_at is not None:
            detail = f"{charge.seq} has started already"
            tracker.refuse(TOPIC, record, "charge_already_started", detail, now)
        elif event.start_charge_seq in connector.failed_seqs:
            tracker.counts["repeated_start_failure"] += 1  # nothing is lost: its result is out
        else:
            _start_failed(tracker, connector, event)
        return
    recorded_at = record.timestamp()[1]
    learned_at = max(recorded_at, settled)
    if charge is None:
        charge = Charge(event.start_charge_seq, 0, known_at=learned_at)
        connector.charges = (*connector.charges, charge)
    charge.known_at = max(charge.known_at, learned_at)
    charge.progress_parts = None
    if isinstance(event, ChargeStarted):
        _started(tracker, connector, charge, event, recorded_at)
    elif isinstance(event, ChargeStopped):
        charge.stop_offset = offset_of(record)
        _stopped(tracker, connector, charge, event, recorded_at)
    else:
        charge.bill, charge.bill_offset = event, offset_of(record)


def _start_failed(tracker: Tracker, connector: Connector, event: ChargeStartFailed) -> None:
    """Puts out the failure (Beijing V1.1 §1.1.8). It closes nothing: the charge may start all the same."""
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
    most = tracker.policy.failed_remembered
    connector.failed_seqs = remembered(connector.failed_seqs, event.start_charge_seq, most)


def _started(tracker: Tracker, connector: Connector, charge: Charge, event: ChargeStarted, recorded_at: int) -> None:
    if not connector.station_id:
        connector.station_id = tracker.intern(event.station_id)
    if not connector.equipment_id:
        connector.equipment_id = tracker.intern(event.equipment_id)
    charge.model = event.charge_model
    charge.user_name, charge.ident_code, charge.vin = event.user_name, event.ident_code, event.vin
    told_at = max(event.started_at, recorded_at)
    if charge.started_at != event.started_at or not charge.start_reported:
        charge.start_reported = True
        charging.begin(tracker, connector, charge, event.started_at, event.meter_start_wh, told_at)
    charging.announce_start(tracker, connector, charge, told_at)
    charging.announce_held_stop(tracker, connector, charge, told_at)


def _stopped(tracker: Tracker, connector: Connector, charge: Charge, event: ChargeStopped, recorded_at: int) -> None:
    if charge is connector.running():
        read_newest(tracker, connector, charge)
        charge.passed = connector.has_reached(event.stopped_at)
    charge.ended_at, charge.meter_end_wh = event.stopped_at, event.meter_end_wh
    charge.stop_reason = event.stop_reason
    if event.stop_reason not in _STOP_REASONS:
        detail = f"StopReason {event.stop_reason} is not within 0 to 99: the order says {StopReason.NOT_REPORTED}"
        tracker.flag(connector, charge, "stop_reason_not_in_enum", detail, recorded_at)
        charge.stop_reason = None
    charge.stop_reported = True
    charging.announce_stop(tracker, connector, charge, recorded_at, wait_for_samples=True)
