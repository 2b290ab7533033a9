"""Start and stop results: once a charge, whatever started it (Beijing V1.1 §1.1.8, §1.1.12)."""

import pytest

from schemas.records.derived import ChargeProgress, Order, StartResult, StopResult
from schemas.values import ChargeModel
from tests.streams.domain.records import (
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
    plugged,
    sample,
    started,
    stopped,
)


@pytest.mark.parametrize("model", list(ChargeModel))
def test_1_1_8_start_result_at_once_and_once(model: ChargeModel) -> None:
    run = Partition().sample(sample(NOON)).event(started(NOON + SECOND, charge_model=model))
    expected = StartResult(SEQ, CONNECTOR, STATION, model, True, 0, NOON + SECOND, "7788", "LSVAU2180N2183294")
    assert run.of(StartResult) == [expected]
    run.event(started(NOON + SECOND, charge_model=model), NOON + 2 * SECOND)
    run.sample(charging(NOON + 5 * SECOND, charge_model=model)).run_clock(NOON, NOON + MINUTE)
    assert run.of(StartResult) == [expected]


@pytest.mark.parametrize("model", list(ChargeModel))
def test_1_1_8_start_result_without_a_start_event_after_ten_seconds(model: ChargeModel) -> None:
    run = Partition().sample(charging(NOON, charge_model=model)).tick(NOON + 10 * SECOND - 1)
    assert not run.of(StartResult)
    run.tick(NOON + 10 * SECOND)
    expected = StartResult(SEQ, CONNECTOR, STATION, model, True, 0, NOON, "", "")
    assert run.of(StartResult) == [expected]
    run.event(started(NOON - SECOND, charge_model=model), NOON + 12 * SECOND).tick(NOON + MINUTE)
    assert run.of(StartResult) == [expected]


@pytest.mark.parametrize("model", list(ChargeModel))
def test_1_1_12_stop_result_at_once_and_once(model: ChargeModel) -> None:
    run = Partition().event(started(NOON, charge_model=model)).sample(charging(NOON, charge_model=model))
    run.event(stopped(NOON + MINUTE, 1_001_000))
    expected = StopResult(SEQ, CONNECTOR, STATION, model, True, 0, NOON + MINUTE)
    assert run.of(StopResult) == [expected]
    run.event(stopped(NOON + MINUTE, 1_001_000), NOON + 61 * SECOND)
    run.sample(plugged(NOON + 65 * SECOND, 1_001_000)).run_clock(NOON + MINUTE, NOON + 5 * MINUTE)
    assert run.of(StopResult) == [expected]
    assert len(run.of(Order)) == 1


def test_1_1_12_stop_result_without_a_stop_event_after_a_minute() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), plugged(NOON + 30 * SECOND, 1_000_300))
    run.tick(NOON + 90 * SECOND - 1)
    assert not run.of(StopResult)
    run.tick(NOON + 90 * SECOND)
    assert [r.stopped_at for r in run.of(StopResult)] == [NOON + 30 * SECOND]
    assert [o.stop_reason for o in run.of(Order)] == [99]


def test_a_stop_before_its_start_gives_both_results_once() -> None:
    run = Partition().event(stopped(NOON + MINUTE, 1_001_000)).event(started(NOON), NOON + 62 * SECOND)
    run.run_clock(NOON + MINUTE, NOON + 5 * MINUTE)
    assert [len(run.of(StartResult)), len(run.of(StopResult)), len(run.of(Order))] == [1, 1, 1]


@pytest.mark.parametrize("pause", [0, 20 * SECOND])
def test_a_restart_between_any_two_records_repeats_no_result(pause: int) -> None:
    first = Partition().event(started(NOON)).sample(charging(NOON))
    second = first.restarted(NOON + SECOND).event(stopped(NOON + MINUTE, 1_001_000))
    third = second.restarted(NOON + MINUTE).event(bill(NOON + 62 * SECOND)).tick(NOON + 62 * SECOND + pause)
    fourth = third.restarted(NOON + 65 * SECOND).sample(plugged(NOON + 66 * SECOND, 1_001_000)).tick(NOON + HOUR)
    runs = (first, second, third, fourth)
    for record_type in (StartResult, StopResult, Order):
        assert sum(len(run.of(record_type)) for run in runs) == 1


def test_a_stop_result_never_goes_before_the_start_result() -> None:
    run = Partition().event(stopped(NOON + MINUTE, 1_001_000)).tick(NOON + 61 * SECOND)
    assert run.of(StopResult) == []
    run.event(started(NOON), NOON + 62 * SECOND)
    assert [type(r) for r in run.all() if isinstance(r, StartResult | StopResult)] == [StartResult, StopResult]


def test_a_stop_of_a_charge_that_nobody_started_gives_no_result() -> None:
    run = Partition().sample(sample(NOON)).event(stopped(NOON + MINUTE, 1_001_000))
    run.run_clock(NOON + MINUTE, NOON + HOUR, MINUTE)
    assert run.reasons() == ["charge_never_started"]
    assert not run.of(StopResult) and not run.of(ChargeProgress)


def test_a_stop_while_the_start_event_is_waited_for_goes_out_behind_the_start_result() -> None:
    run = Partition().sample(charging(NOON), charging(NOON + 4 * SECOND, 1_000_100))
    run.event(stopped(NOON + 5 * SECOND, 1_000_200)).run_clock(NOON + 5 * SECOND, NOON + 15 * SECOND - 1)
    assert not run.of(StartResult) and not run.of(StopResult)
    run.tick(NOON + 15 * SECOND)
    results = [r for r in run.all() if isinstance(r, StartResult | StopResult)]
    assert [type(r) for r in results] == [StartResult, StopResult]
    assert [r.stopped_at for r in run.of(StopResult)] == [NOON + 5 * SECOND]
