"""Pushes against orders: to whom they are owed, what counts as confirmed, as in time, and as contested."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.platform import Platform
from connectors.policies import Scope
from connectors.reconciliation.audit.figures import Figure
from tests.connectors.reconciliation.audit.day import BONUS, CITY, HOUR_MS, OWN, STATION, Day

pytestmark = pytest.mark.clickhouse

NOON = 12 * HOUR_MS
#: An order is made half a minute behind its end.
MADE = NOON + 30_000


def orders(a_day: Day, *seqs: str, **changed: Any) -> None:
    for seq in seqs:
        a_day.order(seq, "C1", NOON - HOUR_MS, NOON, "20.00", **{"charge_model": 2, **changed})


def counts(figure: Figure) -> tuple[int, int]:
    return figure.checked, figure.right


def keys(figure: Figure) -> list[str]:
    return [one.key for one in figure.offenders]


def in_scope(**scope: Any) -> Platform:
    return replace(CITY, scope=Scope(**scope))


def test_all_confirmed_and_in_time(a_day: Day) -> None:
    orders(a_day, "A", "B", "C")
    for seq in "ABC":
        a_day.attempt(seq, MADE, 200)
    for comparison in ("confirmed", "in_time"):
        figure = a_day.figure(comparison, CITY, interface=BONUS)
        assert (counts(figure), figure.platform, figure.percent) == ((3, 3), "beijing", Decimal(100))
    assert counts(a_day.figure("undisputed", CITY)) == (3, 3)


def test_what_was_not_confirmed(a_day: Day) -> None:
    orders(a_day, "DONE", "NEVER", "LADDER", "DEAD")
    a_day.attempt("DONE", MADE, 200)
    a_day.attempt("LADDER", MADE, 200, "LADDER", error="busy")
    a_day.attempt("LADDER", MADE, 150_000, "LADDER", attempt=2, error="no answer")
    a_day.attempt("DEAD", MADE, 200, "DEAD_LETTER", error="Ret 4004")
    figure = a_day.figure("confirmed", CITY, interface=BONUS)
    assert counts(figure) == (4, 1)
    told = {one.key: (one.found, one.detail) for one in figure.offenders}
    assert told["NEVER"] == ("never pushed", "")
    assert told["LADDER"][0] == "LADDER" and told["LADDER"][1].startswith("2 attempts, the last at ")
    assert told["LADDER"][1].endswith(" UTC: no answer")
    assert told["DEAD"][0] == "DEAD_LETTER" and told["DEAD"][1].endswith("Ret 4004")
    late = a_day.figure("in_time", CITY, interface=BONUS)
    assert (counts(late), set(keys(late))) == ((4, 1), {"NEVER", "LADDER", "DEAD"})


def test_within_the_deadline_from_when_the_order_was_made(a_day: Day) -> None:
    orders(a_day, "JUST", "LATE", "REPEATED")
    a_day.attempt("JUST", MADE, 150_000)
    a_day.attempt("LATE", MADE, 150_001)
    a_day.attempt("REPEATED", MADE, 200, "LADDER")
    a_day.attempt("REPEATED", MADE, 151_500, attempt=2)
    a_day.attempt("REPEATED", MADE, 500_000, attempt=3)
    assert counts(a_day.figure("confirmed", CITY, interface=BONUS)) == (3, 3)
    figure = a_day.figure("in_time", CITY, interface=BONUS)
    assert (counts(figure), keys(figure)) == ((3, 1), ["REPEATED", "LATE"])
    repeated, late = figure.offenders
    assert (repeated.found, repeated.expected, repeated.off) == ("151.5 s", "within 150 s", Decimal("1.5"))
    assert (late.found, late.off) == ("150.001 s", Decimal("0.001"))


def test_each_interface_has_the_orders_of_its_charge_models(a_day: Day) -> None:
    orders(a_day, "OWN", charge_model=1)
    orders(a_day, "CARD")
    a_day.attempt("OWN", MADE, 200)
    a_day.attempt("CARD", MADE, 200)
    assert counts(a_day.figure("confirmed", CITY, interface=BONUS)) == (2, 2)
    own = a_day.figure("confirmed", CITY, interface=OWN)
    assert (counts(own), keys(own)) == ((1, 0), ["OWN"])
    a_day.attempt("OWN", MADE, 200, interface=OWN)
    assert counts(a_day.figure("confirmed", CITY, interface=OWN)) == (1, 1)


def test_an_interface_that_is_off_is_owed_nothing(a_day: Day) -> None:
    off = replace(CITY, interfaces={**CITY.interfaces, BONUS: replace(CITY.interfaces[BONUS], on=False)})
    assert BONUS not in {figure.interface for figure in a_day.audited(off).figures}


def test_another_platforms_confirmation_is_not_this_ones(a_day: Day) -> None:
    orders(a_day, "A")
    a_day.attempt("A", MADE, 200, platform="chengdu")
    assert counts(a_day.figure("confirmed", CITY, interface=BONUS)) == (1, 0)


def test_stations_that_the_profile_names(a_day: Day) -> None:
    orders(a_day, "IN")
    orders(a_day, "OUT", station_id="ELSEWHERE")
    figure = a_day.figure("confirmed", in_scope(stations=frozenset({STATION})), interface=BONUS)
    assert (counts(figure), keys(figure)) == ((1, 0), ["IN"])


def test_stations_that_only_the_catalog_knows(a_day: Day) -> None:
    """Where the platform was told of any connector, it is owed the station's orders."""
    area = in_scope(areas=("11",))
    a_day.samples("C1", (0, 0))
    a_day.samples("C2", (0, 0))
    a_day.samples("FAR", (0, 0), station="ELSEWHERE")
    orders(a_day, "A", "B")
    orders(a_day, "OUT", station_id="ELSEWHERE")
    assert counts(a_day.figure("confirmed", area, interface=BONUS)) == (0, 0)
    a_day.attempt("C2", NOON, 100, interface="notification_stationStatus", connector_id="C2")
    a_day.attempt("A", MADE, 200)
    figure = a_day.figure("confirmed", area, interface=BONUS)
    assert (counts(figure), keys(figure)) == ((2, 1), ["B"])


def test_a_contested_order_is_confirmed_and_told(a_day: Day) -> None:
    orders(a_day, "FINE", "BAD", "NIGHT", "UNTOLD")
    a_day.attempt("FINE", MADE, 200)
    a_day.attempt("BAD", MADE, 200, "CONTESTED")
    a_day.attempt("NIGHT", MADE, 200)
    a_day.dispute("BAD", MADE)
    a_day.dispute("NIGHT", 26 * HOUR_MS, code=3, interface="check_charge_orders", total_money=Decimal("9.00"))
    a_day.dispute("FINE", MADE, platform="chengdu")
    confirmed = a_day.figure("confirmed", CITY, interface=BONUS)
    assert (counts(confirmed), keys(confirmed)) == ((4, 3), ["UNTOLD"])
    figure = a_day.figure("undisputed", CITY)
    assert (counts(figure), keys(figure)) == ((3, 1), ["BAD", "NIGHT"])
    assert (
        figure.offenders[1].detail
        == f"check_charge_orders code 3 at {a_day.at(26 * HOUR_MS):%Y-%m-%d %H:%M:%S}.000 UTC"
    )


def test_lines_that_came_twice_count_once(a_day: Day) -> None:
    orders(a_day, "A")
    for _ in range(2):
        a_day.attempt("A", MADE, 200, "LADDER", error="busy")
        a_day.dispute("A", MADE)
    (offender,) = a_day.figure("confirmed", CITY, interface=BONUS).offenders
    assert offender.detail.startswith("1 attempts, ")
    (offender,) = a_day.figure("undisputed", CITY).offenders
    assert offender.detail.count("code 5") == 1
