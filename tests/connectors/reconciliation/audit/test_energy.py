"""Orders against telemetry: right ones are found right whatever came twice, fell or reached over midnight; wrong ones
are named."""

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.reconciliation.audit.asking import Scale
from connectors.reconciliation.audit.energy import SAMPLES_KEPT_DAYS
from connectors.reconciliation.audit.figures import Figure
from tests.connectors.reconciliation.audit.day import DAY, HOUR_MS, MINUTE_MS, POWER_W, Day, charging, wh_between
from tests.connectors.reconciliation.audit.silences import put_charges_with_silences
from tests.infra.clickhouse.database import Database

pytestmark = pytest.mark.clickhouse

NOON = 12 * HOUR_MS


def right(figure: Figure, count: int) -> bool:
    """Whether so many were compared, and all are right."""
    return (figure.checked, figure.right, figure.offenders) == (count, count, ())


def test_orders_that_are_right(a_day: Day) -> None:
    """Each begins with the same register: between two of a connector it falls, which is no order's."""
    for n in range(30):
        a_day.charge(f"O{n}", f"C{n % 4}", n * HOUR_MS // 2 + n * 1_234, minutes=15 + n % 3)
    assert right(a_day.figure("energy"), 30)


def test_the_energy_of_an_order_is_off(a_day: Day) -> None:
    a_day.charge("RIGHT", "C1", NOON)
    a_day.charge("MUCH", "C2", NOON, kwh="21.00")
    a_day.charge("LITTLE", "C3", NOON, kwh="18.50")
    found = a_day.figure("energy")
    assert (found.checked, found.right, found.percent) == (3, 1, Decimal("33.3333"))
    little, much = found.offenders
    assert (little.key, little.connector_id, little.expected, little.found) == (
        "LITTLE",
        "C3",
        "19.930 kWh",
        "18.50 kWh",
    )
    assert (much.key, much.found, much.detail) == ("MUCH", "21.00 kWh", "computed")
    assert Decimal("0.9") < much.off <= Decimal("1.0")


@pytest.mark.parametrize(("kwh", "is_right"), [("20.09", True), ("19.91", True), ("20.30", False), ("19.70", False)])
def test_the_tolerance(a_day: Day, kwh: str, is_right: bool) -> None:
    """Beside it the samples at both ends, ten seconds apart, leave a part of 0.17 kWh open."""
    a_day.charge("O", "C", NOON, kwh=kwh)
    assert right(a_day.figure("energy"), 1) == is_right
    assert right(a_day.figure("energy", scale=Scale(tolerance_kwh=Decimal("0.5"))), 1)
    assert not right(a_day.figure("energy", scale=Scale(tolerance_kwh=Decimal(0))), 1) or kwh == "19.91"


def test_full_power_from_the_first_second(a_day: Day) -> None:
    """240 kW between two samples: the register at the start is the one before, and no more than that is open."""
    a_day.samples("C", (NOON - 5_000, 0), (NOON + 5_000, 333), (NOON + MINUTE_MS, 4_000), (NOON + 2 * MINUTE_MS, 4_000))
    a_day.order("O", "C", NOON, NOON + MINUTE_MS, "4.00")
    assert right(a_day.figure("energy"), 1)
    a_day.order("O2", "C", NOON + 1, NOON + MINUTE_MS, "4.15")
    assert [one.key for one in a_day.figure("energy").offenders] == ["O2"]


@pytest.mark.parametrize("ended", [NOON + MINUTE_MS, NOON + HOUR_MS // 2, NOON + 119 * MINUTE_MS])
def test_where_samples_at_an_end_are_far_apart_nobody_knows_better(a_day: Day, ended: int) -> None:
    a_day.samples("C", (NOON, 0), (NOON + 5_000, 1_000), (NOON + 2 * HOUR_MS, 11_000), (NOON + 3 * HOUR_MS, 11_000))
    for kwh in ("0.80", "1.00", "5.00", "11.00", "11.20"):
        a_day.order(kwh, "C", NOON, ended, kwh)
    found = a_day.figure("energy")
    assert (found.checked, found.right, found.loose) == (5, 3, 3)
    less, more = sorted(found.offenders, key=lambda one: one.key)
    assert (less.key, less.off, more.key, more.off) == ("0.80", Decimal("0.2"), "11.20", Decimal("0.2"))
    assert (more.expected, more.detail) == ("1.000 to 11.000 kWh", "computed, samples at an end are 7195 s apart")


def test_a_silence_in_which_nothing_was_charged_leaves_nothing_open(a_day: Day) -> None:
    a_day.samples("C", (NOON, 0), (NOON + HOUR_MS, 10_000), (NOON + 4 * HOUR_MS, 10_050))
    a_day.order("O", "C", NOON, NOON + 2 * HOUR_MS, "10.00")
    a_day.order("WRONG", "C", NOON, NOON + 2 * HOUR_MS + 1, "9.00")
    found = a_day.figure("energy")
    assert (found.right, found.loose, [one.key for one in found.offenders]) == (1, 0, ["WRONG"])


@pytest.mark.parametrize("days", [1, 6])
def test_a_connector_that_is_silent_for_days_around_an_order(a_day: Day, days: int) -> None:
    """Its samples lie far beyond what else is read."""
    a_day.samples("C", (NOON - days * 24 * HOUR_MS, 0), (NOON + days * 24 * HOUR_MS, 10_000))
    a_day.order("O", "C", NOON, NOON + HOUR_MS, "9.99")
    a_day.order("WRONG", "C", NOON, NOON + HOUR_MS + 1, "10.15")
    found = a_day.figure("energy")
    assert (found.right, found.loose, [one.key for one in found.offenders]) == (1, 1, ["WRONG"])


def test_right_orders_of_connectors_that_fall_silent_are_right(a_day: Day) -> None:
    """Charges of any power, one after the other, heard of only now and then."""
    chance = random.Random(5)
    orders = put_charges_with_silences(a_day, chance, connectors=12)
    energy, statistics = (a_day.figure(comparison) for comparison in ("energy", "statistics"))
    assert right(energy, orders)
    assert right(statistics, 12)
    assert energy.loose > 0 and statistics.loose > 0


def test_an_order_without_samples(a_day: Day) -> None:
    a_day.charge("SEEN", "C1", NOON)
    a_day.order("UNSEEN", "C2", NOON, NOON + HOUR_MS, "5.00")
    found = a_day.figure("energy")
    assert (found.checked, found.right) == (2, 1)
    (offender,) = found.offenders
    assert (offender.key, offender.expected, offender.found) == ("UNSEEN", "samples of 5.00 kWh", "no samples")


def test_an_order_whose_samples_begin_too_late(a_day: Day) -> None:
    a_day.samples("C", *[one for one in charging(NOON, NOON + 20 * MINUTE_MS) if one[0] > NOON + 10 * MINUTE_MS])
    a_day.order("O", "C", NOON, NOON + 20 * MINUTE_MS, "20.00")
    a_day.order("LESS", "C", NOON, NOON + 20 * MINUTE_MS, "9.00")
    found = a_day.figure("energy")
    assert (found.right, found.loose) == (1, 1)
    (offender,) = found.offenders
    assert (offender.key, offender.expected) == ("LESS", "at least 9.834 kWh")
    assert offender.detail == "computed, no sample before its start"


def test_a_connector_that_fell_silent_in_the_charge_and_stayed_so(a_day: Day) -> None:
    """Seen in the night, before it is back."""
    a_day.samples("C", *[one for one in charging(NOON, NOON + 20 * MINUTE_MS) if one[0] < NOON + 10 * MINUTE_MS])
    a_day.order("O", "C", NOON, NOON + 20 * MINUTE_MS, "20.00")
    a_day.order("LESS", "C", NOON, NOON + 20 * MINUTE_MS + 1, "9.00")
    found = a_day.figure("energy")
    assert (found.right, found.loose, [one.key for one in found.offenders]) == (1, 1, ["LESS"])
    assert found.offenders[0].detail == "computed, no sample behind its end"


def test_samples_on_one_side_of_an_order_alone_are_none_of_it(a_day: Day) -> None:
    a_day.samples("C", (NOON - 2 * HOUR_MS, 0))
    a_day.order("O", "C", NOON, NOON + HOUR_MS, "5.00")
    assert [one.found for one in a_day.figure("energy").offenders] == ["no samples"]


def test_charges_over_midnight_and_over_several_days(a_day: Day) -> None:
    """Of a day are those that ended on it."""
    for seq, started, hours in (("IN", -3, 4), ("LONG", -50, 55), ("OUT", 23, 2)):
        ended = (started + hours) * HOUR_MS
        a_day.samples(seq, *charging(started * HOUR_MS, ended))
        a_day.order(seq, seq, started * HOUR_MS, ended, str(POWER_W * hours // 1000))
    assert right(a_day.figure("energy"), 2)
    a_day.order("WRONG", "IN", -2 * HOUR_MS, HOUR_MS - 1, "100")
    assert [one.key for one in a_day.figure("energy").offenders] == ["WRONG"]


def test_an_end_just_before_midnight(a_day: Day) -> None:
    """The sample behind it is the next day's."""
    ended = 24 * HOUR_MS - 2_000
    a_day.samples("C", *charging(ended - 20 * MINUTE_MS, ended))
    a_day.order("O", "C", ended - 20 * MINUTE_MS, ended, "20.00")
    assert right(a_day.figure("energy"), 1)


def test_a_register_that_is_reset_in_the_charge(a_day: Day) -> None:
    samples = charging(NOON, NOON + 20 * MINUTE_MS)
    half = NOON + 10 * MINUTE_MS
    fell = next(wh for ms, wh in samples if ms > half)
    a_day.samples("C", *((ms, wh if ms <= half else wh - fell) for ms, wh in samples))
    # From the last sample before the fall to the first behind it nothing is known to have risen.
    a_day.order("O", "C", NOON, NOON + 20 * MINUTE_MS, "19.83", flags=["meter_backwards"])
    assert right(a_day.figure("energy"), 1)
    a_day.order("O2", "C", NOON + 1, NOON + 20 * MINUTE_MS, "1000", flags=["meter_backwards"])
    (offender,) = a_day.figure("energy").offenders
    assert offender.detail == "computed, meter_backwards"


def test_what_came_twice_changes_nothing(a_day: Day, database: Database) -> None:
    for n in range(3):
        a_day.charge(f"O{n}", f"C{n}", NOON + n * HOUR_MS)
    a_day.charge("WRONG", "C9", NOON, kwh="25.00")
    once = a_day.audited().figures
    for table in ("telemetry", "orders"):
        database.client.run(f"INSERT INTO {table} SELECT * FROM {table}")
    assert a_day.audited().figures == once


def test_an_order_that_was_billed_later_counts_as_billed(a_day: Day) -> None:
    a_day.charge("O", "C", NOON, kwh="25.00", billed=True)
    a_day.order("O", "C", NOON, NOON + 20 * MINUTE_MS, "20.00")
    (offender,) = a_day.figure("energy").offenders
    assert (offender.found, offender.detail) == ("25.00 kWh", "billed")


def test_registers_that_are_none_are_passed_over(a_day: Day) -> None:
    a_day.charge("O", "C", NOON)
    a_day.samples("C", (NOON + MINUTE_MS, -5), (NOON + 2 * MINUTE_MS, 10**15))
    assert right(a_day.figure("energy"), 1)


def test_only_the_worst_are_told(a_day: Day) -> None:
    for n in range(12):
        a_day.order(f"O{n}", "C", NOON, NOON + HOUR_MS, f"{n + 1}.00")
    found = a_day.figure("energy", scale=Scale(worst=3))
    assert (found.wrong, [one.key for one in found.offenders]) == (12, ["O11", "O10", "O9"])
    assert len(a_day.figure("energy", scale=Scale(worst=2**31)).offenders) == 12


def test_samples_that_are_too_old_to_be_there(database: Database) -> None:
    old = Day(database, DAY - timedelta(days=SAMPLES_KEPT_DAYS))
    old.order("O", "C", NOON, NOON + HOUR_MS, "5.00")
    found = old.figure("energy")
    assert (found.checked, found.note) == (0, "samples of that day are gone: they are kept for 90 days")


def test_that_is_for_how_long_they_are_kept() -> None:
    sql = Path("infra/clickhouse/0001_create_telemetry.sql").read_text(encoding="utf-8")
    assert f"TTL toDateTime(sampled_at) + INTERVAL {SAMPLES_KEPT_DAYS} DAY" in sql


def test_of_a_day_that_is_not_over(a_day: Day) -> None:
    """What ended in the last ten minutes may not have all its samples yet."""
    a_day.charge("EARLY", "C1", NOON)
    a_day.charge("LATE", "C2", NOON + HOUR_MS, kwh="99.00")
    found = a_day.audited(now=a_day.at(NOON + HOUR_MS + 25 * MINUTE_MS))
    assert right(found.figures[0], 1)
    assert not found.is_whole
    assert found.until == a_day.at(NOON + HOUR_MS + 15 * MINUTE_MS)
    assert wh_between(NOON, NOON + 20 * MINUTE_MS) == 20_000
