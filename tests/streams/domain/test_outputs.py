"""Progress and states are joined from encoded parts: they must be what encoding them whole gives."""

import pytest

from schemas.records.connector_state import ConnectorState
from schemas.records.derived import ChargeProgress, Order, ProgressKind, ProgressPeriod, StatusChange
from schemas.values import ConnectorStatus
from streams.domain.outputs import Output
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    DAY_AND_NIGHT,
    EQUIPMENT,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    STATION,
    Partition,
    beijing,
    bill,
    charging,
    plugged,
    sample,
    started,
    station,
    stopped,
)


def a_charge_over_a_boundary() -> Partition:
    eight = beijing(8)
    run = Partition(station(DAY_AND_NIGHT))
    run.sample(sample(eight - 120 * SECOND)).event(started(eight - 100 * SECOND))
    for at in range(-95, 100, 10):
        run.sample(charging(eight + at * SECOND, 1_000_000 + 20 * (at + 100)))
    run.event(stopped(eight + 100 * SECOND, 1_004_000)).event(bill(eight + 103 * SECOND))
    run.sample(plugged(eight + 105 * SECOND, 1_004_000))
    return run


def test_progress_decodes_to_exactly_what_was_meant() -> None:
    run = Partition(station(DAY_AND_NIGHT)).sample(sample(NOON)).event(started(NOON + 5 * SECOND, 1_000_000))
    newest = charging(NOON + 10 * SECOND, 1_000_500)
    run.sample(newest)
    period = ProgressPeriod(NOON + 5 * SECOND, NOON + 10 * SECOND, 12_000, 8_000, 500, 60, 40)
    assert run.of(ChargeProgress) == [
        ChargeProgress(
            start_charge_seq=SEQ,
            connector_id=CONNECTOR,
            station_id=STATION,
            charge_model=1,
            started_at=NOON + 5 * SECOND,
            kind=ProgressKind.STARTED,
            due_at=NOON + 10 * SECOND,
            observed_at=NOON + 10 * SECOND,
            connector_status=3,
            energy_wh=500,
            elec_money_fen=60,
            service_money_fen=40,
            periods=(period,),
            sample=newest,
        )
    ]


def test_progress_periods_add_up_to_its_totals() -> None:
    for progress in a_charge_over_a_boundary().of(ChargeProgress):
        assert sum(p.energy_wh for p in progress.periods) == progress.energy_wh
        assert sum(p.elec_money_fen for p in progress.periods) == progress.elec_money_fen
        assert sum(p.service_money_fen for p in progress.periods) == progress.service_money_fen


def test_the_last_progress_agrees_with_the_order() -> None:
    run = a_charge_over_a_boundary()
    last, order = run.of(ChargeProgress)[-1], run.of(Order)[0]
    assert last.kind is ProgressKind.STOPPED
    assert [(p.started_at, p.ended_at) for p in last.periods] == [(p.started_at, p.ended_at) for p in order.periods]
    assert last.energy_wh == (order.meter_end_kwh - order.meter_start_kwh) * 1000


def test_progress_without_any_sample_has_none() -> None:
    run = Partition().event(started(NOON)).event(stopped(NOON + MINUTE, 1_001_000)).tick(NOON + 10 * MINUTE)
    (progress,) = run.of(ChargeProgress)
    assert progress.sample is None
    assert progress.connector_status == ConnectorStatus.OFFLINE
    assert progress.energy_wh == 1000


def test_state_decodes_to_exactly_what_was_meant() -> None:
    newest = plugged(NOON + 7 * SECOND)
    run = Partition().sample(sample(NOON), newest)
    assert run.state() == ConnectorState(
        connector_id=CONNECTOR,
        equipment_id=EQUIPMENT,
        station_id=STATION,
        status=2,
        park_status=50,
        lock_status=10,
        status_since=NOON + 7 * SECOND,
        closed_seqs=(),
        failed_seqs=(),
        charges=(),
        status_pushed_at=NOON + 7 * SECOND,
        telemetry_offset=1,
        event_offset=-1,
        next_push_at=0,
        reading_at=0,
        reading_wh=0,
        sample=newest,
    )


def test_state_of_a_running_charge_has_its_newest_reading() -> None:
    run = Partition().event(started(NOON))
    for at in range(5, 130, 10):
        run.sample(charging(NOON + at * SECOND, 1_000_000 + at))
    state = run.state()
    assert (state.reading_at, state.reading_wh) == (NOON + 105 * SECOND, 1_000_105)
    assert state.next_push_at == NOON + 155 * SECOND
    assert [(c.start_charge_seq, c.started_at, c.first_sampled_at) for c in state.charges] == [
        (SEQ, NOON, NOON + 5 * SECOND)
    ]
    assert state.event_offset == 0


def test_a_closed_charge_is_remembered_by_its_seq_alone() -> None:
    state = a_charge_over_a_boundary().state()
    assert state.closed_seqs == (SEQ,)
    assert state.charges == ()


def test_all_that_is_put_out_is_canonical() -> None:
    run = a_charge_over_a_boundary()
    assert len(run.outputs) > 8
    for value in [output.value for output in run.outputs] + [state.value for state in run.states]:
        assert CODEC.encode(CODEC.decode(value)) == value


@pytest.mark.parametrize(
    ("record_type", "topic", "key"),
    [
        (StatusChange, "connector-status-changes", CONNECTOR),
        (ChargeProgress, "charge-progress", CONNECTOR),
        (Order, "charge-orders", CONNECTOR),
    ],
)
def test_topic_and_key(record_type: type, topic: str, key: str) -> None:
    found: list[Output] = [o for o in a_charge_over_a_boundary().outputs if type(CODEC.decode(o.value)) is record_type]
    assert found
    assert {(o.topic, o.key) for o in found} == {(topic, key.encode())}


def test_a_station_that_changes_in_mid_charge_shows_in_the_next_progress() -> None:
    run = Partition(station(), station(connectors=(), station_id="ST2")).event(started(NOON))
    run.sample(charging(NOON + 5 * SECOND))
    run.sample(charging(NOON + 15 * SECOND, 1_000_100, station_id="ST2"))
    run.sample(charging(NOON + 55 * SECOND, 1_000_200, station_id="ST2"))
    assert [p.station_id for p in run.of(ChargeProgress)] == [STATION, "ST2"]
