"""Reads a catalog in CSV: a row for each connector, with its station's and its equipment's columns repeated.

Rows may come in any order. Whether values are right is not decided here, only that repeats agree.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields

from infra.catalog.entries import CONNECTOR_PREFIX, EQUIPMENT_PREFIX, Entry, column, value_fields
from infra.catalog.faults import Faults, meant, quoted
from infra.catalog.tariff_text import periods
from schemas.records.station import Connector, Equipment, Station

_TARIFF = "tariff"
_RECORDS: tuple[tuple[str, str, type], ...] = (
    ("", "station_id", Station),
    (EQUIPMENT_PREFIX, "equipment_id", Equipment),
    (CONNECTOR_PREFIX, "connector_id", Connector),
)

#: Every column, as `evcs catalog sample --csv` has them.
COLUMNS = tuple(
    column(prefix, name)
    for prefix, _, record in _RECORDS
    for name in (*value_fields(record), *([_TARIFF] if record is Station else []))
)

_NEEDED = tuple(
    column(prefix, declared.name)
    for prefix, _, record in _RECORDS
    for declared in fields(record)
    if declared.default is MISSING and column(prefix, declared.name) in COLUMNS
)


@dataclass(frozen=True, slots=True)
class _Level:
    """What of a row is the station's, the equipment's or the connector's: which cell, by field."""

    prefix: str
    id_field: str
    index: dict[str, int]

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        return {name: row[index].strip() for name, index in self.index.items()}


@dataclass(slots=True)
class _Group:
    """The rows of one station, equipment or connector: what the first of them says, and what is inside."""

    line: int
    cells: dict[str, str]
    inner: "dict[str, _Group]" = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"line {self.line}"


def entries(text: str, faults: Faults) -> Iterator[Entry]:
    """The file's stations, in the order of their first rows; what does not fit together is noted."""
    rows = _rows(text, faults)
    header = [name.strip() for name in next(rows, (1, []))[1]]
    levels = _levels(header, faults)
    if levels is None:
        return
    stations: dict[str, _Group] = {}
    for line, row in rows:
        if len(row) != len(header):
            faults.add(f"line {line}", "", f"has {len(row)} cells, the header has {len(header)}")
        else:
            _take(line, row, levels, stations, faults)
    if not stations and not faults.count:
        faults.add("", "", "has no stations: there is no row below the header")
    for station in stations.values():
        yield _station(station, faults)


def _rows(text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank with its first line, without empty cells behind the header's last."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, width = 1, 0
    try:
        for row in reader:
            if any(map(str.strip, row)):
                while row and len(row) > width and not row[-1].strip():
                    row.pop()
                width = width or len(row)
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        faults.add(f"line {line}", "", f"is no CSV: {error}")


def _levels(header: list[str], faults: Faults) -> list[_Level] | None:
    """Where each column is; None if the header is wrong, which is noted."""
    before = faults.count
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        faults.add("line 1", "", "has one column: columns are separated by commas")
        return None
    for name in sorted(set(header)):
        if name not in COLUMNS:
            faults.add("line 1", name or "a column", f"is no column here{meant(name, COLUMNS)}")
        elif header.count(name) > 1:
            faults.add("line 1", name, "is a column twice")
    for name in _NEEDED:
        if name not in header:
            faults.add("line 1", name, "is missing: it must be a column")
    if faults.count > before:
        return None
    index = {name: position for position, name in enumerate(header)}
    levels = []
    for prefix, id_field, record in _RECORDS:
        names = (*value_fields(record), *([_TARIFF] if record is Station else []))
        there = {name: index[column(prefix, name)] for name in names if column(prefix, name) in index}
        levels.append(_Level(prefix, id_field, there))
    return levels


def _take(line: int, row: list[str], levels: list[_Level], stations: dict[str, _Group], faults: Faults) -> None:
    """Puts a row's connector into its equipment and station."""
    groups = stations
    for level in levels:
        cells = level.cells(row)
        # A row without the id, which is noted later, is by itself; and no two rows are one connector.
        known = cells[level.id_field] if level.prefix != CONNECTOR_PREFIX else ""
        group = groups.setdefault(known or f"line {line}", _Group(line, cells))
        for name, cell in cells.items() if group.cells != cells else ():
            first = group.cells[name]
            if cell != first:
                reason = f"is {quoted(cell)}, and {quoted(first)} at {group.place} for the same {level.id_field}"
                faults.add(f"line {line}", column(level.prefix, name), reason)
        groups = group.inner


def _station(group: _Group, faults: Faults) -> Entry:
    values: dict[str, object] = {**group.cells, "pictures": group.cells.get("pictures", "").split()}
    tariff = periods(group.place, str(values.pop(_TARIFF)), faults)
    return Entry(group.place, values, [_equipment(inner) for inner in group.inner.values()], tariff)


def _equipment(group: _Group) -> Entry:
    connectors = [Entry(inner.place, inner.cells, prefix=CONNECTOR_PREFIX) for inner in group.inner.values()]
    return Entry(group.place, group.cells, connectors, prefix=EQUIPMENT_PREFIX)
