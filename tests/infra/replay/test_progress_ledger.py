"""Progress at the right times is accepted; anything missing, twice, beside the grid or wrong is named."""

from dataclasses import replace

import pytest

from infra.replay.charges import Charge, plan_charges
from infra.replay.progress_ledger import ProgressLedger
from schemas.codec import codec_for
from schemas.records.derived import ChargeProgress, ProgressKind
from tests.infra.replay.rows import charge_row, sessions_of

CODEC = codec_for("")


def a_charge(end: str = "10:02:00") -> Charge:
    ((charge,),) = plan_charges(sessions_of(charge_row("a", "10:00:00", end, "0.12"))).connectors
    return charge


def progress(charge: Charge, kind: ProgressKind, after_s: int, energy_wh: int) -> ChargeProgress:
    at = charge.session.started_at + after_s * 1000
    return ChargeProgress(
        start_charge_seq=charge.session.seq,
        connector_id=charge.place.connector_id,
        station_id=charge.place.station_id,
        charge_model=charge.model,
        started_at=charge.session.started_at,
        kind=kind,
        due_at=at,
        observed_at=at,
        connector_status=3,
        energy_wh=energy_wh,
        elec_money_fen=0,
        service_money_fen=0,
        periods=(),
        sample=None,
    )


def right(charge: Charge) -> list[ChargeProgress]:
    """What a charge of two minutes and 120 Wh should bring."""
    return [
        progress(charge, ProgressKind.STARTED, 0, 0),
        progress(charge, ProgressKind.PERIODIC, 50, 50),
        progress(charge, ProgressKind.PERIODIC, 100, 100),
        progress(charge, ProgressKind.STOPPED, 120, 120),
    ]


def problems(charge: Charge, records: list[ChargeProgress]) -> list[str]:
    ledger = ProgressLedger(CODEC, [charge])
    for record in records:
        ledger.take(CODEC.encode(record), record.due_at)
    assert not ledger.unexpected
    return [mismatch["problem"] for mismatch in ledger.mismatches()]


def test_progress_as_it_should_be_is_accepted_in_any_order() -> None:
    charge = a_charge()
    assert problems(charge, right(charge)) == []
    assert problems(charge, right(charge)[::-1]) == []


def test_a_push_due_at_the_very_end_is_the_last_one() -> None:
    charge = a_charge("10:01:40")
    records = [*right(charge)[:2], progress(charge, ProgressKind.STOPPED, 100, 120)]
    assert problems(charge, records) == []


@pytest.mark.parametrize(
    ("index", "change", "said"),
    [
        (1, {"due_at": 1}, "behind the start"),
        (1, {"kind": ProgressKind.STARTED}, "STARTED: due 50.0 s"),
        (0, {"kind": ProgressKind.PERIODIC}, "PERIODIC: due 0.0 s"),
        (1, {"observed_at": 7}, "shows the reading of 7"),
        (1, {"energy_wh": 121}, "121 Wh of 120"),
        (3, {"energy_wh": 119}, "STOPPED: 119 Wh"),
        (0, {"charge_model": 99}, "'charge_model': 99"),
        (2, {"connector_id": "another"}, "'connector_id': 'another'"),
    ],
)
def test_a_wrong_record_is_named(index: int, change: dict[str, object], said: str) -> None:
    charge = a_charge()
    records = right(charge)
    records[index] = replace(records[index], **change)  # type: ignore[arg-type]
    (problem,) = problems(charge, records)
    assert said in problem


@pytest.mark.parametrize(
    ("index", "missing", "twice"),
    [(0, "2 of 3 records", "came twice"), (2, "2 of 3 records", "came twice"), (3, "no STOPPED", "STOPPED came twice")],
)
def test_a_missing_record_and_one_that_is_there_twice_are_named(index: int, missing: str, twice: str) -> None:
    charge = a_charge()
    records = right(charge)
    assert missing in problems(charge, records[:index] + records[index + 1 :])[0]
    assert twice in problems(charge, [*records, records[index]])[0]


def test_a_record_under_another_time_than_it_was_due_is_named() -> None:
    charge = a_charge()
    ledger = ProgressLedger(CODEC, [charge])
    for record in right(charge):
        ledger.take(CODEC.encode(record), record.due_at + 1)
    assert "Kafka timestamp" in ledger.mismatches()[0]["problem"]
    assert ledger.counts == {"STARTED": 1, "PERIODIC": 2, "STOPPED": 1}


def test_what_no_session_explains_is_kept_apart() -> None:
    charge = a_charge()
    ledger = ProgressLedger(CODEC, [charge])
    ledger.take(CODEC.encode(replace(right(charge)[0], start_charge_seq="z" * 27)), 0)
    assert ledger.unexpected == ["z" * 27]


def test_bytes_that_are_no_record_are_named() -> None:
    charge = a_charge()
    ledger = ProgressLedger(CODEC, [charge])
    for record in right(charge):
        ledger.take(CODEC.encode(record), record.due_at)
    ledger.take(CODEC.encode(right(charge)[0])[:60], 0)
    assert "decoded" in ledger.mismatches()[0]["problem"]
