"""Rates: exact, never rounded up, and what is enough."""

from decimal import Decimal

import pytest

from connectors.reconciliation.audit.figures import LEAST_PERCENT, Figure


@pytest.mark.parametrize(
    ("checked", "right", "percent", "meets"),
    [
        (0, 0, None, True),
        (1, 1, "100.0000", True),
        (10_000, 9_999, "99.9900", True),
        (9_999, 9_998, "99.9899", False),
        (10_000_000, 9_999_999, "99.9999", True),
        (3, 2, "66.6666", False),
        (1, 0, "0.0000", False),
    ],
)
def test_rates(checked: int, right: int, percent: str | None, meets: bool) -> None:
    figure = Figure("sums", checked, right)
    assert figure.percent == (None if percent is None else Decimal(percent))
    assert figure.meets(LEAST_PERCENT) == meets
    assert figure.wrong == checked - right
