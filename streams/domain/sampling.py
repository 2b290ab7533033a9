"""Samples: most change nothing that matters and are only remembered; the others are looked at.

A sample is looked at when it changes something, is due (a push, a tariff boundary), or is not right.
"""

from collections.abc import Iterable

from schemas.codec import HEADER_SIZE
from schemas.errors import UndecodableRecord
from schemas.records.derived import ProgressKind, StatusChange, StatusChangeKind
from schemas.records.telemetry import Telemetry
from schemas.telemetry_layout import INSTANT_SIZE, order_code, read_middle
from schemas.values import ConnectorStatus
from streams.domain import charging
from streams.domain.alarms import near_boundary_at, plan
from streams.domain.charge import Charge
from streams.domain.connector import UNSEEN, Connector
from streams.domain.policy import SEQ_MAX_LENGTH
from streams.domain.pushing import push_in_passing
from streams.domain.reading import read, read_newest, see_register
from streams.domain.tracker import SourceRecord, Tracker, instant_problem, meter_problem, offset_of

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
            if connector.newest_code < code < limit and payload.endswith(connector.suffix):
                if code < connector.due_code:
                    connector.newest = payload
                    connector.newest_code = code
                    connector.seen_at = clock
                    continue
                if connector.due_code and push_in_passing(tracker, connector, payload, code, offset_of(record), clock):
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
    problem: tuple[str, str] | None = None
    try:
        if (
            connector is not None
            and connector.due_code
            and payload is not None
            and payload.startswith(connector.prefix)
            and payload.endswith(connector.suffix)
        ):
            sampled_at, meter_wh = read_middle(payload, connector.cut, len(connector.suffix))
        else:
            sample = tracker.decode_sample(payload)
            assert payload is not None
            sampled_at, meter_wh = sample.sampled_at, sample.meter_wh
            problem = sample_problem(sample, record.key())
            if payload[:HEADER_SIZE] != tracker.codec.header(Telemetry):
                payload = tracker.codec.encode(sample)
    except UndecodableRecord as error:
        tracker.refuse(TOPIC, record, error.reason, str(error), clock)
        return
    latest = wall + tracker.policy.future_tolerance_ms
    problem = problem or meter_problem(meter_wh) or instant_problem(sampled_at, latest)
    if problem:
        tracker.refuse(TOPIC, record, problem[0], problem[1], clock)
        return
    if connector is None:
        key = record.key() or b""
        connector = tracker.connectors[key] = Connector.unseen(key)
    elif payload == connector.newest:
        _repeated(tracker, connector, clock)
        return
    else:
        newest = tracker.newest_reading(connector)
        if newest is not None and sampled_at < newest[0]:
            if connector.recovering:
                tracker.counts["replayed_sample"] += 1
                return
            late = (newest[0] - sampled_at) / 1000
            tracker.refuse(TOPIC, record, "out_of_order", f"sampled {late:.3f} s before the newest sample", clock)
            return
    learned_at = max(sampled_at, record.timestamp()[1], settled)
    _apply(tracker, connector, sample, payload, sampled_at, meter_wh, offset, clock, settled, learned_at)


def _repeated(tracker: Tracker, connector: Connector, clock: int) -> None:
    """The newest sample has come again."""
    connector.seen_at = clock
    if connector.recovering:
        tracker.counts["replayed_sample"] += 1
        connector.recovering = False
        plan(tracker, connector)
    else:
        tracker.counts["repeated_sample"] += 1


def sample_problem(sample: Telemetry, key: bytes | None) -> tuple[str, str] | None:
    """Why a decoded sample can't be used, apart from its figures."""
    if not key or key != sample.connector_id.encode():
        return (
            "key_is_not_connector",
            f"the Kafka key is {key!r}, the sample's ConnectorID {sample.connector_id!r}",
        )
    if sample.status not in _STATUSES:
        return "status_not_in_enum", f"status {sample.status} is none of {sorted(_STATUSES)}"
    if len(sample.start_charge_seq) > SEQ_MAX_LENGTH:
        detail = f"StartChargeSeq has {len(sample.start_charge_seq)} characters, {SEQ_MAX_LENGTH} are allowed"
        return "start_charge_seq_length", detail
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
    learned_at: int,
) -> None:
    """The sample is good and new. `sample` is None when its leading fields are the last one's.

    Other inputs are waited for from `learned_at` on: a sample may come long after its own time.
    """
    running = connector.running()
    changed = False
    if running is not None:
        changed |= read_newest(tracker, connector, running)
    changed |= see_register(tracker, connector, running, meter_wh, sampled_at)
    connector.telemetry_offset = offset
    connector.seen_at = clock
    connector.recovering = False
    if sample is not None:
        _take_ids(tracker, connector, sample)
        changed |= apply_status(tracker, connector, sample.status, sample.park_status, sample.lock_status, sampled_at)
    tracker.remember(connector, payload, sampled_at, sample)
    if sample is not None:
        changed |= charging.take_charge_fields(tracker, connector, sample, running, learned_at)
        running = connector.running()
    keep = False
    if running is not None:
        if running.ended_at is None or sampled_at <= running.ended_at:
            changed |= read(tracker, connector, running, sampled_at, meter_wh)
            pushed = not running.final_progress_sent and push_if_due(tracker, connector, running, sampled_at)
            keep = pushed or sampled_at >= near_boundary_at(tracker, running)
        if running.ended_at is not None and sampled_at >= running.ended_at:
            charging.pass_end(tracker, connector, running, sampled_at, meter_wh, learned_at)
            changed = True
    changed |= charging.close_finished(tracker, connector, min(settled, sampled_at))
    if changed or keep:
        tracker.save(connector, sampled_at, changed=changed)
    plan(tracker, connector)


def _take_ids(tracker: Tracker, connector: Connector, sample: Telemetry) -> None:
    """Where the connector stands; a connector that the catalog does not have is reported when first heard of."""
    if (connector.station_id, connector.equipment_id) != (sample.station_id, sample.equipment_id):
        connector.equipment_id = tracker.intern(sample.equipment_id)
        connector.station_id = tracker.intern(sample.station_id)
        connector.state_head = None
        for charge in connector.charges:
            charge.progress_parts = None
    first_heard_of = connector.status == UNSEEN and connector.event_offset < 0
    if first_heard_of and not tracker.sites.knows(sample.connector_id):
        detail = f"not in the catalog; its samples say station {sample.station_id!r}"
        tracker.flag(connector, None, "unknown_connector", detail, sample.sampled_at)


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
    connector.state_head = None
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
