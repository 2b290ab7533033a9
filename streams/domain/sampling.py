"""Samples: most change nothing that matters and are only remembered; the others are looked at.

A sample is looked at when it changes something, is due (a push, a tariff boundary), or is not right.
"""

from collections.abc import Iterable

from schemas.errors import UndecodableRecord
from schemas.records.derived import ProgressKind, StatusChange, StatusChangeKind
from schemas.records.telemetry import Telemetry
from schemas.telemetry_layout import INSTANT_SIZE, order_code, read_long
from schemas.values import ConnectorStatus
from streams.domain import charging
from streams.domain.alarms import plan
from streams.domain.charge import Charge
from streams.domain.connector import UNSEEN, Connector
from streams.domain.tracker import SourceRecord, Tracker, offset_of

TOPIC = "charger-telemetry"
_STATUSES = frozenset(ConnectorStatus)


def apply_samples(
    tracker: Tracker, records: Iterable[SourceRecord], clock: int, wall: int, settled: int | None = None
) -> None:
    """Takes telemetry in order of offset. All times in UTC ms.

    `clock` is the worker's time for silence, `wall` the time that no sample may be far ahead of. Events are
    waited for until `settled`, the time up to which all that happened has been read (by default `clock`).
    """
    if settled is None:
        settled = clock
    get = tracker.connectors.get
    from_bytes = int.from_bytes
    size = INSTANT_SIZE
    limit = order_code(wall + tracker.policy.future_tolerance_ms)
    for record in records:
        payload = record.value()
        connector = get(record.key())  # type: ignore[arg-type]
        if connector is not None and payload is not None and payload.startswith(connector.prefix):
            cut = connector.cut
            code = from_bytes(payload[cut : cut + size], "little")
            if connector.newest_code < code < connector.due_code and code < limit:
                connector.newest = payload
                connector.newest_code = code
                connector.seen_at = clock
                continue
        take_sample(tracker, record, connector, clock, wall, settled)


def take_sample(
    tracker: Tracker, record: SourceRecord, connector: Connector | None, clock: int, wall: int, settled: int
) -> None:
    """Handles one sample: dead-letters it with its reason, passes it over, or applies it."""
    offset = offset_of(record)
    if connector is not None and offset <= connector.telemetry_offset:
        tracker.counts["replayed_sample"] += 1
        return
    payload = record.value()
    sample: Telemetry | None = None
    if connector is not None and payload is not None and payload.startswith(connector.prefix):
        try:
            sampled_at, behind = read_long(payload, connector.cut)
            meter_wh, _ = read_long(payload, behind)
        except IndexError:
            tracker.refuse(TOPIC, record, "undecodable", "Telemetry: ends too early", clock)
            return
    else:
        try:
            sample = tracker.decode_sample(payload)
        except UndecodableRecord as error:
            tracker.refuse(TOPIC, record, error.reason, str(error), clock)
            return
        assert payload is not None
        problem = _problem_of(sample, record.key())
        if problem:
            tracker.refuse(TOPIC, record, problem[0], problem[1], clock)
            return
        if payload[:5] != tracker.codec.header(Telemetry):
            payload = tracker.codec.encode(sample)
        sampled_at, meter_wh = sample.sampled_at, sample.meter_wh
    if sampled_at > wall + tracker.policy.future_tolerance_ms:
        ahead = (sampled_at - wall) / 1000
        tracker.refuse(TOPIC, record, "timestamp_in_future", f"sampled {ahead:.0f} s ahead of the clock", clock)
        return
    if connector is None:
        assert sample is not None
        connector = tracker.connectors[record.key() or b""] = Connector.unseen(record.key() or b"", sample.connector_id)
    elif connector.newest is not None:
        newest_at, _ = tracker.newest_reading(connector)
        if payload == connector.newest:
            tracker.counts["repeated_sample"] += 1
            connector.seen_at = clock
            return
        if sampled_at < newest_at:
            late = (newest_at - sampled_at) / 1000
            tracker.refuse(TOPIC, record, "out_of_order", f"sampled {late:.3f} s before the newest sample", clock)
            return
    _apply(tracker, connector, sample, payload, sampled_at, meter_wh, offset, clock, settled)


def _problem_of(sample: Telemetry, key: bytes | None) -> tuple[str, str] | None:
    """Why a decoded sample can't be used."""
    if key is None or key != sample.connector_id.encode():
        return (
            "key_is_not_connector",
            f"the Kafka key is {key!r}, the sample's ConnectorID {sample.connector_id!r}",
        )
    if sample.status not in _STATUSES:
        return "status_not_in_enum", f"status {sample.status} is none of {sorted(_STATUSES)}"
    if sample.meter_wh < 0:
        return "meter_negative", f"meter_wh is {sample.meter_wh}"
    return None


def _apply(
    tracker: Tracker,
    connector: Connector,
    sample: Telemetry | None,
    payload: bytes,
    sampled_at: int,
    meter_wh: int,
    offset: int,
    clock: int,
    settled: int,
) -> None:
    """The sample is good and new. `sample` is None when its leading fields are the last one's."""
    running = connector.running()
    tariff = tracker.tariff_of(connector)
    if running is not None and connector.newest is not None:
        newest_at, newest_wh = tracker.newest_reading(connector)
        running.read(newest_at, newest_wh + running.rebase_wh, tariff)
    if meter_wh < connector.meter_wh:
        _meter_jumped(tracker, connector, running, meter_wh, sampled_at)
    connector.meter_wh = meter_wh
    connector.telemetry_offset = offset
    connector.seen_at = clock
    changed = False
    silent = connector.status == ConnectorStatus.OFFLINE
    if sample is not None:
        if connector.status == UNSEEN or connector.station_id != sample.station_id:
            connector.equipment_id = tracker.intern(sample.equipment_id)
            connector.station_id = tracker.intern(sample.station_id)
            if not tracker.sites.knows(sample.connector_id):
                detail = f"not in the catalog; its samples say station {sample.station_id!r}"
                tracker.flag(connector, None, "unknown_connector", detail, sampled_at)
        changed = apply_status(tracker, connector, sample.status, sample.park_status, sample.lock_status, sampled_at)
    elif silent:
        whole = tracker.decode_sample(payload)
        changed = apply_status(tracker, connector, whole.status, whole.park_status, whole.lock_status, sampled_at)
    tracker.remember(connector, payload, sampled_at)
    if sample is not None:
        changed |= charging.take_charge_fields(tracker, connector, sample, running)
        running = connector.running()
    pushed = False
    if running is not None:
        marks = len(running.marks)
        running.read(sampled_at, meter_wh + running.rebase_wh, tracker.tariff_of(connector))
        changed |= len(running.marks) != marks
        pushed = push_if_due(tracker, connector, running, sampled_at)
    changed |= charging.close_finished(tracker, connector, settled)
    if changed or pushed:
        tracker.save(connector, sampled_at, changed=changed)
    plan(tracker, connector)


def _meter_jumped(
    tracker: Tracker, connector: Connector, running: Charge | None, meter_wh: int, sampled_at: int
) -> None:
    """The register went backwards: the running charge goes on from where it was."""
    detail = f"register {connector.meter_wh} Wh, then {meter_wh} Wh"
    if running is not None:
        running.rebase_wh += connector.meter_wh - meter_wh
        running.flags.add("meter_backwards")
        connector.state_head = None
    tracker.flag(connector, running, "meter_backwards", detail, sampled_at)


def apply_status(
    tracker: Tracker, connector: Connector, status: int, park_status: int, lock_status: int, at: int
) -> bool:
    """Reports the connector's status if it is another than the reported one (Beijing V1.1 §1.1.2)."""
    if (status, park_status, lock_status) == (connector.status, connector.park_status, connector.lock_status):
        return False
    previous = None if connector.status == UNSEEN else connector.status
    connector.status, connector.park_status, connector.lock_status = status, park_status, lock_status
    connector.status_since = at
    report_status(tracker, connector, StatusChangeKind.CHANGED, previous, at)
    return True


def report_status(
    tracker: Tracker, connector: Connector, kind: StatusChangeKind, previous: int | None, at: int
) -> None:
    """Puts out the connector's status."""
    connector.status_pushed_at = at
    change = StatusChange(
        connector.connector_id,
        connector.equipment_id,
        connector.station_id,
        kind,
        connector.status,
        connector.park_status,
        connector.lock_status,
        previous,
        at,
    )
    tracker.out.put(change, connector.key, at)


def push_if_due(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> bool:
    """Puts out the charge's progress once the grid of pushes is reached (Beijing V1.1 §1.1.10)."""
    due = charge.next_push_at
    if due > now or charge.started_at is None:
        return False
    first = due == charge.first_sampled_at and not charge.final_progress_sent
    kind = ProgressKind.STARTED if first else ProgressKind.PERIODIC
    tracker.out.progress(connector, charge, kind, due, charge.reading_at, charge.reading_wh)
    step = tracker.policy.push_ms
    charge.next_push_at = due + ((now - due) // step + 1) * step
    return True
