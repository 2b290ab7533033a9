"""Status changes, heartbeats, silence (Beijing V1.1 §1.1.2)."""

import itertools

import pytest

from schemas.records.derived import StatusChange, StatusChangeKind
from schemas.records.faults import Anomaly
from schemas.values import ConnectorStatus
from streams.domain.policy import TrackingPolicy
from tests.streams.domain.records import (
    CONNECTOR,
    EQUIPMENT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    STATION,
    Partition,
    plugged,
    sample,
    started,
    station,
)

SILENCE = 90 * SECOND


def shown(run: Partition) -> list[tuple[StatusChangeKind, int, int | None, int]]:
    return [(c.kind, c.status, c.previous_status, c.observed_at) for c in run.of(StatusChange)]


def test_first_sight_is_reported_without_a_previous_status() -> None:
    run = Partition().sample(sample(NOON))
    assert run.of(StatusChange) == [
        StatusChange(CONNECTOR, EQUIPMENT, STATION, StatusChangeKind.CHANGED, 1, 10, 10, None, NOON)
    ]


def test_1_1_2_each_change_is_reported_once() -> None:
    run = Partition().sample(*(sample(NOON + n * 10 * SECOND) for n in range(4)))
    run.sample(*(plugged(NOON + n * 10 * SECOND) for n in range(4, 8)))
    assert shown(run) == [
        (StatusChangeKind.CHANGED, 1, None, NOON),
        (StatusChangeKind.CHANGED, 2, 1, NOON + 40 * SECOND),
    ]


@pytest.mark.parametrize("field", ["park_status", "lock_status"])
def test_park_and_lock_count_as_status(field: str) -> None:
    run = Partition().sample(sample(NOON), sample(NOON + SECOND, **{field: 50}))
    assert len(run.of(StatusChange)) == 2
    assert getattr(run.of(StatusChange)[1], field) == 50


@pytest.mark.parametrize("status", list(ConnectorStatus))
def test_every_status_is_taken(status: ConnectorStatus) -> None:
    run = Partition().sample(sample(NOON, status=status))
    assert [c.status for c in run.of(StatusChange)] == [status]
    assert not run.reasons()


def test_silence_is_offline_at_the_time_it_is_long_enough() -> None:
    run = Partition().sample(sample(NOON)).tick(NOON + SILENCE - 1)
    assert len(run.of(StatusChange)) == 1
    run.tick(NOON + SILENCE)
    change = run.of(StatusChange)[1]
    assert (change.kind, change.status, change.previous_status) == (StatusChangeKind.CHANGED, 0, 1)
    assert (change.park_status, change.lock_status, change.observed_at) == (0, 0, NOON + SILENCE)
    run.run_clock(NOON + SILENCE, NOON + SILENCE + 10 * MINUTE)
    assert len(run.of(StatusChange)) == 2


def test_samples_that_change_nothing_keep_a_connector_online() -> None:
    run = Partition().sample(sample(NOON))
    for n in range(1, 60):
        run.sample(sample(NOON + n * 60 * SECOND)).tick(NOON + n * 60 * SECOND)
    assert len(run.of(StatusChange)) == 1


def test_the_first_sample_after_silence_brings_it_back() -> None:
    run = Partition().sample(sample(NOON)).tick(NOON + SILENCE).forget_outputs()
    run.sample(sample(NOON + HOUR))
    assert shown(run) == [(StatusChangeKind.CHANGED, 1, 0, NOON + HOUR)]
    assert [(c.park_status, c.lock_status) for c in run.of(StatusChange)] == [(10, 10)]
    run.forget_outputs().sample(sample(NOON + HOUR + SECOND)).tick(NOON + HOUR + SILENCE)
    assert not run.outputs


def test_a_repeated_sample_after_silence_does_not_stop_the_next_one() -> None:
    run = Partition().sample(sample(NOON)).tick(NOON + SILENCE).forget_outputs()
    run.sample(sample(NOON), clock=NOON + 2 * MINUTE)
    run.sample(sample(NOON + 3 * MINUTE))
    assert shown(run)[-1] == (StatusChangeKind.CHANGED, 1, 0, NOON + 3 * MINUTE)


def test_1_1_2_heartbeat_within_three_hours_without_a_change() -> None:
    run = Partition().sample(sample(NOON))
    for n in range(1, 10 * 60):
        run.sample(sample(NOON + n * MINUTE)).tick(NOON + n * MINUTE)
    beats = [c for c in run.of(StatusChange) if c.kind is StatusChangeKind.HEARTBEAT]
    times = [NOON] + [c.observed_at for c in beats]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(beats) in (3, 4)
    assert all(2.5 * HOUR <= gap <= 3 * HOUR for gap in gaps)
    assert {(c.status, c.previous_status) for c in beats} == {(1, None)}


def test_a_change_puts_the_heartbeat_off() -> None:
    policy = TrackingPolicy(heartbeat_spread_ms=0)
    run = Partition(policy=policy).sample(sample(NOON)).sample(plugged(NOON + 2 * HOUR))
    run.sample(plugged(NOON + 3 * HOUR)).tick(NOON + 3 * HOUR).tick(NOON + 3 * HOUR + SECOND)
    assert len(run.of(StatusChange)) == 2
    run.sample(plugged(NOON + 5 * HOUR)).tick(NOON + 5 * HOUR)
    assert [c.kind for c in run.of(StatusChange)][2:] == [StatusChangeKind.HEARTBEAT]


def test_an_offline_connector_has_heartbeats_too() -> None:
    run = Partition().sample(sample(NOON)).run_clock(NOON, NOON + 7 * HOUR, MINUTE)
    beats = [c for c in run.of(StatusChange) if c.kind is StatusChangeKind.HEARTBEAT]
    assert [c.status for c in beats] == [0, 0]


def test_heartbeats_of_many_connectors_spread() -> None:
    ids = [f"EQ{n:024d}" for n in range(300)]
    run = Partition(station(connectors=ids))
    for connector_id in ids:
        run.sample(sample(NOON, connector_id=connector_id))
    run.forget_outputs().run_clock(NOON + 2 * HOUR, NOON + 3 * HOUR + SILENCE, 10 * SECOND)
    beats = [c.observed_at for c in run.of(StatusChange) if c.kind is StatusChangeKind.HEARTBEAT]
    assert len(beats) == len(ids)
    assert max(beats) - min(beats) > 25 * MINUTE
    per_minute = [sum(1 for b in beats if b // MINUTE == minute) for minute in {b // MINUTE for b in beats}]
    assert max(per_minute) < len(ids) / 5


def test_no_heartbeat_is_lost_to_a_restart() -> None:
    run = Partition().sample(sample(NOON))
    later = run.restarted(NOON + HOUR)
    for n in range(60, 181):
        later.sample(sample(NOON + n * MINUTE)).tick(NOON + n * MINUTE)
    assert [c.kind for c in later.of(StatusChange)] == [StatusChangeKind.HEARTBEAT]


def test_a_restart_does_not_report_again() -> None:
    run = Partition().sample(sample(NOON), plugged(NOON + SECOND))
    later = run.restarted(NOON + 10 * SECOND).sample(plugged(NOON + 11 * SECOND)).tick(NOON + 20 * SECOND)
    assert not later.outputs


def test_a_connector_known_by_an_event_alone_is_first_seen_with_its_first_sample() -> None:
    run = Partition().event(started(NOON))
    assert not run.of(StatusChange)
    later = run.restarted(NOON + SECOND)
    for one in (run, later):
        one.sample(sample(NOON + 5 * SECOND))
        assert [c.previous_status for c in one.of(StatusChange)] == [None]
        assert not one.of(Anomaly)
