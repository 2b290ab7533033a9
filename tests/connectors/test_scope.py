"""Which stations a platform supervises."""

import pytest

from connectors.policies import Scope
from connectors.scope import Verdict, Whereabouts, asks_catalog, judge

HERE = Whereabouts("123456789", "110105")
IN, OUT, UNKNOWN = Verdict.IN, Verdict.OUT, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("scope", "known", "unknown"),
    [
        (Scope(), IN, IN),
        (Scope(stations=frozenset({"S1"})), IN, IN),
        (Scope(stations=frozenset({"S2"})), OUT, OUT),
        (Scope(operators=frozenset({"123456789"})), IN, UNKNOWN),
        (Scope(operators=frozenset({"987654321"})), OUT, UNKNOWN),
        (Scope(areas=("11",)), IN, UNKNOWN),
        (Scope(areas=("110105",)), IN, UNKNOWN),
        (Scope(areas=("31", "1101")), IN, UNKNOWN),
        (Scope(areas=("31",)), OUT, UNKNOWN),
        (Scope(areas=("10",)), OUT, UNKNOWN),
        (Scope(operators=frozenset({"123456789"}), areas=("11",)), IN, UNKNOWN),
        (Scope(operators=frozenset({"987654321"}), areas=("11",)), OUT, UNKNOWN),
        (Scope(operators=frozenset({"123456789"}), areas=("31",)), OUT, UNKNOWN),
        (Scope(areas=("11",), stations=frozenset({"S1"})), IN, UNKNOWN),
        (Scope(areas=("11",), stations=frozenset({"S2"})), OUT, OUT),
        (Scope(areas=("31",), stations=frozenset({"S1"})), OUT, UNKNOWN),
    ],
    ids=str,
)
def test_every_list_that_is_not_empty_must_be_met(scope: Scope, known: Verdict, unknown: Verdict) -> None:
    assert judge(scope, "S1", HERE) is known
    assert judge(scope, "S1", None) is unknown


def test_an_area_code_that_is_not_given_is_in_no_area() -> None:
    assert judge(Scope(areas=("11",)), "S1", Whereabouts("123456789", "")) is OUT


@pytest.mark.parametrize(
    ("scopes", "asks"),
    [
        ([], False),
        ([Scope(), Scope(stations=frozenset({"S1"}))], False),
        ([Scope(), Scope(areas=("11",))], True),
        ([Scope(operators=frozenset({"123456789"}))], True),
    ],
)
def test_the_catalog_is_needed_for_operators_and_areas(scopes: list[Scope], asks: bool) -> None:
    assert asks_catalog(scopes) is asks
