"""Charge progress: at the start of charging, every 50 s, at the stop (Beijing V1.1 §1.1.10)."""

import pytest

from schemas.records.derived import ChargeProgress, ProgressKind
from schemas.values import ChargeModel
from tests.streams.domain.records import (
    DAY_AND_NIGHT,
    MINUTE,
    NOON,
    SECOND,
    Partition,
    beijing,
    charging,
    plugged,
    sample,
    started,
    station,
    stopped,
)

STARTED, PERIODIC, STOPPED = ProgressKind.STARTED, ProgressKind.PERIODIC, ProgressKind.STOPPED


def shown(run: Partition) -> list[tuple[ProgressKind, float, float]]:
    """Kind, due and observed time in seconds after noon."""
    return [(p.kind, (p.due_at - NOON) / SECOND, (p.observed_at - NOON) / SECOND) for p in run.of(ChargeProgress)]


@pytest.mark.parametrize("model", list(ChargeModel))
@pytest.mark.parametrize("with_start", [True, False])
def test_1_1_10_started_periodic_stopped_for_every_mode(model: ChargeModel, with_start: bool) -> None:
    run = Partition().sample(sample(NOON - 10 * SECOND))
    if with_start:
        run.event(started(NOON, charge_model=model))
    for at in range(0, 160, 10):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + at, charge_model=model))
    run.event(stopped(NOON + 155 * SECOND, 1_000_155))
    run.sample(plugged(NOON + 160 * SECOND, 1_000_155)).tick(NOON + 5 * MINUTE)
    assert shown(run) == [
        (STARTED, 0, 0),
        (PERIODIC, 50, 50),
        (PERIODIC, 100, 100),
        (PERIODIC, 150, 150),
        (STOPPED, 155, 155),
    ]
    assert {p.charge_model for p in run.of(ChargeProgress)} == {model}
    assert [p.energy_wh for p in run.of(ChargeProgress)] == [0, 50, 100, 150, 155]


def test_the_grid_starts_at_the_first_charging_sample_and_does_not_drift() -> None:
    run = Partition().event(started(NOON - 2 * SECOND))
    for at in range(3, 400, 7):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + at))
    dues = [due for _, due, _ in shown(run)]
    assert dues == [3 + 50 * n for n in range(len(dues))]
    assert all(due <= observed < due + 7 for _, due, observed in shown(run))


def test_samples_once_a_second_push_no_more_often() -> None:
    run = Partition().event(started(NOON))
    for at in range(0, 301):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + at)).tick(NOON + at * SECOND)
    assert [due for _, due, _ in shown(run)] == [0, 50, 100, 150, 200, 250, 300]
    assert [observed for _, _, observed in shown(run)] == [0, 50, 100, 150, 200, 250, 300]


def test_a_push_waits_a_second_for_its_sample_then_takes_the_newest() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 40 * SECOND, 1_000_400))
    run.tick(NOON + 50 * SECOND).tick(NOON + 51 * SECOND - 1)
    assert len(shown(run)) == 1
    run.tick(NOON + 51 * SECOND)
    assert shown(run)[1:] == [(PERIODIC, 50, 40)]
    assert run.of(ChargeProgress)[1].energy_wh == 400
    run.sample(charging(NOON + 52 * SECOND, 1_000_500))
    assert len(shown(run)) == 2
    run.sample(charging(NOON + 100 * SECOND, 1_000_900))
    assert shown(run)[2:] == [(PERIODIC, 100, 100)]


def test_pushes_by_the_clock_alone_stay_on_the_grid() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON))
    run.run_clock(NOON, NOON + 89 * SECOND)
    run.sample(charging(NOON + 89 * SECOND, 1_000_900)).run_clock(NOON + 89 * SECOND, NOON + 170 * SECOND)
    assert shown(run) == [(STARTED, 0, 0), (PERIODIC, 50, 0), (PERIODIC, 100, 89), (PERIODIC, 150, 89)]


def test_a_late_clock_does_not_make_up_for_missed_pushes() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON))
    run.sample(charging(NOON + 237 * SECOND, 1_002_370), charging(NOON + 250 * SECOND, 1_002_500))
    assert shown(run) == [(STARTED, 0, 0), (PERIODIC, 50, 237), (PERIODIC, 250, 250)]


def test_no_push_while_offline() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON)).run_clock(NOON, NOON + 10 * MINUTE)
    assert shown(run) == [(STARTED, 0, 0), (PERIODIC, 50, 0)]
    run.sample(charging(NOON + 10 * MINUTE, 1_010_000))
    assert shown(run)[-1][0] is PERIODIC
    assert run.of(ChargeProgress)[-1].energy_wh == 10_000
    assert shown(run)[-1][2] == 600


def test_stopped_once_when_the_stop_comes_twice() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON))
    for _ in range(2):
        run.event(stopped(NOON + 30 * SECOND, 1_000_300))
    run.sample(plugged(NOON + 40 * SECOND, 1_000_300)).run_clock(NOON + 30 * SECOND, NOON + 10 * MINUTE)
    assert shown(run) == [(STARTED, 0, 0), (STOPPED, 30, 30)]


def test_stopped_without_a_stop_event_comes_with_the_order() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), plugged(NOON + 20 * SECOND, 1_000_200))
    run.run_clock(NOON + 20 * SECOND, NOON + 3 * MINUTE)
    assert shown(run) == [(STARTED, 0, 0), (STOPPED, 20, 20)]


def test_a_stop_ahead_of_its_telemetry_loses_no_progress() -> None:
    run = Partition().event(started(NOON)).event(stopped(NOON + 120 * SECOND, 1_001_200))
    for at in range(0, 120, 10):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + 10 * at))
    run.sample(plugged(NOON + 125 * SECOND, 1_001_200)).tick(NOON + 5 * MINUTE)
    assert shown(run) == [(STARTED, 0, 0), (PERIODIC, 50, 50), (PERIODIC, 100, 100), (STOPPED, 120, 120)]
    assert [p.energy_wh for p in run.of(ChargeProgress)] == [0, 500, 1000, 1200]


def test_a_stop_ahead_of_the_rest_of_its_telemetry_loses_no_progress() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 10 * SECOND, 1_000_100))
    run.event(stopped(NOON + 120 * SECOND, 1_001_200))
    for at in range(20, 130, 10):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + 10 * at))
    run.sample(charging(NOON + 130 * SECOND, 1_001_200)).tick(NOON + 5 * MINUTE)
    assert shown(run) == [(STARTED, 0, 0), (PERIODIC, 50, 50), (PERIODIC, 100, 100), (STOPPED, 120, 120)]


def test_a_stop_between_two_samples_shows_at_once() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 10 * SECOND, 1_000_100))
    run.event(stopped(NOON + 12 * SECOND, 1_000_120))
    assert shown(run) == [(STARTED, 0, 0), (STOPPED, 12, 12)]


def test_energy_never_goes_back_from_one_progress_to_the_next() -> None:
    run = Partition().event(started(NOON, 1_000_050)).sample(charging(NOON, 1_000_000))
    for at in range(10, 120, 10):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + at))
    energies = [p.energy_wh for p in run.of(ChargeProgress)]
    assert energies == sorted(energies)
    assert energies[0] >= 0


def test_a_plugged_sample_with_the_seq_does_not_start_the_grid() -> None:
    run = Partition().event(started(NOON)).sample(plugged(NOON, start_charge_seq=charging(NOON).start_charge_seq))
    assert not shown(run)
    run.sample(charging(NOON + 7 * SECOND))
    assert shown(run) == [(STARTED, 7, 7)]


def test_a_start_that_is_learned_late_moves_energy_not_the_grid() -> None:
    run = Partition().sample(charging(NOON, 1_000_100)).event(started(NOON - 4 * SECOND, 1_000_050), NOON + SECOND)
    run.sample(charging(NOON + 50 * SECOND, 1_000_600))
    first, second = run.of(ChargeProgress)
    assert (first.started_at, first.energy_wh) == (NOON, 0)
    assert (second.started_at, second.energy_wh, second.due_at) == (NOON - 4 * SECOND, 550, NOON + 50 * SECOND)


def test_the_grid_survives_a_restart() -> None:
    run = Partition().event(started(NOON))
    for at in range(0, 80, 10):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + at))
    later = run.restarted(NOON + 80 * SECOND)
    for at in range(80, 210, 10):
        later.sample(charging(NOON + at * SECOND, 1_000_000 + at))
    assert shown(later) == [(PERIODIC, 100, 100), (PERIODIC, 150, 150), (PERIODIC, 200, 200)]


def test_a_progress_behind_a_boundary_is_split_there() -> None:
    eight = beijing(8)
    run = Partition(station(DAY_AND_NIGHT)).event(started(eight - 10 * SECOND, 1_000_000))
    run.sample(charging(eight - 10 * SECOND, 1_000_000), charging(eight + 10 * SECOND, 1_000_200))
    run.sample(charging(eight + 40 * SECOND, 1_000_500))
    periods = run.of(ChargeProgress)[-1].periods
    assert [(p.started_at - eight, p.ended_at - eight, p.energy_wh) for p in periods] == [
        (-10 * SECOND, 0, 100),
        (0, 40 * SECOND, 400),
    ]
    assert [(p.elec_price_e4, p.service_price_e4) for p in periods] == [(3000, 4000), (12000, 8000)]
