"""The alphabet of the field tables: one checker per type of the standard, and the table that joins them.

A checker takes the parsed value (numbers still as literal text), returns the value to keep, or raises FlawsError.
Tables are compiled once; checking a good payload allocates only the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.simulator.platform.errors import Flaw, FlawsError, Kind
from infra.simulator.platform.wire_json import DecimalText, IntText, Payload

Check = Callable[[object], Any]

MAX_DIGITS = 18
"""No number of the standard is longer: a longer one is an attack on the converter, not an amount."""

_PLAIN_DECIMAL = re.compile(r"-?[0-9]+\.([0-9]+)")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


def flawed(kind: Kind, message: str) -> FlawsError:
    """The error for the value at hand; the enclosing table adds the field's name."""
    return FlawsError([Flaw(kind, "", message)])


def text(longest: int, *, empty: bool = False) -> Check:
    """A string of 1 to `longest` characters; `empty` allows the empty one too."""

    def check(value: object) -> str:
        if type(value) is not str:
            raise flawed(Kind.TYPE, "must be a string")
        if len(value) > longest:
            raise flawed(Kind.LENGTH, f"{len(value)} characters, at most {longest}")
        if not value and not empty:
            raise flawed(Kind.LENGTH, "must not be empty")
        return value

    return check


def whole(lowest: int = 0, highest: int | None = None) -> Check:
    """An integer printed without a fraction, within the bounds."""

    def check(value: object) -> int:
        if type(value) is not IntText:
            raise flawed(Kind.TYPE, "must be an integer")
        if len(value) > MAX_DIGITS:
            raise flawed(Kind.RANGE, "too many digits")
        number = int(value)
        if number < lowest or (highest is not None and number > highest):
            raise flawed(Kind.RANGE, f"{number} is outside {lowest}..{'' if highest is None else highest}")
        return number

    return check


def choice(*values: int) -> Check:
    """An integer out of an enumeration."""
    known = {IntText(value): value for value in values}

    def check(value: object) -> int:
        if type(value) is not IntText:
            raise flawed(Kind.TYPE, "must be an integer")
        number = known.get(value)
        if number is None:
            raise flawed(Kind.ENUM, f"{value[:MAX_DIGITS]} is not one of {', '.join(known)}")
        return number

    return check


def fixed(scale: int) -> Check:
    """A non-negative amount printed with exactly `scale` decimals (0.90, never 0.9)."""

    def check(value: object) -> Decimal:
        if type(value) is not DecimalText and type(value) is not IntText:
            raise flawed(Kind.TYPE, "must be a number")
        if len(value) > MAX_DIGITS:
            raise flawed(Kind.RANGE, "too many digits")
        match = _PLAIN_DECIMAL.fullmatch(value)
        if match is None or len(match[1]) != scale:
            raise flawed(Kind.SCALE, f"{value} must have exactly {scale} decimals")
        number = Decimal(value)
        if number < 0:
            raise flawed(Kind.RANGE, f"{value} is negative")
        return number

    return check


def reading(lowest: int | None = None, highest: int | None = None, *, decimals: int = 2) -> Check:
    """A measured value whose decimals the standard leaves open: an integer or at most `decimals` of them."""

    def check(value: object) -> Decimal:
        if type(value) is not DecimalText and type(value) is not IntText:
            raise flawed(Kind.TYPE, "must be a number")
        match = _PLAIN_DECIMAL.fullmatch(value)
        if len(value) > MAX_DIGITS:
            raise flawed(Kind.RANGE, "too many digits")
        if type(value) is DecimalText and (match is None or len(match[1]) > decimals):
            raise flawed(Kind.SCALE, f"{value} must have at most {decimals} decimals")
        number = Decimal(value)
        if (lowest is not None and number < lowest) or (highest is not None and number > highest):
            raise flawed(Kind.RANGE, f"{value} is out of range")
        return number

    return check


def moment() -> Check:
    """A valid `yyyy-MM-dd HH:mm:ss`, kept as text: such texts compare like the times they name."""

    def check(value: object) -> str:
        if type(value) is not str:
            raise flawed(Kind.TYPE, "must be a string")
        if _MOMENT.fullmatch(value) is None:
            raise flawed(Kind.TIME, "must be yyyy-MM-dd HH:mm:ss")
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise flawed(Kind.TIME, "is not a date of the calendar") from None
        return value

    return check


def rows(table: Table, most: int) -> Check:
    """An array of objects, at most `most` of them."""
    return each(table.check, most)


def each(check_one: Check, most: int) -> Check:
    """An array, at most `most` long, of values that are each checked."""

    def check(value: object) -> list[Any]:
        if not isinstance(value, list):
            raise flawed(Kind.TYPE, "must be an array")
        if len(value) > most:
            raise flawed(Kind.LENGTH, f"{len(value)} elements, at most {most}")
        made: list[Any] = []
        flaws: list[Flaw] = []
        for index, item in enumerate(value):
            try:
                made.append(check_one(item))
            except FlawsError as error:
                flaws += [flaw.under(f"[{index}]") for flaw in error.flaws]
        if flaws:
            raise FlawsError(flaws)
        return made

    return check


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a table: the wire name, how its value is checked, and whether it must be there."""

    name: str
    check: Check
    mandatory: bool = True


class Table:
    """An object of the standard. `check` finds every flaw; unknown names are flaws unless tolerated."""

    __slots__ = ("_lines", "fields", "tolerated")

    def __init__(self, fields: Iterable[Field], tolerated: frozenset[str] = frozenset()) -> None:
        self.fields = tuple(fields)
        self.tolerated = tolerated
        self._lines = tuple((line.name, line.check, line.mandatory) for line in self.fields)

    def check(self, value: object) -> Payload:
        """The checked object in the order of the table; tolerated extras are left out."""
        if type(value) is not dict:
            raise flawed(Kind.TYPE, "must be an object")
        made: Payload = {}
        flaws: list[Flaw] = []
        met = 0
        for name, check, mandatory in self._lines:
            if name not in value:
                if mandatory:
                    flaws.append(Flaw(Kind.MISSING, name, "is mandatory"))
                continue
            met += 1
            try:
                made[name] = check(value[name])
            except FlawsError as error:
                flaws += [flaw.under(name) for flaw in error.flaws]
        if met != len(value):
            flaws += self._unknown(value)
        if flaws:
            raise FlawsError(flaws)
        return made

    def _unknown(self, value: Payload) -> list[Flaw]:
        known = {line.name for line in self.fields} | self.tolerated
        return [Flaw(Kind.UNKNOWN, name, "is not a field here") for name in value if name not in known]
