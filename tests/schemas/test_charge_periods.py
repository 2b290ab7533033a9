"""A charge's tariff periods from its marks: they follow each other, and their energy and money add up to the fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.charge_periods import periods_of, to_fen
from schemas.records.connector_state import TariffMark
from schemas.records.derived import ProgressPeriod

MINUTE = 60_000


def mark(at: int, meter_wh: int, elec_e4: int, service_e4: int) -> TariffMark:
    return TariffMark(at, meter_wh, elec_e4, service_e4, at, meter_wh, at, meter_wh)


@st.composite
def courses(draw: st.DrawFn) -> tuple[list[TariffMark], int, int]:
    """Marks of a charge whose clock and register never go back, and a reading behind them."""
    at, meter_wh = draw(st.integers(0, 10**12)), draw(st.integers(0, 10**9))
    marks: list[TariffMark] = []
    for _ in range(draw(st.integers(1, 40))):
        marks.append(mark(at, meter_wh, draw(st.integers(0, 100_000)), draw(st.integers(0, 100_000))))
        at += draw(st.integers(0, 86_400_000))
        meter_wh += draw(st.integers(0, 10**6))
    return marks, at, meter_wh


def test_one_period() -> None:
    assert periods_of([mark(0, 1000, 12_000, 8_000)], MINUTE, 2500) == [
        ProgressPeriod(0, MINUTE, 12_000, 8_000, 1500, 180, 120)
    ]


def test_each_ends_where_the_next_begins() -> None:
    marks = [mark(0, 1000, 3_000, 4_000), mark(MINUTE, 3000, 12_000, 8_000), mark(2 * MINUTE, 3000, 5_000, 0)]
    assert periods_of(marks, 3 * MINUTE, 4000) == [
        ProgressPeriod(0, MINUTE, 3_000, 4_000, 2000, 60, 80),
        ProgressPeriod(MINUTE, 2 * MINUTE, 12_000, 8_000, 0, 0, 0),
        ProgressPeriod(2 * MINUTE, 3 * MINUTE, 5_000, 0, 1000, 50, 0),
    ]


def test_at_its_first_moment_there_is_nothing() -> None:
    assert periods_of([mark(MINUTE, 1000, 12_000, 8_000)], MINUTE, 1000) == [
        ProgressPeriod(MINUTE, MINUTE, 12_000, 8_000, 0, 0, 0)
    ]


def test_no_period_ends_before_it_begins() -> None:
    (period,) = periods_of([mark(MINUTE, 1000, 12_000, 8_000)], 0, 1000)
    assert (period.started_at, period.ended_at) == (MINUTE, MINUTE)


def test_without_marks_there_are_none() -> None:
    assert periods_of([], MINUTE, 1000) == []


@pytest.mark.parametrize(
    ("watt_hour_prices", "fen"),
    [(0, 0), (49_999, 0), (50_000, 1), (149_999, 1), (150_000, 2), (-49_999, 0), (-50_001, -1)],
)
def test_half_a_fen_is_rounded_up(watt_hour_prices: int, fen: int) -> None:
    assert to_fen(watt_hour_prices) == fen


def test_halves_do_not_pile_up() -> None:
    """Three periods of half a fen are two fen, not three."""
    marks = [mark(n, n * 50, 1_000, 0) for n in range(3)]
    assert [period.elec_money_fen for period in periods_of(marks, 3, 150)] == [1, 0, 1]


@given(courses())
def test_money_and_energy_add_up(course: tuple[list[TariffMark], int, int]) -> None:
    marks, at, meter_wh = course
    periods = periods_of(marks, at, meter_wh)
    elec = sum(p.energy_wh * p.elec_price_e4 for p in periods)
    service = sum(p.energy_wh * p.service_price_e4 for p in periods)
    assert sum(p.energy_wh for p in periods) == meter_wh - marks[0].meter_wh
    assert sum(p.elec_money_fen for p in periods) == to_fen(elec)
    assert sum(p.service_money_fen for p in periods) == to_fen(service)
    assert abs(elec - 100_000 * to_fen(elec)) <= 50_000


@given(courses())
def test_no_part_is_negative_or_a_fen_off(course: tuple[list[TariffMark], int, int]) -> None:
    for period in periods_of(*course):
        assert min(period.energy_wh, period.elec_money_fen, period.service_money_fen) >= 0
        assert abs(period.energy_wh * period.elec_price_e4 - 100_000 * period.elec_money_fen) < 100_000 + 50_001


@given(courses())
def test_periods_follow_each_other(course: tuple[list[TariffMark], int, int]) -> None:
    marks, at, meter_wh = course
    periods = periods_of(marks, at, meter_wh)
    assert [(p.started_at, p.elec_price_e4, p.service_price_e4) for p in periods] == [
        (m.at, m.elec_price_e4, m.service_price_e4) for m in marks
    ]
    assert [p.ended_at for p in periods] == [*(m.at for m in marks[1:]), at]


@given(courses(), st.integers(0, 10**6))
def test_what_is_over_is_never_told_otherwise(course: tuple[list[TariffMark], int, int], more_wh: int) -> None:
    marks, at, meter_wh = course
    now, later = periods_of(marks, at, meter_wh), periods_of(marks, at + MINUTE, meter_wh + more_wh)
    assert now[:-1] == later[:-1]
    assert later[-1].elec_money_fen >= now[-1].elec_money_fen
