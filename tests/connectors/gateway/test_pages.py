"""Pages of stations: the same set to who turns its pages, the newest on the first, and each station encoded once."""

import asyncio
from typing import Any

import pytest

from connectors.gateway import pages
from connectors.gateway.pages import Pages
from connectors.gateway.views.sight import Sight
from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.query_stations_info import INTERFACE, StationsAsked, station_info
from connectors.policies import Scope
from connectors.protocol import wire_json
from connectors.protocol.errors import Unreportable
from schemas.records.station import Station
from tests.connectors.gateway.house import FAR_STATION, House, a_station
from tests.streams.domain.records import HOUR, NOON, SECOND, STATION

KEPT_S, READ_S, SHARED_S = pages._KEPT_S, pages._READ_S, pages._SHARED_S
OVERLAP_MS = pages.OVERLAP_MS


#: Of a station that was changed long after the others, which were at noon.
LATE = NOON + HOUR


class Book:
    """The pages of a platform that sees all of five stations, A to E."""

    def __init__(self, dialect: Dialect = STANDARD, page_size_max: int = 1000, scope: Scope | None = None) -> None:
        self.views, self.now = House().views, 0.0
        for station_id in (STATION, FAR_STATION):
            self.remove(station_id)
        for letter in "ABCDE":
            self.put(a_station(letter, (f"{letter}1",)))
        sight = Sight(scope or Scope(), self.views)
        self.left_out: list[tuple[str, str]] = []
        self.pages = Pages(sight, self.views, dialect, page_size_max, self._unreportable, lambda: self.now)

    def put(self, station: Station) -> None:
        self.views.stations.put(station.station_id.encode(), self.views.stations._codec.encode(station))

    def remove(self, station_id: str) -> None:
        self.views.stations.put(station_id.encode(), None)

    def page(self, number: int = 1, size: int = 2, since: int | None = None) -> dict[str, Any]:
        answer = asyncio.run(self.pages.answer(StationsAsked(since, number, size)))
        return wire_json.decode(wire_json.encode(answer))

    def ids(self, number: int = 1, size: int = 2, since: int | None = None) -> str:
        return "".join(info["StationID"] for info in self.page(number, size, since)["StationInfos"])

    def _unreportable(self, station_id: str, error: Unreportable) -> None:
        self.left_out.append((station_id, error.field))


def test_page_by_page() -> None:
    book = Book()
    assert [book.ids(number) for number in (1, 2, 3)] == ["AB", "CD", "E"]
    assert book.page(2).items() >= {"PageNo": 2, "PageCount": 3, "ItemSize": 5}.items()


@pytest.mark.parametrize(("number", "size"), [(4, 2), (2, 5), (10**9, 2), (10**11, 10**11)])
def test_behind_the_last_there_is_none(number: int, size: int) -> None:
    book = Book()
    told = book.page(number, size)
    assert (told["PageNo"], told["ItemSize"], told["StationInfos"]) == (number, 5, [])


def test_without_stations() -> None:
    assert Book(scope=Scope(areas=("99",))).page() == {
        "PageNo": 1,
        "PageCount": 0,
        "ItemSize": 0,
        "StationInfos": [],
    }


def test_more_than_the_most_on_a_page_are_not_given() -> None:
    book = Book(page_size_max=3)
    assert [book.ids(number, size=1000) for number in (1, 2, 3)] == ["ABC", "DE", ""]
    assert book.page(size=1000)["PageCount"] == 2
    assert book.ids(size=3) == "ABC"


def test_a_set_stays_as_it_is_while_stations_come_and_go() -> None:
    book = Book()
    assert book.ids(1) == "AB"
    book.remove("A")
    book.remove("C")
    book.put(a_station("AA", ("AA1",)))
    book.put(a_station("D", ("D1",), station_name="new"))
    assert [book.ids(2), book.ids(3)] == ["CD", "E"]
    assert book.page(2)["StationInfos"][1]["StationName"] == "朝阳路充电站"
    book.now += READ_S
    assert [book.ids(1), book.ids(2), book.ids(3)] == ["AAB", "DE", ""]
    assert book.page(2)["StationInfos"][0]["StationName"] == "new"


def test_a_page_may_be_asked_for_again() -> None:
    book = Book()
    assert [book.ids(1), book.ids(2), book.ids(2), book.ids(3), book.ids(2)] == ["AB", "CD", "CD", "E", "CD"]


def test_a_set_that_nobody_turns_a_page_of_is_taken_anew() -> None:
    book = Book()
    book.ids(1)
    book.remove("A")
    for _ in range(3):
        book.now += KEPT_S - 1
        assert book.ids(2) == "CD"
    book.now += KEPT_S
    assert book.ids(2) == "DE"


def test_a_set_is_kept_by_what_it_is_of() -> None:
    book = Book()
    book.put(a_station("E", ("E1",), changed_at=LATE))
    assert (book.ids(1), book.ids(1, since=LATE)) == ("AB", "E")
    book.remove("A")
    assert (book.ids(2), book.ids(1, since=LATE), book.ids(3)) == ("CD", "E", "E")


def test_sets_are_not_kept_without_end() -> None:
    book = Book()
    for second in range(40):
        book.ids(since=NOON - second)
    assert len(book.pages._sets) == pages._SETS_MAX
    book.remove("A")
    assert book.ids(2, since=NOON - 39) == "CD"
    assert book.ids(2, since=NOON) == "DE"


def test_last_query_time_is_of_what_changed_then_or_later_and_for_the_overlap_before() -> None:
    book = Book()
    book.put(a_station("C", ("C1",), changed_at=LATE))
    assert book.ids(since=NOON, size=9) == book.ids(since=NOON + OVERLAP_MS, size=9) == "ABCDE"
    assert book.page(since=NOON + OVERLAP_MS + 1).items() >= {"PageCount": 1, "ItemSize": 1}.items()
    assert book.ids(since=LATE + OVERLAP_MS) == "C"
    assert book.ids(since=LATE + OVERLAP_MS + 1) == ""


def test_a_platform_that_asks_since_it_asked_before_misses_nothing_of_a_catalog_that_was_just_being_written() -> None:
    """Its records are stamped before the first of them is written."""
    book, stamped_at = Book(), LATE
    asked_at = stamped_at + 3 * SECOND
    assert book.ids(since=stamped_at - HOUR, size=9) == "ABCDE"
    book.put(a_station("F", ("F1",), changed_at=stamped_at))
    assert book.ids(since=asked_at, size=9) == "F"


def test_a_second_reader_leaves_the_first_one_its_pages() -> None:
    book = Book()
    assert book.ids(1) == "AB"
    book.remove("A")
    assert [book.ids(1), book.ids(2)] == ["AB", "CD"]
    assert [book.ids(2), book.ids(3)] == ["CD", "E"]
    assert book.ids(1) == "AB"


def test_a_second_reader_with_pages_of_another_size() -> None:
    book = Book()
    assert book.ids(1) == "AB"
    book.remove("A")
    assert book.ids(1, size=9) == "ABCDE"
    assert book.ids(2) == "CD"


def test_a_set_that_nobody_reads_any_more_begins_anew_with_the_first_page() -> None:
    book = Book()
    assert [book.ids(1), book.ids(2)] == ["AB", "CD"]
    book.remove("A")
    book.now += READ_S - 1
    assert [book.ids(1), book.ids(3)] == ["AB", "E"]
    book.now += READ_S - 1
    assert book.ids(3) == "E"
    book.now += 1
    assert book.ids(1) == "BC"


def test_who_reads_on_and_on_is_told_what_is_new() -> None:
    book, seen = Book(), []
    book.ids(1)
    book.remove("A")
    while book.now < SHARED_S:
        book.now += READ_S / 2
        book.ids(2)
        seen.append(book.ids(1))
    assert set(seen[:-1]) == {"AB"}
    assert seen[-1] == "BC"


def test_who_asks_for_nothing_but_the_first_page_is_told_what_is_new() -> None:
    book = Book()
    book.ids(1)
    book.remove("A")
    book.now = READ_S - 1
    assert book.ids(1) == "AB"
    book.now = READ_S
    assert book.ids(1) == "BC"


def test_a_single_page_is_always_new() -> None:
    book = Book()
    assert book.ids(1, size=9) == "ABCDE"
    book.remove("A")
    assert book.ids(1, size=9) == "BCDE"


def test_a_station_that_can_not_be_told_of_is_left_out_and_logged_once() -> None:
    book = Book()
    book.put(a_station("C", ("C1",), service_tel=""))
    assert [book.ids(size=9), book.ids(size=9)] == ["ABDE", "ABDE"]
    assert book.left_out == [("C", "ServiceTel")]
    book.put(a_station("C", ("C1" * 20,)))
    assert (book.ids(size=9), book.left_out[1:]) == ("ABDE", [("C", "ConnectorID")])
    book.put(a_station("C", ("C1",)))
    assert book.ids(size=9) == "ABCDE"


def test_each_station_is_encoded_once_until_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    book, encoded = Book(), []

    def counting(station: Station, dialect: Dialect) -> dict[str, object]:
        encoded.append(station.station_id)
        return station_info(station, dialect)

    monkeypatch.setattr("connectors.gateway.pages.interface.station_info", counting)
    for _ in range(3):
        book.ids(size=9)
    assert "".join(encoded) == "ABCDE"
    book.put(a_station("B", ("B1",), station_name="new"))
    assert book.page(size=9)["StationInfos"][1]["StationName"] == "new"
    assert "".join(encoded) == "ABCDEB"


def test_a_long_page_lets_others_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_SLICE_S", -1.0)
    book, order = Book(), []

    async def both() -> None:
        async def other() -> None:
            order.append("other")

        task = asyncio.create_task(other())
        await book.pages.answer(StationsAsked(None, 1, 5))
        order.append("page")
        await task

    asyncio.run(both())
    assert order == ["other", "page"]


def test_the_platforms_names_and_constants_reach_every_station() -> None:
    dialect = Dialect(
        aliases={"StationInfos": "Stations", "BusineHours": "BusinessHours", "PageNo": "Page"},
        left_out={INTERFACE: frozenset({"Pictures", "ItemSize"})},
        extra={INTERFACE: {"Version": 2, "Stations": {"OpenAllDay": 1, "EquipmentInfos": {"Status": 50}}}},
    )
    for told in (Book(dialect).page(), Book(dialect).page(2)):
        assert told.keys() == {"Page", "PageCount", "Stations", "Version"}
        for info in told["Stations"]:
            assert info.keys() >= {"BusinessHours", "OpenAllDay"}
            assert not info.keys() & {"Pictures", "BusineHours"}
            assert (info["OpenAllDay"], info["EquipmentInfos"][0]["Status"]) == (1, 50)
