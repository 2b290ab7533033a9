"""Reads a catalog's file as a whole: its bytes, its form by its ending, and every station in it, or every fault."""

from collections.abc import Callable, Iterator
from pathlib import Path

from infra.catalog import csv_file, json_file
from infra.catalog.checking import Checker
from infra.catalog.entries import Entry
from infra.catalog.errors import BadCatalog
from infra.catalog.faults import Fault, Faults
from infra.catalog.tables import Tables
from schemas.codec import Codec
from schemas.records.station import Station

#: A catalog of a million connectors is some 200 MB; what is larger is another file.
FILE_MAX_BYTES = 256 * 1024 * 1024

_FORMS: dict[str, Callable[[str, Faults], Iterator[Entry]]] = {".json": json_file.entries, ".csv": csv_file.entries}


def read_catalog(file: Path, tables: Tables, codec: Codec, tell: Callable[[int], None]) -> list[Station]:
    """The file's stations in its order, with `changed_at` 0. `tell` is told how many are checked.

    Raises BadCatalog with everything that is wrong.
    """
    read = _FORMS.get(file.suffix.lower())
    if read is None:
        raise BadCatalog(file, [Fault("", "", "must end with .json or .csv, by which its form is known")], 1)
    faults = Faults()
    checker = Checker(tables, codec, faults)
    stations = []
    for number, entry in enumerate(read(_text(file), faults), 1):
        station = checker.station(entry)
        if station is not None:
            stations.append(station)
        tell(number)
    if faults.count:
        raise BadCatalog(file, faults.told, faults.count)
    return stations


def _text(file: Path) -> str:
    """The file's text. Raises BadCatalog."""
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_MAX_BYTES + 1)
        if len(content) > FILE_MAX_BYTES:
            reason = f"is larger than {FILE_MAX_BYTES // 1024**2} MB, which no catalog is"
        elif not content.strip():
            reason = "is empty"
        else:
            return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 (byte {error.start}): save it as UTF-8, in a spreadsheet as CSV UTF-8"
    except OSError as error:
        reason = f"can't be read: {error.strerror}"
    raise BadCatalog(file, [Fault("", "", reason)], 1)
