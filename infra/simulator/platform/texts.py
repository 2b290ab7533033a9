"""Checkers of texts that have a form: codes, days of the calendar, times of day."""

from __future__ import annotations

import re
from datetime import date

from infra.simulator.platform.errors import Kind
from infra.simulator.platform.fields import Check, flawed

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def matching(pattern: str, what: str, kind: Kind = Kind.ENUM) -> Check:
    """A string that fully matches; `what` tells a reader of the flaw what it must be."""
    form = re.compile(pattern)

    def check(value: object) -> str:
        if type(value) is not str:
            raise flawed(Kind.TYPE, "must be a string")
        if form.fullmatch(value) is None:
            raise flawed(kind, f"must be {what}")
        return value

    return check


def organisation() -> Check:
    """An organisation's code: characters 9 to 17 of its 统一社会信用代码."""
    return matching(r"[0-9A-Z]{9}", "9 digits or capitals", Kind.LENGTH)


def time_of_day() -> Check:
    """A valid `HHmmss`, kept as text: such texts compare like the times they name."""
    return matching(r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]", "HHmmss", Kind.TIME)


def day() -> Check:
    """A valid `yyyy-MM-dd`, kept as text."""

    def check(value: object) -> str:
        if type(value) is not str:
            raise flawed(Kind.TYPE, "must be a string")
        if _DAY.fullmatch(value) is None:
            raise flawed(Kind.TIME, "must be yyyy-MM-dd")
        try:
            date.fromisoformat(value)
        except ValueError:
            raise flawed(Kind.TIME, "is not a date of the calendar") from None
        return value

    return check
