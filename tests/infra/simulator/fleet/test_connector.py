"""One connector over hours: whatever chance does, it tells one consistent story."""

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.connector import Output, Phase, SimulatedConnector
from infra.simulator.fleet.population import populate
from schemas.records.charge_events import BillIssued, ChargeStarted, ChargeStartFailed, ChargeStopped
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.telemetry import Telemetry
from schemas.values import ChargeModel, ConnectorStatus, StopReason

START_MS = 1_790_000_000_123
HOUR_MS = 3_600_000
INTERVAL_MS = 10_000
STEADY = Behaviour(
    reserved_share=0, idle_fault_share=0, start_failure_share=0, charge_fault_share=0,
    unplugged_share=0, offline_share=0, unbilled_share=0,
)  # fmt: skip


def _connector(index: int, behaviour: Behaviour, seed: int = 1) -> SimulatedConnector:
    population = populate(40)
    place = population.places[index]
    return SimulatedConnector(place, population.operator_id, behaviour, seed, INTERVAL_MS, START_MS)


@cache
def _hours(index: int) -> tuple[SimulatedConnector, tuple[Output, ...]]:
    """Two hours of a lively connector and its orderly end."""
    connector = _connector(index, Behaviour(duty=0.5, offline_share=0.1, charge_fault_share=0.1))
    told = connector.step(START_MS + 2 * HOUR_MS)
    connector.halt(START_MS + 2 * HOUR_MS)
    told += connector.step(START_MS + 2 * HOUR_MS + 8000)
    assert connector.quiet
    return connector, tuple(told)


def _samples(told: tuple[Output, ...]) -> list[Telemetry]:
    return [output for output in told if isinstance(output, Telemetry)]


every_connector = pytest.mark.parametrize("index", range(40))


@every_connector
def test_samples_are_in_order_and_the_register_never_falls(index: int) -> None:
    for before, after in pairwise(_samples(_hours(index)[1])):
        assert before.sampled_at < after.sampled_at
        assert before.meter_wh <= after.meter_wh


@every_connector
def test_the_register_is_the_integral_of_power(index: int) -> None:
    for before, after in pairwise(_samples(_hours(index)[1])):
        if after.sampled_at - before.sampled_at > INTERVAL_MS:
            continue
        currents = (before.current_a, before.current_b, before.current_c)
        voltages = (before.voltage_a, before.voltage_b, before.voltage_c)
        power_w = sum(a * v for a, v in zip(currents, voltages, strict=True))
        energy_wh = power_w * (after.sampled_at - before.sampled_at) / HOUR_MS
        assert abs(after.meter_wh - before.meter_wh - energy_wh) <= 1.01


@every_connector
def test_silence_is_an_offline_spell_of_more_than_90_s(index: int) -> None:
    samples = [s for s in _samples(_hours(index)[1]) if s.sampled_at <= START_MS + 2 * HOUR_MS]
    gaps = [b.sampled_at - a.sampled_at for a, b in pairwise(samples)]
    assert all(gap <= INTERVAL_MS or gap > 90_000 for gap in gaps)


@every_connector
def test_status_and_charge_go_together(index: int) -> None:
    for sample in _samples(_hours(index)[1]):
        charging = sample.status == ConnectorStatus.CHARGING
        assert (sample.start_charge_seq != "") == charging
        assert len(sample.start_charge_seq) in (0, 27)
        assert (sample.current_a > 0) == (sample.voltage_a > 0) == charging
        assert 0 <= sample.soc_pct <= 100
        if not charging:
            assert (sample.charge_model, sample.soc_pct) == (0, 0)


@every_connector
def test_starts_and_stops_show_the_register_of_their_sample(index: int) -> None:
    _, told = _hours(index)
    at = {sample.sampled_at: sample for sample in _samples(told)}
    for event in told:
        if isinstance(event, ChargeStarted):
            assert event.started_at % 1000 == 0
            if sample := at.get(event.started_at):
                assert (sample.start_charge_seq, sample.meter_wh) == (event.start_charge_seq, event.meter_start_wh)
                assert sample.charge_model == event.charge_model
        if isinstance(event, ChargeStopped):
            assert event.stopped_at % 1000 == 0
            if sample := at.get(event.stopped_at):
                assert (sample.start_charge_seq, sample.meter_wh) == ("", event.meter_end_wh)


@every_connector
def test_a_change_is_sampled_at_once(index: int) -> None:
    for before, after in pairwise(_samples(_hours(index)[1])):
        if before.status != after.status and after.sampled_at - before.sampled_at <= INTERVAL_MS:
            assert after.sampled_at % 1000 == 0


@every_connector
def test_every_start_has_its_stop_and_its_bill_if_any(index: int) -> None:
    connector, told = _hours(index)
    started = [e.start_charge_seq for e in told if isinstance(e, ChargeStarted)]
    stopped = {e.start_charge_seq: e for e in told if isinstance(e, ChargeStopped)}
    billed = {e.start_charge_seq: e for e in told if isinstance(e, BillIssued)}
    assert len(started) == len(set(started)) > 0
    assert sorted(stopped) == sorted(started)
    assert sorted(billed) == (sorted(started) if connector.billed else [])
    for seq, issued in billed.items():
        assert issued.issued_at > stopped[seq].stopped_at
        assert issued.periods[-1].ended_at == stopped[seq].stopped_at


def test_all_that_can_happen_does() -> None:
    told = [output for index in range(40) for output in _hours(index)[1]]
    statuses = Counter(o.status for o in told if isinstance(o, Telemetry))
    assert set(statuses) == {1, 2, 3, 4, 255}
    models = Counter(o.charge_model for o in told if isinstance(o, ChargeStarted))
    assert set(models) == set(ChargeModel)
    reasons = Counter(o.stop_reason for o in told if isinstance(o, ChargeStopped))
    assert {StopReason.USER, StopReason.EQUIPMENT_FAULT, StopReason.UNPLUGGED} <= set(reasons)
    assert any(isinstance(o, ChargeStartFailed) for o in told)
    assert {_hours(index)[0].billed for index in range(40)} == {True, False}


def test_a_fault_ends_the_charge_and_shows_255() -> None:
    connector = _connector(0, Behaviour(charge_fault_share=1.0, offline_share=0, start_failure_share=0))
    told = tuple(connector.step(START_MS + HOUR_MS))
    stops = [event for event in told if isinstance(event, ChargeStopped)]
    assert stops and all(stop.stop_reason == StopReason.EQUIPMENT_FAULT for stop in stops)
    at = {sample.sampled_at: sample for sample in _samples(told)}
    assert all(at[stop.stopped_at].status == ConnectorStatus.FAULT for stop in stops)


def test_a_long_charge_tapers_and_ends_full() -> None:
    connector = _connector(0, Behaviour(mean_charge_s=100_000, duty=0.99, offline_share=0, charge_fault_share=0))
    told = tuple(connector.step(START_MS + 6 * HOUR_MS))
    stop = next(event for event in told if isinstance(event, ChargeStopped))
    charge = [s for s in _samples(told) if s.start_charge_seq == stop.start_charge_seq]
    assert stop.stop_reason == StopReason.BMS
    assert charge[-1].soc_pct == 100
    full_power = max(s.current_a * s.voltage_a for s in charge if s.soc_pct < 80)
    assert charge[-1].current_a * charge[-1].voltage_a < full_power * 0.15


def test_a_charge_goes_on_underneath_an_offline_spell() -> None:
    behaviour = Behaviour(mean_charge_s=900, duty=0.9, offline_share=1.0, charge_fault_share=0, start_failure_share=0)
    told = tuple(_connector(0, behaviour).step(START_MS + 2 * HOUR_MS))
    gained = [
        b.meter_wh - a.meter_wh
        for a, b in pairwise(_samples(told))
        if b.sampled_at - a.sampled_at > 90_000 and a.start_charge_seq == b.start_charge_seq != ""
    ]
    assert gained and min(gained) > 0


def test_the_step_width_changes_nothing() -> None:
    at_once = _connector(3, Behaviour()).step(START_MS + HOUR_MS)
    slowly = _connector(3, Behaviour())
    told: list[Output] = []
    for now_ms in range(START_MS, START_MS + HOUR_MS + 1, 777):
        told += slowly.step(now_ms)
    told += slowly.step(START_MS + HOUR_MS)
    assert told == at_once


def test_a_faster_behaviour_has_more_charges() -> None:
    counts = [
        sum(isinstance(o, ChargeStarted) for o in _connector(1, STEADY.faster(scale)).step(START_MS + HOUR_MS))
        for scale in (0.5, 1, 4)
    ]
    assert counts == sorted(counts) and counts[2] > 3 * counts[1] > 0


def _start_command(expires_in_ms: int = 60_000, seq: str = "9" * 27, at_ms: int = START_MS) -> StartCharge:
    return StartCharge(seq, populate(1).places[0].connector_id, 1, "", at_ms, at_ms + expires_in_ms)


def _until(connector: SimulatedConnector, phase: Phase) -> int:
    now_ms = START_MS
    while connector.phase is not phase:
        now_ms = connector.due_ms
        connector.step(now_ms)
    return now_ms


def test_a_commanded_start_comes_within_two_seconds_and_keeps_its_seq() -> None:
    connector = _connector(0, STEADY)
    told = connector.start(_start_command(), START_MS) + connector.step(START_MS + 2000)
    started = [event for event in told if isinstance(event, ChargeStarted)]
    assert [(e.start_charge_seq, e.charge_model, e.connector_id) for e in started] == [
        ("9" * 27, 1, connector.place.connector_id)
    ]
    assert START_MS + 1000 <= started[0].started_at <= START_MS + 2000
    statuses = [s.status for s in told if isinstance(s, Telemetry)]
    assert statuses[0] == ConnectorStatus.PLUGGED and statuses[-1] == ConnectorStatus.CHARGING


def test_a_commanded_stop_comes_within_two_seconds() -> None:
    connector = _connector(0, STEADY)
    connector.start(_start_command(), START_MS)
    now_ms = _until(connector, Phase.CHARGING) + 5_500
    connector.step(now_ms)
    connector.stop(StopCharge("another", connector.place.connector_id, now_ms), now_ms)
    connector.stop(StopCharge("9" * 27, connector.place.connector_id, now_ms), now_ms)
    stops = [o for o in connector.step(now_ms + 2000) if isinstance(o, ChargeStopped)]
    assert [(s.start_charge_seq, s.stop_reason) for s in stops] == [("9" * 27, StopReason.PLATFORM)]


def test_an_expired_or_repeated_command_is_ignored() -> None:
    connector = _connector(0, STEADY)
    assert connector.start(_start_command(expires_in_ms=0), START_MS) == []
    connector.start(_start_command(), START_MS)
    assert connector.start(_start_command(), START_MS) == []
    now_ms = _until(connector, Phase.CHARGING)
    assert connector.start(_start_command(at_ms=now_ms), now_ms) == []


def test_a_busy_connector_refuses_with_3() -> None:
    connector = _connector(0, STEADY)
    now_ms = _until(connector, Phase.CHARGING)
    (refusal,) = connector.start(_start_command(at_ms=now_ms), now_ms)
    assert isinstance(refusal, ChargeStartFailed)
    assert (refusal.fail_reason, refusal.start_charge_seq, refusal.failed_at) == (3, "9" * 27, now_ms)


def test_an_offline_connector_refuses_with_2() -> None:
    connector = _connector(0, Behaviour(offline_share=1.0))
    now_ms = START_MS
    while not connector.is_offline(now_ms):
        connector.step(now_ms)
        now_ms += 1000
    (refusal,) = connector.start(_start_command(at_ms=now_ms), now_ms)
    assert isinstance(refusal, ChargeStartFailed) and refusal.fail_reason == 2


def test_after_a_halt_the_last_sample_is_idle_and_nothing_starts() -> None:
    connector = _connector(0, STEADY)
    now_ms = _until(connector, Phase.CHARGING) + 3_210
    connector.step(now_ms)
    connector.halt(now_ms)
    told = tuple(connector.step(now_ms + 4001))
    assert [type(o).__name__ for o in told if not isinstance(o, Telemetry)] == ["ChargeStopped", "BillIssued"]
    assert _samples(told)[-1].status == ConnectorStatus.IDLE
    assert connector.quiet
    later = tuple(connector.step(now_ms + HOUR_MS))
    assert {s.status for s in _samples(later)} == {ConnectorStatus.IDLE} and len(later) == len(_samples(later))
    (refusal,) = connector.start(_start_command(at_ms=now_ms + HOUR_MS), now_ms + HOUR_MS)
    assert isinstance(refusal, ChargeStartFailed) and refusal.fail_reason == 3
