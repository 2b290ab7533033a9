"""Reads a catalog in JSON: `{"stations": […]}`, nested as the record is. Whether values are right, others decide."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from infra.catalog.entries import Entry
from infra.catalog.faults import Faults, meant

_STATIONS = "stations"

#: The lists inside an object, by the list that it is in.
_LISTS = {_STATIONS: ("tariff", "equipment"), "equipment": ("connectors",)}

#: What a station may say and is not asked, since it follows from what is on the topic.
_CHANGED_AT = "changed_at"

#: Longer numbers are read as decimals, since Python takes none of over 4,300 digits for an int.
_INT_DIGITS = 18


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys came twice."""

    twice: tuple[str, ...] = ()


def entries(text: str, faults: Faults) -> Iterator[Entry]:
    """The file's stations, one after the other; what is no list and no object is noted."""
    try:
        root = _decoder.decode(text)
    except RecursionError:
        faults.add("", "", "is nested too deep")
        return
    except ValueError as error:
        faults.add("", "", f"is not JSON: {error}")
        return
    if not isinstance(root, _Object):
        faults.add("", "", f'is no JSON object: it must be {{"{_STATIONS}": […]}}')
        return
    _told_twice("", root, faults)
    for name in sorted(root.keys() - {_STATIONS}):
        faults.add("", name, f"is no field here{meant(name, (_STATIONS,))}")
    stations = _objects("", root, _STATIONS, faults)
    if stations is not None and not stations:
        faults.add("", _STATIONS, "has none: at least one is needed")
    for place, station in stations or ():
        yield _entry(place, station, _STATIONS, faults)


def _entry(place: str, raw: _Object, kind: str, faults: Faults) -> Entry:
    """An object of the list `kind`, with what is inside."""
    _told_twice(place, raw, faults)
    inner: dict[str, Sequence[Entry] | None] = {}
    for name in _LISTS.get(kind, ()):
        found = _objects(place, raw, name, faults)
        inner[name] = None if found is None else [_entry(at, value, name, faults) for at, value in found]
    no_values = (*inner, _CHANGED_AT) if kind == _STATIONS else inner
    return Entry(
        place=place,
        values={name: value for name, value in raw.items() if name not in no_values},
        parts=inner.get("equipment", inner.get("connectors", ())),
        tariff=inner.get("tariff", ()),
    )


def _objects(place: str, raw: _Object, name: str, faults: Faults) -> list[tuple[str, _Object]] | None:
    """The objects of a list, each with its place; None if it is none."""
    found = raw.get(name)
    if not isinstance(found, list):
        faults.add(place, name, "is missing" if found is None else "is no list")
        return None
    at = f"{place}.{name}" if place else name
    objects: list[tuple[str, _Object]] = []
    for index, value in enumerate(found):
        if isinstance(value, _Object):
            objects.append((f"{at}[{index}]", value))
        else:
            faults.add(f"{at}[{index}]", "", "is no object")
    return objects if objects or not found else None


def _told_twice(place: str, raw: _Object, faults: Faults) -> None:
    for name in raw.twice:
        faults.add(place, name, "comes twice")


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        found.twice = tuple(sorted(name for name, count in counted.items() if count > 1))
    return found


def _decimal(digits: str) -> Decimal:
    """The number, or one that is none, which its field's rule refuses with the place."""
    try:
        return Decimal(digits)
    except ArithmeticError:
        return Decimal("NaN")


def _int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _INT_DIGITS else _decimal(digits)


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_int, parse_constant=lambda name: Decimal(name)
)
