"""What is written: what is new or differs, under a new time of change; the rest is left alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.catalog.changes import changes
from infra.catalog.errors import ClashingCatalog
from schemas.records.station import Station
from tests.infra.catalog.samples import read, sample_text

NOW, BEFORE = 2_000, 1_000


@pytest.fixture
def stations(tmp_path: Path) -> list[Station]:
    return read(tmp_path / "sample.json", sample_text("json"))


def there(stations: list[Station]) -> dict[str, Station | None]:
    return {station.station_id: replace(station, changed_at=BEFORE) for station in stations}


def test_everything_is_new_to_an_empty_topic(stations: list[Station]) -> None:
    todo = changes(stations, {}, NOW, remove_missing=True)
    assert todo.added == todo.written == tuple(replace(station, changed_at=NOW) for station in stations)
    assert (todo.changed, todo.unchanged, todo.removed, todo.left) == ((), 0, (), ())


def test_what_is_there_already_is_left_alone(stations: list[Station]) -> None:
    todo = changes(stations, there(stations), NOW, remove_missing=True)
    assert (todo.written, todo.unchanged, todo.removed) == ((), 2, ())


def test_a_change_of_anything_inside_counts(stations: list[Station]) -> None:
    first = stations[0]
    equipment = first.equipment[1]
    connector = replace(equipment.connectors[0], park_no="9")
    new = replace(first, equipment=(first.equipment[0], replace(equipment, connectors=(connector,))))
    todo = changes([new, stations[1]], there(stations), NOW, remove_missing=False)
    assert (todo.changed, todo.added, todo.unchanged) == ((replace(new, changed_at=NOW),), (), 1)


def test_what_cannot_be_read_is_written_anew(stations: list[Station]) -> None:
    todo = changes(stations, {**there(stations), stations[0].station_id: None}, NOW, remove_missing=False)
    assert [station.station_id for station in todo.changed] == [stations[0].station_id]


def test_what_the_file_lacks_is_taken_out_only_when_asked(stations: list[Station]) -> None:
    gone = stations[0].station_id
    left = changes(stations[1:], there(stations), NOW, remove_missing=False)
    assert (left.left, left.removed, left.unchanged) == ((gone,), (), 1)
    removed = changes(stations[1:], there(stations), NOW, remove_missing=True)
    assert (removed.left, removed.removed) == ((), (gone,))


def test_a_station_under_another_id_does_not_share_its_connectors(stations: list[Station]) -> None:
    renamed = replace(stations[1], station_id="NEW")
    with pytest.raises(ClashingCatalog) as caught:
        changes([stations[0], renamed], there(stations), NOW, remove_missing=False)
    assert str(caught.value).splitlines()[1:] == [
        "equipment 110108900002001 is 110108900002's on the topic, and NEW's in the file",
        "connector 11010890000200101 is 110108900002's on the topic, and NEW's in the file",
    ]
    todo = changes([stations[0], renamed], there(stations), NOW, remove_missing=True)
    assert (len(todo.added), todo.removed) == (1, ("110108900002",))
