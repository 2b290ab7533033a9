"""An audit as people and programs read it: lines, one JSON object, or its offenders as CSV."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal

from connectors.reconciliation.audit.figures import Audit, Figure

#: What each comparison compares, in the words of who reads it.
TITLES = {
    "energy": "orders against telemetry",
    "sums": "details against totals",
    "confirmed": "pushes confirmed",
    "in_time": "… within the deadline",
    "undisputed": "orders not contested",
    "statistics": "statistics against orders",
}

_COLUMNS = ("comparison", "platform", "interface", "key", "connector_id", "expected", "found", "off", "detail")


def lines(audit: Audit, least_percent: Decimal, offenders: bool = True) -> Iterator[str]:
    """A line a comparison, each with its offenders below, or without."""
    until = "" if audit.is_whole else f", what ended before {audit.until:%Y-%m-%d %H:%M} UTC"
    yield f"audit of {audit.day}, Beijing time{until}"
    for figure in audit.figures:
        yield _rate(figure, least_percent)
        if offenders:
            yield from _offenders(figure)
    if not audit.checked:
        yield "there is nothing to compare"


def _offenders(figure: Figure) -> Iterator[str]:
    for one in figure.offenders:
        at = "" if one.connector_id == one.key else f" at {one.connector_id}"
        detail = f" ({one.detail})" if one.detail else ""
        yield f"    {one.key}{at}: {one.found}, expected {one.expected}{detail}"
    if figure.wrong > len(figure.offenders):
        yield f"    and {figure.wrong - len(figure.offenders)} more: --all shows them"


def as_json(audit: Audit, least_percent: Decimal) -> str:
    """All of it as one object; decimals are texts."""
    told = {
        "day": audit.day.isoformat(),
        "until": audit.until.isoformat(),
        "whole": audit.is_whole,
        "least_percent": str(least_percent),
        "meets": audit.meets(least_percent),
        "figures": [
            {**asdict(figure), "percent": figure.percent, "meets": figure.meets(least_percent)}
            for figure in audit.figures
        ],
    }
    return json.dumps(told, ensure_ascii=False, default=str)


def as_csv(audit: Audit) -> str:
    """Its offenders, a line each behind the names of the columns."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for figure in audit.figures:
        for one in figure.offenders:
            of_figure = {
                "comparison": figure.comparison,
                "platform": figure.platform,
                "interface": figure.interface,
            }
            writer.writerow(of_figure | asdict(one))
    return out.getvalue()


def _rate(figure: Figure, least_percent: Decimal) -> str:
    whose = " ".join(part for part in (figure.platform, figure.interface) if part)
    what = f"{TITLES[figure.comparison]:26}  {whose:48}"
    if figure.percent is None:
        return f"{what}  nothing to compare{f': {figure.note}' * bool(figure.note)}"
    below = "" if figure.meets(least_percent) else f"  below {least_percent} %"
    loose = f"  judged loosely: {figure.loose:,}" if figure.loose else ""
    return f"{what}  {figure.right:>9,} of {figure.checked:>9,}  {figure.percent:>8} %{below}{loose}"
