"""The short way of a push in passing gives what the long way gives."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.records.derived import ChargeProgress
from streams.domain import sampling
from tests.streams.domain.records import NOON, SECOND, Partition, charging, started, stopped
from tests.streams.domain.scenarios import Reader, Scenario, duplicates, scenarios, steps, topics_of, with_duplicates


def run(scenario: Scenario, way: list[tuple[bool, int]], again: list[tuple[int, int]]) -> Reader:
    telemetry, events = topics_of(scenario)
    reader = Reader(scenario, with_duplicates(telemetry, again), events)
    reader.take(way)
    reader.finish()
    return reader


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(scenario=scenarios(), way=steps(), again=duplicates())
def test_the_short_way_puts_out_the_same(
    monkeypatch: pytest.MonkeyPatch, scenario: Scenario, way: list[tuple[bool, int]], again: list[tuple[int, int]]
) -> None:
    short = run(scenario, way, again)
    with monkeypatch.context() as patch:
        patch.setattr(sampling, "push_in_passing", lambda *_: False)
        long = run(scenario, way, again)
    assert short.outputs == long.outputs
    assert short.states == long.states


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    ahead_s=st.integers(-60, 60),
    first_wh=st.integers(999_000, 1_001_000),
    readings=st.lists(st.tuples(st.integers(1, 70), st.integers(-300, 3_000)), max_size=20),
)
def test_also_for_odd_starts_and_registers(
    monkeypatch: pytest.MonkeyPatch, ahead_s: int, first_wh: int, readings: list[tuple[int, int]]
) -> None:
    def outcome() -> Partition:
        partition = Partition().event(started(NOON + ahead_s * SECOND, first_wh), NOON)
        at, meter_wh = NOON, 1_000_000
        partition.sample(charging(at, meter_wh))
        for seconds, more_wh in readings:
            at, meter_wh = at + seconds * SECOND, max(0, meter_wh + more_wh)
            partition.sample(charging(at, meter_wh))
        return partition.event(stopped(at + SECOND, meter_wh)).run_clock(at, at + 100 * SECOND)

    short = outcome()
    with monkeypatch.context() as patch:
        patch.setattr(sampling, "push_in_passing", lambda *_: False)
        long = outcome()
    assert short.outputs == long.outputs
    assert short.states == long.states
    energies = [progress.energy_wh for progress in short.of(ChargeProgress)]
    assert energies == sorted(energies) or ahead_s != 0
    assert all(energy >= 0 for energy in energies)
