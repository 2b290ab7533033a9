"""connector_days against a second computation: gaps, midnights, registers that fall, and samples that come repeated,
late, in any order and in overlapping cuts."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import HOUR_MS, Sample, day_of, midnight_ms, rises, wh_by_day

#: Some weeks ago, so that nothing is too old to be kept; around a midnight of Beijing.
NOON_MS = midnight_ms(datetime.now(UTC).date() - timedelta(days=30)) + 12 * HOUR_MS

NUMBERS = count()

#: Between two samples: seconds mostly, also hours, sometimes days, with odd milliseconds.
PAUSES = st.one_of(
    st.integers(1_000, 20_000),
    st.integers(60_000, HOUR_MS),
    st.integers(HOUR_MS, 30 * HOUR_MS),
    st.integers(1, 40).map(lambda days: days * 24 * HOUR_MS + 1),
)
STEPS = st.one_of(st.integers(0, 400), st.integers(0, 3), st.integers(0, 90_000))


@st.composite
def registers(draw: st.DrawFn, falls: bool = True) -> list[Sample]:
    """Samples in order, from within a day; registers are sometimes reset, or replaced by another."""
    at, wh = NOON_MS - draw(st.integers(0, 24 * HOUR_MS)), draw(st.integers(0, 10**9))
    found = [(at, wh)]
    for pause, step in draw(st.lists(st.tuples(PAUSES, STEPS), max_size=25)):
        if at + pause > NOON_MS + 29 * 24 * HOUR_MS:  # not in the future
            break
        at += pause
        wh = draw(st.integers(0, wh)) if falls and draw(st.integers(0, 9)) == 0 else wh + step
        found.append((at, wh))
    return found


@st.composite
def deliveries(draw: st.DrawFn, samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples in batches: any cut, overlapping, any order, some twice; each sample in one at least."""
    cuts = sorted({0, len(samples), *draw(st.lists(st.integers(0, len(samples)), max_size=3))})
    batches = [list(samples[a:b]) for a, b in pairwise(cuts)]
    spans = st.tuples(st.integers(0, len(samples)), st.integers(0, len(samples)))
    batches += [list(samples[min(span) : max(span)]) for span in draw(st.lists(spans, max_size=3))]
    return [batch for batch in draw(st.permutations(batches)) if batch]


@pytest.mark.clickhouse
def test_days_are_those_of_a_second_computation(database: Database) -> None:
    @settings(max_examples=60)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        samples = data.draw(registers())
        connector = f"C{next(NUMBERS)}"
        for batch in data.draw(deliveries(samples)):
            put(database, connector, batch)
        expected = wh_by_day(samples)
        assert days(database, connector) == expected
        first, last = sorted(
            (data.draw(st.sampled_from(sorted(expected))), data.draw(st.sampled_from(sorted(expected))))
        )
        first, last = (
            first - timedelta(days=data.draw(st.integers(0, 2))),
            last + timedelta(days=data.draw(st.integers(0, 2))),
        )
        in_span = {day: wh for day, wh in expected.items() if first <= day <= last}
        assert span(database, f"S-{connector}", first, last) == {(connector, day): wh for day, wh in in_span.items()}

    holds()


@pytest.mark.clickhouse
def test_no_wh_is_lost_and_none_counted_twice(database: Database) -> None:
    @settings(max_examples=30)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        samples = data.draw(registers(falls=False))
        connector = f"C{next(NUMBERS)}"
        for batch in data.draw(deliveries(samples)):
            put(database, connector, batch)
        assert sum(days(database, connector).values()) == samples[-1][1] - samples[0][1] == rises(samples)

    holds()


@pytest.mark.clickhouse
def test_a_register_that_falls_once_in_an_hour_loses_nothing_else(database: Database) -> None:
    @settings(max_examples=30)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        steps = st.lists(st.integers(0, 5_000), min_size=1, max_size=8)
        first = data.draw(st.integers(50_000, 10**9))
        before = list(accumulate(data.draw(steps), initial=first))
        after = list(accumulate(data.draw(steps), initial=data.draw(st.integers(0, 1_000))))
        samples = [(NOON_MS + n * 60_000, wh) for n, wh in enumerate(before + after)]
        connector = f"C{next(NUMBERS)}"
        for batch in data.draw(deliveries(samples)):
            put(database, connector, batch)
        assert days(database, connector) == {day_of(NOON_MS): rises(samples)}

    holds()


def put(database: Database, connector: str, batch: Sequence[Sample]) -> None:
    """Inserts samples of a connector, which is the only one of its station."""
    rows = ", ".join(
        f"(fromUnixTimestamp64Milli({at}, 'UTC'), {wh}, '{connector}', 'S-{connector}')" for at, wh in batch
    )
    database.client.run(f"INSERT INTO telemetry (sampled_at, meter_wh, connector_id, station_id) VALUES {rows}")


def days(database: Database, connector: str) -> dict[date, int]:
    """Wh by day, as connector_days says."""
    query = f"SELECT day, energy_kwh FROM connector_days WHERE connector_id = '{connector}'"
    return {day: to_wh(kwh) for day, kwh in database.rows(query)}


def span(database: Database, station: str, first: date, last: date) -> dict[tuple[str, date], int]:
    """Wh by connector and day of a station, as electricity says."""
    view = f"electricity(station_id = '{station}', first_day = '{first}', last_day = '{last}')"
    rows = database.rows(f"SELECT connector_id, day, energy_kwh FROM {view}")
    return {(connector, day): to_wh(kwh) for connector, day, kwh in rows}


def to_wh(kwh: Decimal) -> int:
    """Exactly."""
    wh = kwh * 1000
    assert wh == int(wh)
    return int(wh)
