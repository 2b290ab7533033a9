"""Statistics against orders, by connector and day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.reconciliation.audit.asking import Scale
from tests.connectors.reconciliation.audit.day import HOUR_MS, MINUTE_MS, POWER_W, Day, charging

pytestmark = pytest.mark.clickhouse

NOON = 12 * HOUR_MS


def counts(a_day: Day, **more: Any) -> tuple[int, int]:
    figure = a_day.figure("statistics", **more)
    return figure.checked, figure.right


def long_charge(a_day: Day, seq: str, started: int, hours: int, **changed: Any) -> None:
    """Of 60 kWh an hour."""
    ended, kwh = started + hours * HOUR_MS, Decimal(POWER_W * hours // 1000)
    a_day.samples(seq, *charging(started, ended))
    a_day.order(seq, seq, started, ended, str(kwh), **changed)


def test_connectors_whose_orders_have_all_their_electricity(a_day: Day) -> None:
    for n in range(6):
        a_day.charge(f"O{n}", f"C{n}", n * HOUR_MS + MINUTE_MS)
    a_day.samples("IDLE", *((ms, 7) for ms in range(0, HOUR_MS, MINUTE_MS)))
    assert counts(a_day) == (6, 6)


def test_electricity_without_an_order_and_orders_without_electricity(a_day: Day) -> None:
    a_day.charge("O", "RIGHT", NOON)
    a_day.samples("LOST", *charging(NOON, NOON + 20 * MINUTE_MS))
    a_day.order("GHOST", "GHOST", NOON, NOON + HOUR_MS, "3.00")
    figure = a_day.figure("statistics")
    assert (figure.checked, figure.right) == (3, 1)
    lost, ghost = figure.offenders
    assert (lost.key, lost.found, lost.expected, lost.detail) == (
        "LOST",
        "20.000 kWh",
        "0.000 kWh by its orders",
        "0 orders",
    )
    assert (ghost.key, ghost.found, ghost.detail, ghost.off) == (
        "GHOST",
        "0.000 kWh",
        "1 orders",
        Decimal(3),
    )


def test_the_tolerance(a_day: Day) -> None:
    a_day.charge("O", "C", NOON, kwh="20.10")
    assert counts(a_day) == (1, 1)
    assert counts(a_day, scale=Scale(tolerance_kwh=Decimal("0.09"))) == (1, 0)


def test_charges_over_midnight_count_where_their_electricity_is(a_day: Day) -> None:
    for seq, started, hours in (("IN", -3, 5), ("OUT", 22, 7), ("BOTH", -2, 28)):
        long_charge(a_day, seq, started * HOUR_MS + MINUTE_MS, hours)
    for around in range(-1, 3):
        assert counts(a_day, day=a_day.day + timedelta(days=around)) == {
            -1: (2, 2), 0: (3, 3), 1: (2, 2), 2: (0, 0)}[around]  # fmt: skip


def test_a_wrong_order_over_midnight_is_found(a_day: Day) -> None:
    long_charge(a_day, "O", -3 * HOUR_MS, 5, energy_kwh=Decimal(310))
    (offender,) = a_day.figure("statistics").offenders
    assert offender.key == "O"
    assert abs(offender.off - 10) < Decimal("0.2")


def test_a_charge_that_still_runs_is_left_out(a_day: Day) -> None:
    a_day.charge("O", "RIGHT", NOON)
    a_day.samples("RUNS", *charging(NOON, NOON + 20 * MINUTE_MS))
    a_day.samples("DEAD", *charging(NOON, NOON + 20 * MINUTE_MS))
    now = datetime.now(UTC)
    for connector, ago in (("RUNS", timedelta(minutes=1)), ("DEAD", timedelta(hours=2))):
        a_day.insert(
            "charge_progress",
            {
                "start_charge_seq": f"S-{connector}",
                "connector_id": connector,
                "started_at": a_day.at(NOON),
                "due_at": now - ago,
                "observed_at": now - ago,
            },
        )
    figure = a_day.figure("statistics")
    assert (figure.checked, figure.right, [one.key for one in figure.offenders]) == (2, 1, ["DEAD"])


def test_a_register_that_is_reset_between_charges(a_day: Day) -> None:
    for n, first_wh in enumerate((1_000_000, 0, 500_000)):
        started = n * 2 * HOUR_MS + MINUTE_MS
        a_day.samples("C", *charging(started, started + 20 * MINUTE_MS, first_wh))
        a_day.order(f"O{n}", "C", started, started + 20 * MINUTE_MS, "20.00")
    # From 20 kWh to 500 kWh the register rose, for all that anyone knows.
    (offender,) = a_day.figure("statistics").offenders
    assert offender.off == Decimal(480)


@pytest.mark.parametrize("silent_s", [60, 7_200])
def test_a_silence_over_midnight_in_which_a_charge_ended(a_day: Day, silent_s: int) -> None:
    """All was charged on the day itself; the statistics spread it over the silence."""
    end = 24 * HOUR_MS
    a_day.samples("C", (end - HOUR_MS, 0), (end - 20_000, 9_000), (end - 20_000 + silent_s * 1000, 10_000))
    a_day.order("O", "C", end - HOUR_MS, end - 10_000, "10.00")
    figure = a_day.figure("statistics")
    assert (figure.checked, figure.right, figure.loose) == (1, 1, int(silent_s > 60))
    after = a_day.figure("statistics", day=a_day.day + timedelta(days=1))
    assert (after.checked, after.right, after.loose) == (1, 1, int(silent_s > 60))


@pytest.mark.parametrize(("kwh", "off"), [("8.80", "0.2"), ("10.20", "0.2")])
def test_a_wrong_order_in_a_silence_over_midnight(a_day: Day, kwh: str, off: str) -> None:
    end = 24 * HOUR_MS
    a_day.samples("C", (end - HOUR_MS, 0), (end - 20_000, 9_000), (end + HOUR_MS, 10_000))
    a_day.order("O", "C", end - HOUR_MS, end - 10_000, kwh)
    (offender,) = a_day.figure("statistics").offenders
    assert (offender.off, offender.detail) == (Decimal(off), "1 orders, silent around midnight")


def test_a_silence_in_a_charge_over_midnight_leaves_nothing_open(a_day: Day) -> None:
    """The day's part of the order is divided where the statistics divide it."""
    end = 24 * HOUR_MS
    a_day.samples("C", (end - HOUR_MS, 0), (end - 1_800_000, 5_000), (end + 1_800_000, 15_000), (end + HOUR_MS, 20_000))
    registers = {"meter_start_kwh": Decimal(0), "meter_end_kwh": Decimal(20)}
    a_day.order("O", "C", end - HOUR_MS, end + HOUR_MS, "20.00", **registers)
    figure = a_day.figure("statistics")
    assert (figure.checked, figure.right, figure.loose) == (1, 1, 0)


def test_a_silence_over_a_whole_day(a_day: Day) -> None:
    a_day.samples("C", (-HOUR_MS, 0), (47 * HOUR_MS, 48_000))
    a_day.order("O", "C", 0, HOUR_MS, "48.00")
    for day, right in ((-1, 1), (0, 1), (1, 1)):
        figure = a_day.figure("statistics", day=a_day.day + timedelta(days=day))
        assert (figure.checked, figure.right, figure.loose) == (1, right, 1)
    a_day.order("MORE", "C", 0, HOUR_MS + 1, "0.20")
    (offender,) = a_day.figure("statistics").offenders
    assert offender.off == Decimal("0.2")


def test_a_connector_that_fell_silent_in_a_charge_and_stayed_so(a_day: Day) -> None:
    a_day.samples("C", (NOON, 0), (NOON + HOUR_MS, 10_000))
    a_day.order("O", "C", NOON, NOON + 2 * HOUR_MS, "20.00")
    figure = a_day.figure("statistics")
    assert (figure.checked, figure.right, figure.loose) == (1, 1, 1)
    a_day.samples("D", (NOON, 0), (NOON + HOUR_MS, 10_000))
    a_day.order("LESS", "D", NOON, NOON + 2 * HOUR_MS, "9.00")
    assert [one.key for one in a_day.figure("statistics").offenders] == ["D"]
