"""Details against totals, to the cent."""

from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.reconciliation.audit.day import HOUR_MS, Day, periods

pytestmark = pytest.mark.clickhouse


def test_orders_whose_details_add_up(a_day: Day) -> None:
    for n in range(5):
        a_day.order(f"O{n}", "C", n * HOUR_MS, n * HOUR_MS + 1, "12.34")
    a_day.order("NOTHING", "C", 0, 1, "0.00", **periods())
    found = a_day.figure("sums")
    assert (found.checked, found.right, found.percent) == (6, 6, Decimal(100))


@pytest.mark.parametrize(
    ("changed", "expected", "found"),
    [
        ({"energy_kwh": Decimal("10.01")}, "energy 10.00", "energy 10.01"),
        ({"elec_money": Decimal("9.99"), "total_money": Decimal("14.99")}, "electricity 10.00", "electricity 9.99"),
        ({"service_money": Decimal("5.01"), "total_money": Decimal("15.01")}, "service 5.00", "service 5.01"),
        ({"total_money": Decimal("14.99")}, "total 15.00", "total 14.99"),
        (periods(), "energy 0.00, electricity 0.00, service 0.00", "energy 10.00, electricity 10.00, service 5.00"),
    ],
)
def test_what_does_not_add_up(a_day: Day, changed: dict[str, Any], expected: str, found: str) -> None:
    a_day.order("RIGHT", "C1", 0, HOUR_MS, "10.00")
    a_day.order("WRONG", "C2", 0, HOUR_MS, "10.00", **changed)
    (offender,) = a_day.figure("sums").offenders
    assert (offender.key, offender.connector_id, offender.expected, offender.found) == ("WRONG", "C2", expected, found)


def test_the_worst_come_first_and_say_whose_amounts_they_are(a_day: Day) -> None:
    a_day.order("CENT", "C", 0, HOUR_MS, "10.00", total_money=Decimal("15.01"))
    a_day.order("MILLION", "C", 0, HOUR_MS, "10.00", total_money=Decimal("999999999999.99"), billed=True, flags=["odd"])
    first, second = a_day.figure("sums").offenders
    assert (first.key, first.off, first.detail) == ("MILLION", Decimal("999999999984.99"), "billed, odd")
    assert (second.key, second.off, second.detail) == ("CENT", Decimal("0.01"), "computed")


def test_orders_of_other_days_are_theirs(a_day: Day) -> None:
    for ended in (-1, 24 * HOUR_MS):
        a_day.order(f"O{ended}", "C", ended - HOUR_MS, ended, "10.00", total_money=Decimal(1))
    assert a_day.figure("sums").checked == 0
    a_day.order("FIRST", "C", -HOUR_MS, 0, "10.00")
    a_day.order("LAST", "C", 0, 24 * HOUR_MS - 1, "10.00")
    assert a_day.figure("sums").right == 2
