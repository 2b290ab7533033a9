"""The catalog in memory: whole stations, and where each connector stands now."""

import pytest

from connectors.gateway.views.stations import Stations
from connectors.scope import Whereabouts
from schemas.errors import UndecodableRecord
from schemas.records.station import Station
from tests.connectors.gateway.house import a_station
from tests.streams.domain.records import CODEC, CONNECTOR, FLAT, NOON, sample


def of(*stations: Station) -> Stations:
    view = Stations(CODEC)
    for station in stations:
        put(view, station)
    return view


def put(view: Stations, station: Station) -> None:
    view.put(station.station_id.encode(), CODEC.encode(station))


def home(view: Stations, connector_id: str) -> str | None:
    station = view.of_connector(connector_id)
    return None if station is None else station.station_id


def test_what_is_kept_of_a_station() -> None:
    station = a_station("S1", ("C1", "C2"), changed_at=NOON)
    view = of(station)
    known = view.get("S1")
    assert known is not None
    assert known.where == Whereabouts("MA7L4KFB0", "110105")
    assert (known.station_id, known.changed_at, known.tariff) == ("S1", NOON, station.tariff)
    assert known.equipment == (("S1E1", ("C1", "C2")),)
    assert view.decoded(known) == station


def test_a_station_is_replaced_as_a_whole() -> None:
    view = of(a_station("S1", ("C1", "C2")))
    before = view.get("S1")
    put(view, a_station("S1", ("C2", "C3"), area_code="310101"))
    assert before is not None
    assert view.decoded(before).area_code == "110105"
    assert (len(view), [home(view, c) for c in ("C1", "C2", "C3")]) == (1, [None, "S1", "S1"])
    after = view.get("S1")
    assert after is not None
    assert after.where.area_code == "310101"


def test_a_station_that_is_gone_takes_its_connectors_along() -> None:
    view = of(a_station("S1", ("C1",)), a_station("S2", ("C2",)))
    view.put(b"S1", None)
    assert (view.get("S1"), home(view, "C1"), home(view, "C2"), len(view)) == (None, None, "S2", 1)
    assert [station.station_id for station in view.all()] == ["S2"]


def test_to_forget_what_is_not_known_is_nothing() -> None:
    view = of(a_station("S1", ("C1",)))
    view.put(b"S9", None)
    view.put(b"\xff", None)
    assert len(view) == 1


def test_a_connector_that_moves_is_found_at_its_new_place() -> None:
    view = of(a_station("S1", ("C1", "C2")), a_station("S2", ("C3",)))
    put(view, a_station("S2", ("C1", "C3")))
    put(view, a_station("S1", ("C2",)))
    assert [home(view, c) for c in ("C1", "C2", "C3")] == ["S2", "S1", "S2"]
    view.put(b"S1", None)
    assert [home(view, c) for c in ("C1", "C2", "C3")] == ["S2", None, "S2"]


def test_it_moves_likewise_if_it_left_first() -> None:
    view = of(a_station("S1", ("C1", "C2")))
    put(view, a_station("S1", ("C2",)))
    put(view, a_station("S2", ("C1",)))
    assert [home(view, c) for c in ("C1", "C2")] == ["S2", "S1"]


def test_the_version_grows_with_every_change() -> None:
    view = of(a_station("S1"))
    versions = [view.version]
    put(view, a_station("S1"))
    versions.append(view.version)
    view.put(b"S1", None)
    versions.append(view.version)
    assert versions == sorted(set(versions))


def test_a_repeated_record_changes_nothing() -> None:
    view = of(a_station("S1", ("C1",)), a_station("S1", ("C1",)))
    assert (len(view), home(view, "C1")) == (1, "S1")


@pytest.mark.parametrize("record", [b"", b"\0", CODEC.encode(a_station("S1"))[:-1], CODEC.encode(sample(NOON))])
def test_a_damaged_record_is_refused_and_changes_nothing(record: bytes) -> None:
    view = of(a_station("S1", ("C1",)))
    version = view.version
    with pytest.raises(UndecodableRecord):
        view.put(b"S1", record)
    assert (len(view), home(view, "C1"), view.version) == (1, "S1", version)


def test_equal_tariffs_are_kept_once() -> None:
    view = of(a_station("S1"), a_station("S2"), a_station("S3", tariff=FLAT))
    one, two, other = (view.get(f"S{n}") for n in (1, 2, 3))
    assert one is not None and two is not None and other is not None
    assert one.tariff is two.tariff
    assert other.tariff == FLAT


def test_of_what_there_is_not_nothing_is_known() -> None:
    assert of().get("") is None
    assert of(a_station("S1")).of_connector("") is None
    assert of().of_connector(CONNECTOR) is None


def test_a_connector_that_moved_is_where_it_is_now_in_whatever_order_its_stations_were_read() -> None:
    here, there = a_station("B", ("C1",)), a_station("A", ("C2",))
    view = of(here, a_station("A", ("C1", "C2")), there)
    view.settle()
    assert (home(view, "C1"), home(view, "C2")) == ("B", "A")
