"""Records of a session: exact energy, exact times, a register that never falls, everything in order."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.replay.charges import FIRST_METER_WH, plan_charges
from infra.replay.timeline import CLOSING_MS, Timeline
from schemas.codec import codec_for
from schemas.records.charge_events import ChargeStarted, ChargeStopped
from schemas.records.telemetry import Telemetry
from tests.infra.replay.rows import charge_row, row, sessions_of

CODEC = codec_for("")
TEN_O_CLOCK = 1_538_992_800_000
MINUTE = 60_000

Record = Telemetry | ChargeStarted | ChargeStopped


@dataclass(frozen=True, slots=True)
class _Sent:
    at: int
    record: Record


def sent(*rows: str, interval_ms: int = 10_000) -> list[_Sent]:
    """All records of these rows; each is checked to be the codec's own bytes, under its connector and time."""
    records: list[_Sent] = []
    for at, is_event, pairs in Timeline(CODEC, plan_charges(sessions_of(*rows)).connectors, interval_ms).moments():
        for key, value in pairs:
            record = CODEC.decode(value)
            assert CODEC.encode(record) == value
            assert record.connector_id.encode() == key
            assert is_event is not isinstance(record, Telemetry)
            records.append(_Sent(at, record))
    assert [r.at for r in records] == sorted(r.at for r in records)
    return records


def samples(records: list[_Sent], connector_id: str = "1-1-193-816-0101") -> list[Telemetry]:
    """One connector's samples; each is checked to have been sent under its own time."""
    found: list[Telemetry] = []
    for one in records:
        if isinstance(one.record, Telemetry) and one.record.connector_id == connector_id:
            assert one.record.sampled_at == one.at
            found.append(one.record)
    return found


def test_a_session_is_plugged_charged_and_unplugged() -> None:
    records = sent(
        charge_row(
            "S7",
            "10:00:00",
            "10:30:00",
            plugged_in_at="2018-10-08T09:58:00Z",
            unplugged_at="2018-10-08T10:45:00Z",
        )
    )
    taken = samples(records)
    seq = "123456789" + "S7".rjust(18, "0")
    assert [(s.status, s.sampled_at) for s in taken if s.status != 3] == [
        (2, TEN_O_CLOCK - 2 * MINUTE),
        (2, TEN_O_CLOCK + 30 * MINUTE),
        (1, TEN_O_CLOCK + 45 * MINUTE),
        (1, TEN_O_CLOCK + 45 * MINUTE + CLOSING_MS),
    ]
    charging = [s for s in taken if s.status == 3]
    assert [s.sampled_at for s in charging] == [TEN_O_CLOCK + n * 10_000 for n in range(180)]
    assert {s.start_charge_seq for s in charging} == {seq}
    assert {s.start_charge_seq for s in taken if s.status != 3} == {""}
    assert (taken[0].meter_wh, charging[0].meter_wh) == (FIRST_METER_WH, FIRST_METER_WH)
    assert [s.meter_wh for s in taken if s.sampled_at >= TEN_O_CLOCK + 30 * MINUTE] == [FIRST_METER_WH + 6310] * 3
    started, stopped = [r.record for r in records if not isinstance(r.record, Telemetry)]
    assert isinstance(started, ChargeStarted) and isinstance(stopped, ChargeStopped)
    assert (started.start_charge_seq, started.started_at, started.meter_start_wh) == (seq, TEN_O_CLOCK, FIRST_METER_WH)
    assert (started.user_name, started.charge_model) == ("000000365", charging[0].charge_model)
    assert (stopped.stopped_at, stopped.meter_end_wh) == (TEN_O_CLOCK + 30 * MINUTE, FIRST_METER_WH + 6310)
    assert stopped.stop_reason == 2


@settings(deadline=None)  # an example has up to 1,800 samples, each of which is decoded and encoded
@given(
    energy_wh=st.integers(0, 80_000),
    duration_s=st.integers(1, 1800),
    offset_s=st.integers(0, 59),
    interval_s=st.sampled_from([1, 2, 5, 10, 25, 50]),
)
def test_the_register_rises_to_exactly_the_files_energy(
    energy_wh: int, duration_s: int, offset_s: int, interval_s: int
) -> None:
    end = f"10:{duration_s // 60:02d}:{duration_s % 60:02d}"
    second = charge_row("b", "10:59:00", f"11:00:{offset_s:02d}", "1")
    records = sent(charge_row("a", "10:00:00", end, f"{energy_wh / 1000:.3f}"), second, interval_ms=interval_s * 1000)
    taken = samples(records)
    registers = [s.meter_wh for s in taken]
    assert registers == sorted(registers)
    charging = [s for s in taken if s.start_charge_seq.endswith("a")]
    assert charging[0].sampled_at == TEN_O_CLOCK
    assert charging[0].meter_wh == FIRST_METER_WH
    assert len(charging) == -(-duration_s // interval_s)
    end_sample = taken[len(charging)]
    assert (end_sample.sampled_at, end_sample.status) == (TEN_O_CLOCK + duration_s * 1000, 2)
    assert end_sample.meter_wh == FIRST_METER_WH + energy_wh
    assert taken[-1].meter_wh == FIRST_METER_WH + energy_wh + 1000


def test_power_holds_and_then_falls() -> None:
    charging = [s for s in samples(sent(charge_row("a", "10:00:00", "11:00:00", "10"))) if s.status == 3]
    power_kw = [
        (s.current_a * s.voltage_a + s.current_b * s.voltage_b + s.current_c * s.voltage_c) / 1000 for s in charging
    ]
    assert power_kw[0] == max(power_kw) == pytest.approx(10 / 0.92, rel=0.01)
    assert power_kw == sorted(power_kw, reverse=True)
    assert 0 < power_kw[-1] < power_kw[0] / 3
    assert sum(power_kw) / 360 == pytest.approx(10, rel=0.02)


def test_a_charge_of_no_duration_has_one_sample() -> None:
    records = sent(charge_row("a", "10:00:00", "10:00:00", "0"), charge_row("b", "10:00:00", "10:10:00"))
    taken = samples(records)
    assert [(s.status, s.sampled_at - TEN_O_CLOCK) for s in taken[:4]] == [(3, 0), (2, 0), (1, 0), (3, 0)]
    assert sum(s.start_charge_seq.endswith("a") for s in taken) == 1
    assert sum(s.start_charge_seq.endswith("b") for s in taken) == 60


def test_charges_back_to_back_end_before_they_begin() -> None:
    records = sent(charge_row("a", "10:00:00", "10:10:00"), charge_row("b", "10:10:00", "10:20:00"))
    at_turn = [r.record for r in records if r.at == TEN_O_CLOCK + 10 * MINUTE]
    assert [s.status for s in at_turn if isinstance(s, Telemetry)] == [2, 1, 3]
    assert [type(e) for e in at_turn if not isinstance(e, Telemetry)] == [ChargeStopped, ChargeStarted]


def test_a_cable_unplugged_before_the_end_counts_as_unplugged_with_it() -> None:
    records = sent(charge_row("a", "10:00:00", "10:10:00", unplugged_at="2018-10-08T10:05:00Z"))
    assert [(s.status, s.sampled_at - TEN_O_CLOCK) for s in samples(records) if s.status != 3][:2] == [
        (2, 10 * MINUTE),
        (1, 10 * MINUTE),
    ]
    (stopped,) = [r.record for r in records if isinstance(r.record, ChargeStopped)]
    assert stopped.stop_reason == 4


def test_charges_of_one_station_at_one_time_are_merged() -> None:
    records = sent(charge_row("a", "10:00:00", "10:30:00"), charge_row("b", "10:10:05", "10:20:00", "3"))
    second = samples(records, "1-1-193-816-0102")
    assert [s.sampled_at for s in second if s.status == 3] == list(
        range(TEN_O_CLOCK + 605_000, TEN_O_CLOCK + 1_200_000, 10_000)
    )
    assert second[-1].meter_wh == FIRST_METER_WH + 3000
    assert second[-1].sampled_at == samples(records)[-1].sampled_at


def test_a_long_name_is_cut_to_what_the_wire_takes() -> None:
    records = sent(row(user="u" * 30))
    (started,) = [r.record for r in records if isinstance(r.record, ChargeStarted)]
    assert started.user_name == "u" * 20
