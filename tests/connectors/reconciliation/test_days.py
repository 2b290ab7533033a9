"""Days and nights in Beijing's time."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.policies import Reconciliation
from connectors.protocol.beijing_time import day_of
from connectors.reconciliation.days import Night, days_to_look_at, midnight_ms, yesterday

DAY = date(2026, 11, 25)
BEIJING = timezone(timedelta(hours=8))
POLICY = Reconciliation()


def ms(text: str) -> int:
    """UTC ms of an instant of Beijing's."""
    return round(datetime.fromisoformat(text).replace(tzinfo=BEIJING).timestamp() * 1000)


def test_midnight_is_beijings() -> None:
    assert midnight_ms(DAY) == ms("2026-11-25T00:00:00")
    assert datetime.fromtimestamp(midnight_ms(DAY) / 1000, UTC) == datetime(2026, 11, 24, 16, tzinfo=UTC)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1)))
def test_the_day_of_an_instant_is_beijings(moment: datetime) -> None:
    instant = round(moment.replace(tzinfo=UTC).timestamp() * 1000)
    assert day_of(instant) == datetime.fromtimestamp(instant / 1000, BEIJING).date()
    assert midnight_ms(day_of(instant)) <= instant < midnight_ms(day_of(instant) + timedelta(days=1))


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2026-11-25T23:59:59.999", "2026-11-24"),
        ("2026-11-26T00:00:00", "2026-11-25"),
        ("2026-11-26T07:59:59", "2026-11-25"),  # the day before in UTC
        ("2026-11-26T08:00:00", "2026-11-25"),
    ],
)
def test_the_newest_day_that_is_over(now: str, newest: str) -> None:
    assert yesterday(ms(now)).isoformat() == newest


def test_the_night_after_a_day() -> None:
    """Beijing V1.1 §1.1.15: from midnight to three o'clock."""
    night = Night.of(DAY, POLICY, 10_800)
    assert night.opens_at == ms("2026-11-26T00:00:00")
    assert night.settled_at == ms("2026-11-26T00:10:00")
    assert night.closes_at == ms("2026-11-26T03:00:00")
    assert night.looks_at == (night.settled_at, ms("2026-11-26T02:30:00"))


def test_a_night_never_closes_before_orders_are_made() -> None:
    night = Night.of(DAY, Reconciliation(settle_s=3600), 600)
    assert night.closes_at == night.settled_at == night.looks_at[1]


def test_the_looks_of_a_night() -> None:
    night = Night.of(DAY, POLICY, 10_800)
    first, last = night.looks_at
    assert [night.next_look_at(at) for at in (-1, first - 1, first, last - 1, last)] == [
        first,
        first,
        last,
        last,
        None,
    ]


@pytest.mark.parametrize(
    ("back", "checked", "first"),
    [
        (7, [], 0),  # nothing was ever checked: nothing was missed
        (7, [0], 0),
        (7, [1], 1),
        (7, [5, 1], 5),
        (7, [6], 6),
        (7, [7], 6),  # too long ago: what was missed since, as far back as it is looked
        (1, [0, 1, 5], 0),
        (7, [-1], 0),  # checked by hand, of a day to come as this clock has it
    ],
)
def test_days_to_look_at(back: int, checked: list[int], first: int) -> None:
    known = [DAY - timedelta(days=n) for n in checked]
    expected = [DAY - timedelta(days=n) for n in range(first, -1, -1)]
    assert days_to_look_at(DAY, Reconciliation(look_back_days=back), known) == expected
