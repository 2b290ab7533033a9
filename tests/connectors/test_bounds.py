"""The bounds of a profile's settings at their edges."""

import math

import pytest

from connectors.bounds import (
    RUNG_MAX_S,
    RUNGS_MAX,
    BadSettings,
    is_base,
    is_ladder,
    is_path,
    is_placeholder,
    is_positive,
    is_prefix,
    require,
)


@pytest.mark.parametrize("rungs", [(1,), (RUNG_MAX_S,), (15, 15, 30), tuple(range(1, RUNGS_MAX + 1))])
def test_ladders(rungs: tuple[int, ...]) -> None:
    assert is_ladder(rungs)


@pytest.mark.parametrize("rungs", [(), (0,), (-1,), (RUNG_MAX_S + 1,), (2, 1), tuple(range(1, RUNGS_MAX + 2))])
def test_what_is_no_ladder(rungs: tuple[int, ...]) -> None:
    assert not is_ladder(rungs)


@pytest.mark.parametrize(("value", "holds"), [(0.1, True), (5, True), (5.1, False), (0, False), (-1, False)])
def test_positive(value: float, holds: bool) -> None:
    assert is_positive(value, 5) is holds


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_positive(value: float) -> None:
    assert not is_positive(value)


@pytest.mark.parametrize(
    ("text", "holds"), [("A_", True), ("EVCS_1_", True), ("_A_", False), ("A", False), ("", False)]
)
def test_prefixes(text: str, holds: bool) -> None:
    assert is_prefix(text) is holds


@pytest.mark.parametrize("text", ["check_charge_order", "v2/status", "status.do"])
def test_paths(text: str) -> None:
    assert is_path(text)


@pytest.mark.parametrize(
    "text", ["", "/a", "a/", "a//b", "..", "../a", "a/../b", "a b", "a?b", "a#b", "http://x", "a\n"]
)
def test_what_is_no_path(text: str) -> None:
    assert not is_path(text)


@pytest.mark.parametrize("address", ["http://a/", "https://a.test:8443/evcs/v1.0/", "http://[::1]:80/"])
def test_bases(address: str) -> None:
    assert is_base(address)


@pytest.mark.parametrize(
    "address",
    [
        *("http://a", "ftp://a/", "http://a:0/", "http://a:x/", "http://a/?b/", "a/", "http:///"),
        *("http://256.1.1.1/", "http://xn--/", "http://☃.cn/", "http://a/\x01/", f"http://a/{'x' * 70_000}/"),
    ],
)
def test_what_is_no_base(address: str) -> None:
    assert not is_base(address)


@pytest.mark.parametrize("address", ["http://chengdu.invalid/evcs/", "https://INVALID:80/"])
def test_placeholders(address: str) -> None:
    assert is_placeholder(address)


@pytest.mark.parametrize("address", ["http://invalid.test/", "http://city.test/chengdu.invalid/", "http://notinvalid/"])
def test_what_is_no_placeholder(address: str) -> None:
    assert not is_placeholder(address)


def test_every_claim_that_does_not_hold_is_told() -> None:
    require((True, "a", "x"))
    with pytest.raises(BadSettings) as caught:
        require((False, "a", "is bad"), (True, "b", "is good"), (False, "c", "is worse"))
    assert caught.value.faults == (("a", "is bad"), ("c", "is worse"))
    assert str(caught.value) == "a is bad; c is worse"
