"""An audit as it is read."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.reconciliation.audit.figures import LEAST_PERCENT, Audit, Figure, Offender
from infra.audit_telling import as_json, lines

_ORDER = ("123456789260301090000000001", "C1")


def audit(*figures: Figure) -> Audit:
    return Audit(date(2026, 3, 1), datetime(2026, 3, 1, 16, tzinfo=UTC), True, figures)


def test_offenders_are_sentences() -> None:
    told = [
        ("contested, 60.02 CNY", "not contested", ""),
        ("no samples", "samples of 5.00 kWh", "billed"),
        ("never pushed", "confirmed", ""),
        ("not confirmed", "within 5 s", "made at 16:00"),
    ]
    offenders = tuple(Offender(*_ORDER, expected, found, detail, Decimal(1)) for found, expected, detail in told)
    _, _, *shown = lines(audit(Figure("undisputed", 9, 5, offenders)), LEAST_PERCENT)
    assert [line.partition(" at C1: ")[2] for line in shown] == [
        "contested, 60.02 CNY, expected not contested",
        "no samples, expected samples of 5.00 kWh (billed)",
        "never pushed, expected confirmed",
        "not confirmed, expected within 5 s (made at 16:00)",
    ]


def test_how_many_were_judged_loosely_is_told() -> None:
    found = audit(Figure("energy", 92, 92, loose=3), Figure("sums", 92, 92))
    _, energy, sums = lines(found, LEAST_PERCENT)
    assert energy.endswith("100.0000 %  judged loosely: 3")
    assert sums.endswith("100.0000 %")
    assert [figure["loose"] for figure in json.loads(as_json(found, LEAST_PERCENT))["figures"]] == [3, 0]
