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
    if connector.status == ConnectorStatus.OFFLINE:
        due = 0  # the next sample brings it back
    for charge in connector.charges:
        if charge.ended_at is not None:
            due = 0  # until it is closed each sample may be the one that passes its end
            break
        if charge.first_sampled_at is not None:
            due = min(due, charge.next_push_at, charge.next_boundary)
    connector.due_code = order_code(due)
    alarm = next_alarm(tracker, connector)
    if not connector.wakes_at or alarm < connector.wakes_at:
        connector.wakes_at = alarm
        tracker.alarms_set += 1
        heappush(tracker.alarms, (alarm, tracker.alarms_set, connector))


def next_alarm(tracker: Tracker, connector: Connector) -> int:
    """When this connector must be looked at although nothing may come (UTC ms)."""
    policy = tracker.policy
    at = END_OF_TIME
    if connector.status != UNSEEN:
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
    if ready is not None:
        return ready
    at = abandoned_at(tracker, connector, charge)
    if not charge.start_announced:
        at = min(at, charge.known_at + policy.start_wait_ms)
    if charge.first_sampled_at is not None and connector.status != ConnectorStatus.OFFLINE:
        at = min(at, charge.next_push_at + policy.push_grace_ms)
    return at


def abandoned_at(tracker: Tracker, connector: Connector, charge: Charge) -> int:
    """When a charge of which nothing more is heard counts as over (UTC ms)."""
    return max(charge.known_at, charge.reading_at, connector.seen_at) + tracker.policy.abandon_ms
