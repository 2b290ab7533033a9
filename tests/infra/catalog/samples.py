"""The sample catalog, to be spoilt in single places, and reading what came of it."""

import csv
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.errors import BadCatalog
from infra.catalog.file import read_catalog
from infra.catalog.tables import tables
from schemas.codec import codec_for
from schemas.records.station import Station

CODEC = codec_for("")


def sample_text(ending: str) -> str:
    """The shipped sample."""
    return (files("infra.catalog") / f"sample.{ending}").read_text(encoding="utf-8")


def catalog() -> dict[str, Any]:
    """The sample's JSON."""
    found: dict[str, Any] = json.loads(sample_text("json"))
    return found


def rows() -> list[dict[str, str]]:
    """The sample's CSV, row by row."""
    return list(csv.DictReader(io.StringIO(sample_text("csv"))))


def csv_of(table: list[dict[str, str]]) -> str:
    """Rows as CSV, with the first one's columns."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(table[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def read(file: Path, content: str | bytes | dict[str, Any]) -> list[Station]:
    """What is in a file of this content."""
    if isinstance(content, dict):
        content = json.dumps(content)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_catalog(file, tables(), CODEC, lambda _: None)


def faults_of(file: Path, content: str | bytes | dict[str, Any]) -> list[str]:
    """What is told of a bad file: `place: field: reason` each."""
    with pytest.raises(BadCatalog) as caught:
        read(file, content)
    bad = caught.value
    assert bad.count >= len(bad.faults)
    return [str(fault) for fault in bad.faults]
