"""The shipped samples say the same, and everything that can be said."""

import json
from dataclasses import MISSING, fields, replace
from pathlib import Path

import msgspec
import pytest

from infra.catalog.csv_file import COLUMNS
from infra.catalog.entries import value_fields
from infra.catalog.tables import Table, tables
from schemas.records.station import Connector, Equipment, Station, TariffPeriod
from schemas.registry import SchemaVersion
from tests.infra.catalog.samples import catalog, read, sample_text
from tests.schemas.test_examples import example


def test_both_are_right_and_the_same(tmp_path: Path) -> None:
    from_json = read(tmp_path / "sample.json", sample_text("json"))
    from_csv = read(tmp_path / "sample.csv", sample_text("csv"))
    assert from_json == from_csv
    assert [station.station_id for station in from_json] == ["110105900001", "110108900002"]


def test_the_first_station_says_everything(tmp_path: Path) -> None:
    (station, bare) = catalog()["stations"]
    assert set(station) == {*value_fields(Station), "tariff", "equipment"}
    assert set(station["equipment"][0]) == {*value_fields(Equipment), "connectors"}
    assert set(station["equipment"][0]["connectors"][0]) == set(value_fields(Connector))
    assert sample_text("csv").splitlines()[0].split(",") == list(COLUMNS)
    assert len(set(COLUMNS)) == len(COLUMNS)
    # And the second one nothing that may be left out.
    (read_bare,) = read(tmp_path / "bare.json", {"stations": [bare]})
    mandatory = [field.name for field in fields(Station) if field.default is MISSING]
    assert read_bare == Station(**{name: getattr(read_bare, name) for name in mandatory})


def test_the_example_of_the_record_can_be_loaded(tmp_path: Path) -> None:
    station: Station = example(SchemaVersion("station", 2))
    (loaded,) = read(tmp_path / "a.json", {"stations": [json.loads(msgspec.json.encode(station))]})
    assert loaded == replace(station, changed_at=0)


@pytest.mark.parametrize(
    ("record", "table"),
    [
        (Station, tables().station),
        (Equipment, tables().equipment),
        (Connector, tables().connector),
        (TariffPeriod, tables().period),
    ],
)
def test_every_field_of_a_record_has_its_rule(record: type, table: Table) -> None:
    assert tuple(table.rules) == value_fields(record)
