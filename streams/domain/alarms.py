"""When a connector must be looked at again: by a sample from some time on, or by the clock alone."""

from heapq import heappush

from schemas.telemetry_layout import order_code
from schemas.values import ConnectorStatus
from streams.domain import charging
from streams.domain.charge import Charge
from streams.domain.connector import UNSEEN, Connector
from streams.domain.tariff import END_OF_TIME
from streams.domain.tracker import Tracker


def plan(tracker: Tracker, connector: Connector) -> None:
    """Sets from when on the connector's samples must be looked at, and its alarm."""
    due = END_OF_TIME
    if connector.status == ConnectorStatus.OFFLINE or connector.recovering:
        due = 0  # the next sample brings it back
    for charge in connector.charges:
        if charge.ended_at is not None and not connector.has_reached(charge.ended_at):
            due = min(due, charge.ended_at)
        if charge.first_sampled_at is not None and not charge.passed:
            due = min(due, charge.next_push_at, near_boundary_at(tracker, charge))
    connector.due_code = order_code(due)
    alarm = next_alarm(tracker, connector)
    if not connector.wakes_at or alarm < connector.wakes_at:
        connector.wakes_at = alarm
        tracker.alarms_set += 1
        heappush(tracker.alarms, (alarm, tracker.alarms_set, connector))


def near_boundary_at(tracker: Tracker, charge: Charge) -> int:
    """From when on every reading of a charge is kept in its state.

    Energy is split between the last reading before a tariff boundary and the first one behind it; after a
    crash the former must still be there. Readings further apart than silence are kept anyway.
    """
    return charge.next_boundary - tracker.policy.silence_ms


def next_alarm(tracker: Tracker, connector: Connector) -> int:
    """When this connector must be looked at although nothing may come (UTC ms)."""
    policy = tracker.policy
    at = END_OF_TIME
    if connector.status != UNSEEN:
        silent_at = connector.seen_at + policy.silence_ms
        earliest_heartbeat = connector.status_pushed_at + policy.heartbeat_ms - policy.heartbeat_spread_ms
        if not connector.charges and connector.status and silent_at < earliest_heartbeat:
            return silent_at  # the commonest case, without the heartbeat's own moment
        at = tracker.heartbeat_at(connector)
        if connector.status != ConnectorStatus.OFFLINE:
            at = min(at, connector.seen_at + policy.silence_ms)
    for charge in connector.charges:
        at = min(at, charge_alarm(tracker, connector, charge))
    return at


def charge_alarm(tracker: Tracker, connector: Connector, charge: Charge) -> int:
    """When this charge needs a push, an announcement, or its end (UTC ms)."""
    policy = tracker.policy
    if charge.started_at is None:
        return charge.known_at + policy.orphan_wait_ms
    ready = charging.ready_at(tracker, connector, charge)
    at = abandoned_at(tracker, connector, charge) if ready is None else ready
    if not charge.start_announced:
        at = min(at, charge.known_at + policy.start_wait_ms)
    if ready is not None:
        return at
    shown = charge.first_sampled_at is not None and connector.newest is not None
    if shown and connector.status != ConnectorStatus.OFFLINE:
        at = min(at, charge.next_push_at + policy.push_grace_ms)
    return at


def abandoned_at(tracker: Tracker, connector: Connector, charge: Charge) -> int:
    """When a charge of which nothing more is heard counts as over (UTC ms)."""
    shown_at = connector.seen_at if charge is connector.running() else 0
    return max(charge.known_at, charge.reading_at, shown_at) + tracker.policy.abandon_ms
