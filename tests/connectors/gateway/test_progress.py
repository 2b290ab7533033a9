"""How far a charge is: what the state says, brought up to the newest sample, and never ahead of a tariff boundary."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.gateway.progress import is_plausible, progress_of, same_period
from connectors.gateway.views.known_state import KnownCharge, KnownMark, KnownState
from schemas.records.derived import ProgressKind
from schemas.records.station import TariffPeriod
from schemas.records.telemetry import Telemetry

#: 2026-11-26 09:00 in Beijing, UTC ms.
NINE = 1_795_654_800_000
HOUR = 3_600_000
SEQ = "MA0PLATF1000000000000000001"

#: 0:00 at 0.50, 10:00 at 1.00 CNY/kWh.
TARIFF = (
    TariffPeriod(0, Decimal("0.4000"), Decimal("0.1000")),
    TariffPeriod(36_000, Decimal("0.8000"), Decimal("0.2000")),
)


def sample(at: int, meter_wh: int, seq: str = SEQ) -> Telemetry:
    return Telemetry(3, 50, 50, seq, 1, at, meter_wh, 50, 100.0, 0, 0, 400.0, 0, 0, "c1", "e1", "s1")


CHARGE = KnownCharge(
    start_charge_seq=SEQ,
    charge_model=1,
    started_at=NINE,
    ended_at=None,
    meter_end_wh=None,
    rebase_wh=0,
    reading_at=NINE,
    reading_wh=100_000,
    marks=(KnownMark(NINE, 100_000, 4_000, 1_000),),
)
STATE = KnownState(
    connector_id="c1",
    station_id="s1",
    status=3,
    closed_seqs=(),
    failed_seqs=(),
    charges=(CHARGE,),
    reading_at=NINE + 10_000,
    reading_wh=110_000,
    sample=sample(NINE + 10_000, 110_000),
)


def test_without_a_newer_sample_it_is_as_the_state_has_it() -> None:
    progress = progress_of(STATE, CHARGE, None, TARIFF)
    assert (progress.observed_at, progress.energy_wh) == (NINE + 10_000, 10_000)
    assert (progress.elec_money_fen, progress.service_money_fen) == (400, 100)
    assert progress.sample == STATE.sample


def test_a_newer_sample_brings_it_up() -> None:
    newest = sample(NINE + 40_000, 150_000)
    progress = progress_of(STATE, CHARGE, newest, TARIFF)
    assert (progress.observed_at, progress.energy_wh) == (NINE + 40_000, 50_000)
    assert (progress.elec_money_fen, progress.service_money_fen) == (2_000, 500)
    assert progress.sample is newest


@pytest.mark.parametrize(
    "newest",
    [
        sample(NINE + 5_000, 105_000),
        sample(NINE + 40_000, 150_000, seq=""),
        sample(NINE + 40_000, 150_000, seq="another"),
        sample(NINE + HOUR, 150_000),
    ],
    ids=["older", "of no charge", "of another charge", "behind a boundary that the state does not know"],
)
def test_another_sample_changes_nothing(newest: Telemetry) -> None:
    assert progress_of(STATE, CHARGE, newest, TARIFF) == progress_of(STATE, CHARGE, None, TARIFF)


@pytest.mark.parametrize(
    ("one", "is_so"),
    [
        (sample(NINE, 0), True),
        (sample(NINE, 10**12), True),
        (sample(NINE + 300_000, 1), True),
        (sample(NINE, -1), False),
        (sample(NINE, 10**12 + 1), False),
        (sample(NINE + 300_001, 1), False),
        (sample(1, 1), False),
    ],
)
def test_what_the_streams_refuse_is_not_plausible(one: Telemetry, is_so: bool) -> None:
    assert is_plausible(one, "c1", NINE) is is_so
    assert not is_plausible(one, "c2", NINE)


def test_a_sample_behind_a_boundary_that_the_state_knows_is_used() -> None:
    ten = NINE + HOUR
    marks = (*CHARGE.marks, KnownMark(ten, 120_000, 8_000, 2_000))
    charge = replace(CHARGE, marks=marks)
    state = replace(STATE, reading_at=ten + 1_000, reading_wh=121_000, sample=sample(ten + 1_000, 121_000))
    progress = progress_of(state, charge, sample(ten + 11_000, 130_000), TARIFF)
    assert [(p.energy_wh, p.elec_price_e4) for p in progress.periods] == [(20_000, 4_000), (10_000, 8_000)]
    assert progress.elec_money_fen == sum(p.elec_money_fen for p in progress.periods) == 800 + 800


def test_a_register_that_was_replaced_goes_on_where_the_state_has_it() -> None:
    charge = replace(CHARGE, rebase_wh=109_000)
    progress = progress_of(STATE, charge, sample(NINE + 40_000, 5_000), TARIFF)
    assert progress.energy_wh == 14_000


def test_a_register_never_runs_backwards() -> None:
    progress = progress_of(STATE, CHARGE, sample(NINE + 40_000, 3), TARIFF)
    assert (progress.observed_at, progress.energy_wh) == (NINE + 40_000, 10_000)


def test_a_charge_that_has_ended_is_as_it_ended() -> None:
    charge = replace(CHARGE, ended_at=NINE + 30_000, meter_end_wh=130_000)
    progress = progress_of(STATE, charge, sample(NINE + 40_000, 150_000), TARIFF)
    assert (progress.kind, progress.observed_at, progress.energy_wh) == (ProgressKind.STOPPED, NINE + 30_000, 30_000)


def test_marks_behind_the_end_do_not_count() -> None:
    marks = (*CHARGE.marks, KnownMark(NINE + 60_000, 160_000, 8_000, 2_000))
    charge = replace(CHARGE, marks=marks, ended_at=NINE + 30_000, meter_end_wh=130_000)
    assert [p.energy_wh for p in progress_of(STATE, charge, None, TARIFF).periods] == [30_000]


def test_the_reading_is_the_charges_own_where_the_sample_shows_another_charge() -> None:
    charge = replace(CHARGE, reading_at=NINE + 7_000, reading_wh=107_000)
    state = replace(STATE, sample=sample(NINE + 10_000, 110_000, seq="another"))
    progress = progress_of(state, charge, None, TARIFF)
    assert (progress.observed_at, progress.energy_wh, progress.sample) == (NINE + 7_000, 7_000, None)


@pytest.mark.parametrize(
    ("earlier", "later", "same"),
    [
        (NINE, NINE + HOUR - 1, True),
        (NINE, NINE + HOUR, False),
        (NINE + HOUR, NINE + 14 * HOUR, True),
        (NINE + HOUR, NINE + 15 * HOUR, False),  # midnight
        (NINE, NINE + 24 * HOUR, False),
    ],
)
def test_boundaries_are_those_of_beijings_day(earlier: int, later: int, same: bool) -> None:
    assert same_period(TARIFF, earlier, later) is same


def test_before_the_days_first_period_yesterdays_last_one_holds() -> None:
    tariff = (TariffPeriod(8 * 3600, Decimal(1), Decimal(0)), TariffPeriod(20 * 3600, Decimal(1), Decimal(0)))
    evening, night = NINE + 12 * HOUR, NINE + 22 * HOUR
    assert same_period(tariff, evening, night)
    assert not same_period(tariff, night, NINE + 24 * HOUR)


def test_one_price_has_no_boundary() -> None:
    assert same_period(TARIFF[:1], NINE, NINE + 48 * HOUR)
    assert same_period((), NINE, NINE + 48 * HOUR)


@given(
    begins=st.lists(st.integers(0, 86_399), unique=True, min_size=2, max_size=24),
    earlier=st.integers(NINE - 48 * HOUR, NINE + 48 * HOUR),
    passed=st.integers(0, 50 * HOUR) | st.integers(0, 60_000),
)
def test_a_boundary_is_any_periods_begin_on_any_day(begins: list[int], earlier: int, passed: int) -> None:
    tariff = tuple(TariffPeriod(second, Decimal(1), Decimal(0)) for second in sorted(begins))
    midnight = NINE - 9 * HOUR
    moments = (midnight + day * 24 * HOUR + second * 1000 for day in range(-3, 6) for second in begins)
    crossed = any(earlier < moment <= earlier + passed for moment in moments)
    assert same_period(tariff, earlier, earlier + passed) is not crossed


@pytest.mark.parametrize("second", [0, 36_000])
def test_the_moment_of_the_boundary_is_of_the_later_period(second: int) -> None:
    moment = NINE - 9 * HOUR + second * 1000
    assert not same_period(TARIFF, moment - 1, moment)
    assert same_period(TARIFF, moment, moment + 1)
