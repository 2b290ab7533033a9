"""What time alone brings about: silence, heartbeats, pushes without a new sample, and waits that are over."""

from heapq import heappop, heappush

from schemas.codec import Codec
from schemas.records.charge_events import BillIssued, ChargeStopped
from schemas.records.derived import StatusChangeKind
from schemas.records.faults import DeadLetter
from schemas.values import ConnectorStatus
from streams.domain import charging
from streams.domain.alarms import abandoned_at, charge_alarm, next_alarm, plan
from streams.domain.charge import Charge
from streams.domain.connector import UNSEEN, Connector
from streams.domain.reading import read_newest
from streams.domain.sampling import apply_status, push_if_due, report_status
from streams.domain.tracker import Tracker


def run_timers(tracker: Tracker, now: int) -> None:
    """Does everything that is due at `now`, the partition's clock; what follows from it waits for the next call."""
    alarms = tracker.alarms
    due: list[Connector] = []
    while alarms and alarms[0][0] <= now:
        at, _, connector = heappop(alarms)
        if connector.wakes_at != at:
            continue  # an earlier alarm was set since and has done its work
        if tracker.connectors.get(connector.key) is not connector:
            continue
        # Most alarms only find that samples have come meanwhile: they are set anew without a closer look.
        following = next_alarm(tracker, connector)
        if following > now:
            connector.wakes_at = following
            tracker.alarms_set += 1
            heappush(alarms, (following, tracker.alarms_set, connector))
            continue
        connector.wakes_at = 0
        due.append(connector)
    for connector in due:
        _wake(tracker, connector, now)


def _wake(tracker: Tracker, connector: Connector, now: int) -> None:
    policy = tracker.policy
    changed = pushed = False
    tracker.newest_reading(connector)  # forgets a damaged one, which must not get into what is put out
    if connector.status != UNSEEN:
        silent_at = connector.seen_at + policy.silence_ms
        if connector.status != ConnectorStatus.OFFLINE and silent_at <= now:
            changed = apply_status(tracker, connector, ConnectorStatus.OFFLINE, 0, 0, silent_at)
        heartbeat_at = tracker.heartbeat_at(connector)
        if heartbeat_at <= now:
            # A heartbeat that is overdue by an outage goes out with the time at which it does.
            report_status(tracker, connector, StatusChangeKind.HEARTBEAT, None, max(heartbeat_at, now))
            changed = True
    for charge in connector.charges:
        alarm = charge_alarm(tracker, connector, charge)
        if alarm > now:
            continue
        changed |= _wake_charge(tracker, connector, charge, now)
        if charge.first_sampled_at is not None and charge.ended_at is None:
            pushed |= _push_without_sample(tracker, connector, charge, now)
    if changed or pushed:
        tracker.save(connector, now, changed=changed)
    plan(tracker, connector)


def _push_without_sample(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> bool:
    """A push is due and its sample has not come in time: the newest one serves."""
    if connector.status == ConnectorStatus.OFFLINE or connector.newest is None:
        return False
    if charge.next_push_at + tracker.policy.push_grace_ms > now:
        return False
    read_newest(tracker, connector, charge)
    return push_if_due(tracker, connector, charge, now)


def _wake_charge(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> bool:
    policy = tracker.policy
    if charge.started_at is None:
        _give_up_orphan(tracker, connector, charge, now)
        return True
    ready = charging.ready_at(tracker, connector, charge)
    if ready is not None and ready <= now:
        charging.close(tracker, connector, charge, now)
        return True
    start_due = charge.known_at + policy.start_wait_ms
    if not charge.start_announced and start_due <= now:
        charging.announce_start(tracker, connector, charge, start_due)
        charging.announce_held_stop(tracker, connector, charge, start_due)
        return True
    if ready is not None:
        return False
    if abandoned_at(tracker, connector, charge) <= now:
        charge.flags |= {"abandoned"}
        charge.ended_at, charge.meter_end_wh = charge.reading_at, charge.reading_wh - charge.rebase_wh
        charging.close(tracker, connector, charge, now)
        return True
    return False


def _give_up_orphan(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> None:
    """A stop or a bill of a charge that nobody started: dead-lettered, since it may be money."""
    waited = tracker.policy.orphan_wait_ms // 1000
    for event, offset in _orphans(charge, connector):
        tracker.counts["charge_never_started"] += 1
        detail = f"no start and no sample of {charge.seq} within {waited} s of its {type(event).__name__}"
        value = _encode(tracker.codec, event)
        letter = DeadLetter(
            "charge_never_started",
            detail,
            "charge-events",
            tracker.partition,
            offset,
            charge.known_at,
            now,
            connector.key,
            value,
        )
        tracker.out.dead_letter(letter)
    charging.forget(tracker, connector, charge)


def _orphans(charge: Charge, connector: Connector) -> list[tuple[ChargeStopped | BillIssued, int]]:
    """The events that are held of a charge, with their offsets."""
    events: list[tuple[ChargeStopped | BillIssued, int]] = []
    if charge.stop_reported and charge.ended_at is not None and charge.meter_end_wh is not None:
        stopped = ChargeStopped(
            charge.seq, connector.connector_id, charge.ended_at, charge.meter_end_wh, charge.stop_reason or 0
        )
        events.append((stopped, charge.stop_offset))
    if charge.bill is not None:
        events.append((charge.bill, charge.bill_offset))
    return events


def _encode(codec: Codec, event: ChargeStopped | BillIssued) -> bytes:
    return codec.encode(event)
