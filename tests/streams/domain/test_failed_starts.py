"""A failed start: its result comes once (Beijing V1.1 §1.1.8), and a charge that starts all the same is not lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas.records.charge_events import ChargeEvent, ChargeStarted, ChargeStartFailed
from schemas.records.connector_state import ConnectorState
from schemas.records.derived import ChargeProgress, Order, ProgressKind, StartResult, StopResult
from schemas.records.faults import Anomaly, DeadLetter
from schemas.records.telemetry import Telemetry
from schemas.registry import SchemaVersion
from streams.domain.outputs import Output
from streams.domain.policy import TrackingPolicy
from tests.schemas.versions import written
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    STATION,
    Partition,
    bill,
    charging,
    failed,
    plugged,
    sample,
    started,
    stopped,
)

FAILURE = StartResult(SEQ, CONNECTOR, STATION, 1, False, 2, NOON + SECOND, "", "")


def a_failed_start() -> Partition:
    return Partition().sample(sample(NOON)).event(failed(NOON + SECOND))


def reopenings(run: Partition) -> list[str]:
    return [anomaly.start_charge_seq for anomaly in run.of(Anomaly) if anomaly.reason == "started_after_failure"]


def test_1_1_8_a_failed_start_is_a_result_and_no_charge() -> None:
    run = a_failed_start().run_clock(NOON, NOON + HOUR, MINUTE)
    assert run.of(StartResult) == [FAILURE]
    assert {output.topic for output in run.outputs} == {"connector-status-changes", "charge-start-results"}
    state = run.state()
    assert (state.failed_seqs, state.closed_seqs, state.charges) == ((SEQ,), (), ())


@pytest.mark.parametrize("reason", [2, 99])
def test_a_failure_that_is_told_again_is_passed_over(reason: int) -> None:
    run = a_failed_start().forget_outputs()
    run.event(failed(NOON + 2 * SECOND, fail_reason=reason))
    assert not run.outputs
    assert run.tracker.counts["repeated_start_failure"] == 1
    assert run.state().event_offset == 1
    later = run.restarted(NOON + MINUTE).event(failed(NOON + MINUTE))
    assert not later.outputs
    assert later.state().failed_seqs == (SEQ,)


def test_a_failed_start_of_a_charge_that_runs_is_refused() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON)).event(failed(NOON + SECOND))
    assert run.reasons() == ["charge_already_started"]
    assert [result.succeeded for result in run.of(StartResult)] == [True]
    assert run.state().failed_seqs == ()
    run.event(stopped(NOON + MINUTE, 1_001_000)).run_clock(NOON + MINUTE, NOON + 3 * MINUTE)
    assert len(run.of(Order)) == 1


def late_start(run: Partition) -> None:
    run.event(started(NOON - SECOND), NOON + 10 * SECOND)
    run.sample(charging(NOON + 20 * SECOND, 1_000_100))


def shown_start(run: Partition) -> None:
    run.sample(charging(NOON + 9 * SECOND), charging(NOON + 20 * SECOND, 1_000_100))
    run.tick(NOON + 20 * SECOND)


def shown_then_late_start(run: Partition) -> None:
    run.sample(charging(NOON + 9 * SECOND))
    late_start(run)


def start_behind_its_stop(run: Partition) -> None:
    run.event(stopped(NOON + 5 * SECOND, 1_000_100))
    late_start(run)


STARTS = [late_start, shown_start, shown_then_late_start, start_behind_its_stop]


@pytest.mark.parametrize("start", STARTS)
def test_a_charge_that_starts_after_its_failure_is_a_charge(start: Callable[[Partition], None]) -> None:
    run = a_failed_start()
    start(run)
    assert [result.succeeded for result in run.of(StartResult)] == [False, True]
    assert reopenings(run) == [SEQ]
    assert run.state().failed_seqs == (SEQ,)
    run.event(stopped(NOON + 70 * SECOND, 1_000_700)).event(bill(NOON + 71 * SECOND))
    run.sample(plugged(NOON + 75 * SECOND, 1_000_700)).run_clock(NOON + 75 * SECOND, NOON + 5 * MINUTE)
    assert [len(run.of(StartResult)), len(run.of(StopResult)), len(run.of(Order))] == [2, 1, 1]
    assert run.of(ChargeProgress)[-1].kind is ProgressKind.STOPPED
    assert reopenings(run) == [SEQ]
    assert not run.of(DeadLetter)
    state = run.state()
    assert (state.failed_seqs, state.closed_seqs, state.charges) == ((), (SEQ,), ())


@pytest.mark.parametrize("begins", ["by event", "by telemetry", "by both", "never"])
@pytest.mark.parametrize("crash", range(9))
def test_a_restart_between_any_two_records_gives_the_same_outputs(begins: str, crash: int) -> None:
    shows, tells = begins in ("by telemetry", "by both"), begins in ("by event", "by both")
    inputs: list[tuple[int, Telemetry | ChargeEvent]] = [
        (NOON, sample(NOON)),
        (NOON + SECOND, failed(NOON + SECOND)),
        (NOON + 2 * SECOND, failed(NOON + SECOND)),
        (NOON + 10 * SECOND, charging(NOON + 10 * SECOND, 1_000_100) if shows else plugged(NOON + 10 * SECOND)),
    ]
    if tells:
        inputs.append((NOON + 12 * SECOND, started(NOON + 9 * SECOND)))
    if shows or tells:
        inputs.append((NOON + 40 * SECOND, stopped(NOON + 40 * SECOND, 1_000_400)))
    inputs.append((NOON + 45 * SECOND, plugged(NOON + 45 * SECOND, 1_000_400)))
    inputs.append((NOON + 50 * SECOND, failed(NOON + 50 * SECOND)))

    def read(restarts_before: int) -> list[Output]:
        run, outputs = Partition(), []
        for number, (at, record) in enumerate([*inputs, (NOON + 2 * MINUTE, None)]):
            if number == restarts_before:
                outputs += run.outputs
                run = run.restarted(at)
            run.run_clock(at - 10 * SECOND, at)
            if isinstance(record, Telemetry):
                run.sample(record)
            elif record is not None:
                run.event(record, at)
        return outputs + run.outputs

    assert read(restarts_before=crash) == read(restarts_before=-1)


def test_other_charges_start_as_ever() -> None:
    run = a_failed_start().event(started(NOON + 5 * SECOND, start_charge_seq="another"))
    assert [(result.start_charge_seq, result.succeeded) for result in run.of(StartResult)[1:]] == [("another", True)]
    assert not run.of(Anomaly)


def test_only_a_charging_sample_starts_a_charge() -> None:
    run = a_failed_start().sample(plugged(NOON + 10 * SECOND, start_charge_seq=SEQ))
    run.run_clock(NOON + 10 * SECOND, NOON + MINUTE)
    assert run.of(StartResult) == [FAILURE]
    assert run.state().charges == ()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("again", [failed(NOON + HOUR), started(NOON - SECOND)], ids=["failure", "start"])
def test_once_closed_it_stays_closed(
    start: Callable[[Partition], None], again: ChargeStarted | ChargeStartFailed
) -> None:
    run = a_failed_start()
    start(run)
    run.event(stopped(NOON + 70 * SECOND, 1_000_700)).sample(plugged(NOON + 75 * SECOND, 1_000_700))
    run.run_clock(NOON + 75 * SECOND, NOON + 5 * MINUTE).forget_outputs()
    for later in (run, run.restarted(NOON + HOUR)):
        later.event(again, NOON + HOUR)
        assert [output.topic for output in later.outputs if "status" not in output.topic] == ["charge-events-dlq"]
        assert later.reasons() == ["charge_already_closed"]


@pytest.mark.parametrize("start", STARTS)
def test_a_failure_behind_the_late_start_is_refused(start: Callable[[Partition], None]) -> None:
    run = a_failed_start()
    start(run)
    run.event(failed(NOON + 30 * SECOND))
    assert run.reasons() == ["charge_already_started"]
    assert [result.succeeded for result in run.of(StartResult)] == [False, True]


def test_a_failure_while_its_stop_is_held_is_a_result() -> None:
    run = Partition().event(stopped(NOON, 1_000_100)).event(failed(NOON + SECOND))
    assert [result.succeeded for result in run.of(StartResult)] == [False]
    run.event(started(NOON - MINUTE), NOON + 2 * SECOND).run_clock(NOON, NOON + 5 * MINUTE)
    assert [len(run.of(StartResult)), len(run.of(StopResult)), len(run.of(Order))] == [2, 1, 1]
    assert reopenings(run) == [SEQ]


def test_a_stop_of_a_failed_start_is_held_and_then_dead_lettered() -> None:
    run = a_failed_start().event(stopped(NOON + 2 * SECOND, 1_000_100))
    assert not run.of(DeadLetter)
    run.run_clock(NOON, NOON + 10 * MINUTE)
    assert run.reasons() == ["charge_never_started"]
    state = run.state()
    assert (state.failed_seqs, state.closed_seqs, state.charges) == ((), (SEQ,), ())
    assert run.of(StartResult) == [FAILURE]
    assert not run.of(Order)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_so_many_failed_starts_are_remembered_as_the_policy_says(most: int) -> None:
    run = Partition(policy=TrackingPolicy(failed_remembered=most, closed_remembered=7))
    seqs = [f"S{number}" for number in range(5)]
    for number, seq in enumerate(seqs):
        run.event(failed(NOON + number * SECOND, start_charge_seq=seq))
        assert len(run.state().failed_seqs) <= most
    assert run.state().failed_seqs == tuple(seqs[5 - most :])
    assert run.state().closed_seqs == ()


@pytest.mark.parametrize("most", [0, 1, 3])
def test_so_many_closed_charges_are_remembered_as_the_policy_says(most: int) -> None:
    run = Partition(policy=TrackingPolicy(closed_remembered=most, failed_remembered=7))
    seqs = [f"S{number}" for number in range(5)]
    for number, seq in enumerate(seqs):
        at = NOON + number * HOUR
        run.event(failed(at, start_charge_seq=seq)).event(started(at, start_charge_seq=seq))
        run.event(stopped(at + MINUTE, 1_000_100, start_charge_seq=seq)).run_clock(at + MINUTE, at + 3 * MINUTE)
    assert len(run.of(Order)) == 5
    assert run.state().closed_seqs == tuple(seqs[5 - most :])
    assert run.state().failed_seqs == ()


def test_what_version_1_closed_for_its_failure_stays_closed() -> None:
    """Version 1 of the state held failed starts among the closed charges."""
    run = Partition().sample(sample(NOON)).event(started(NOON)).event(stopped(NOON + SECOND, 1_000_000))
    run.run_clock(NOON, NOON + MINUTE)
    old = written(SchemaVersion("connector_state", 1), run.state())
    run.states.append(replace(run.states[-1], value=old))
    later = run.restarted(NOON + MINUTE).sample(charging(NOON + MINUTE)).event(started(NOON), NOON + MINUTE)
    assert later.reasons() == ["charge_already_closed"]
    state = later.state()
    assert (state.failed_seqs, state.closed_seqs, state.charges) == ((), (SEQ,), ())
    assert later.states[-1].value[:5] == CODEC.header(ConnectorState)
