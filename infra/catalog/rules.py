"""What a value in a catalog's file must be, and how it is read: one rule for each kind of field.

A rule takes what JSON gives (text, int, Decimal, list …) or CSV's text, and raises Wrong with the reason.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from infra.catalog.faults import quoted

Rule = Callable[[object], Any]

#: The record's whole numbers have 32 bits.
WHOLE_MAX = 2**31 - 1

#: The protocol sets no bounds on Pictures; a station's record must stay small.
PICTURES_MAX = 20
PICTURE_MAX = 500

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHORTENED_NUMBER = re.compile(r"[0-9.,]+E\+[0-9]+")
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


class Wrong(Exception):
    """The value can't be taken; the message says why."""


def text(longest: int) -> Rule:
    """Words for people, of so many characters at most."""

    def read(value: object) -> str:
        words = _text(value)
        if len(words) > longest:
            raise Wrong(f"has {len(words)} characters, {longest} are allowed")
        return words

    return read


def identifier(longest: int) -> Rule:
    """An id: no blanks in it, and not what spreadsheets make of long numbers."""
    words = text(longest)

    def read(value: object) -> str:
        name: str = words(value)
        if _SHORTENED_NUMBER.fullmatch(name):
            raise Wrong(f"{quoted(name)} is a number that a spreadsheet has shortened: make the column text")
        if " " in name or not name.isprintable():
            raise Wrong(f"{quoted(name)} has blanks or invisible characters in it")
        return name

    return read


def spelled(pattern: str, needed: str) -> Rule:
    """Text of this form; `needed` says which that is."""
    form = re.compile(pattern)

    def read(value: object) -> str:
        words = _text(value)
        if not form.fullmatch(words):
            raise Wrong(f"{quoted(words)} is not {needed}")
        return words

    return read


def whole(least: int, most: int = WHOLE_MAX) -> Rule:
    """A whole number from `least` to `most`."""

    def read(value: object) -> int:
        number = _whole(value)
        if not least <= number <= most:
            raise Wrong(f"{quoted(number)} is not {least} to {most}")
        return number

    return read


def one_of(*numbers: int) -> Rule:
    """One of the numbers that the protocol lists."""

    def read(value: object) -> int:
        number = _whole(value)
        if number not in numbers:
            raise Wrong(f"{quoted(number)} is none of {', '.join(map(str, numbers))}")
        return number

    return read


def decimal(least: str, most: str, places: int, above: bool = False) -> Rule:
    """A number from `least` (or `above` it) to `most` with so many decimals at most, given those it lacks."""
    low, high, quantum = Decimal(least), Decimal(most), Decimal((0, (1,), -places))
    needed = f"above {least} and at most {most}" if above else f"{least} to {most}"

    def read(value: object) -> Decimal:
        number = _decimal(value)
        if not low <= number <= high or (above and number == low):
            raise Wrong(f"{quoted(value)} is not {needed}")
        exact = number.quantize(quantum)
        if exact != number:
            raise Wrong(f"{quoted(value)} has more than {places} decimal{'s' if places > 1 else ''}")
        return exact

    return read


def day(value: object) -> str:
    """A date, `yyyy-MM-dd`."""
    words = _text(value)
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words) and date.fromisoformat(words):
            return words
    except ValueError:
        pass
    raise Wrong(f"{quoted(words)} is no date: yyyy-MM-dd is needed")


def pictures(value: object) -> tuple[str, ...]:
    """Addresses of images."""
    if not isinstance(value, list):
        raise Wrong("is no list of addresses")
    if len(value) > PICTURES_MAX:
        raise Wrong(f"has {len(value)} addresses, {PICTURES_MAX} are allowed")
    return tuple(map(identifier(PICTURE_MAX), value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{quoted(value)} is no text: put it in quotes")
    if _CONTROL.search(value.strip()):
        raise Wrong(f"{quoted(value)} has a line break or another control character in it")
    return value.strip()


def _whole(value: object) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Wrong(f"{quoted(value)} is no whole number")


def _decimal(value: object) -> Decimal:
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite():
            return number
    raise Wrong(f"{quoted(value)} is no number")
