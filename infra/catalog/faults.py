"""What is wrong in a catalog's file: all of it is counted, and the first of it kept to be told."""

import difflib
from dataclasses import dataclass
from functools import lru_cache

#: More than this nobody reads at once, and one slip in a spreadsheet can be in every row.
FAULTS_TOLD = 50

_QUOTED_MAX = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: a line of CSV or a path in JSON, "" for the whole file; the field, "" for all of it; the reason."""

    place: str
    field: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.field, self.reason) if part)


class Faults:
    """The faults of one file, in the order in which they are found."""

    def __init__(self) -> None:
        self.told: list[Fault] = []
        self.count = 0

    def add(self, place: str, field: str, reason: str) -> None:
        """Notes a fault."""
        self.count += 1
        if len(self.told) < FAULTS_TOLD:
            shown = field if field.isprintable() and len(field) <= _QUOTED_MAX else quoted(field)
            self.told.append(Fault(place, shown, reason))


def quoted(value: object) -> str:
    """A value of the file as a message quotes it, on one line and not for ever."""
    if isinstance(value, str):
        return repr(value if len(value) <= _QUOTED_MAX else f"{value[:_QUOTED_MAX]}…")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return str(value)[:_QUOTED_MAX]


@lru_cache(maxsize=1024)
def meant(name: str, known: tuple[str, ...]) -> str:
    """Behind an unknown name, which one may have been meant. Cached, since a slip is mostly made in every row."""
    close = difflib.get_close_matches(name, known, 1)
    return f"; was {close[0]} meant?" if close else ""
