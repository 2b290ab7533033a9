"""What a platform sees: what is in its scope. All else is as if there were none."""

import pytest

from connectors.gateway.views.connectors import UNHEARD
from connectors.gateway.views.sight import Sight
from connectors.policies import Scope
from tests.connectors.gateway.house import FAR_CONNECTOR, FAR_STATION, NEIGHBOUR, House, a_station
from tests.streams.domain.records import CONNECTOR, NOON, STATION, Partition, charging

CITY_SCOPES = [Scope(areas=("11",)), Scope(stations=frozenset({STATION})), Scope(areas=("1101", "44"))]


def house() -> House:
    one = House()
    one.follow(Partition(a_station()).sample(charging(NOON)))
    far = a_station(FAR_STATION, (FAR_CONNECTOR,))
    one.follow(Partition(far).sample(charging(NOON, connector_id=FAR_CONNECTOR)))
    return one


@pytest.mark.parametrize("scope", CITY_SCOPES, ids=str)
def test_what_is_in_scope_is_seen(scope: Scope) -> None:
    sight = Sight(scope, house().views)
    assert [station.station_id for station in sight.stations()] == [STATION]
    station, of_connector, state = sight.station(STATION), sight.station_of(NEIGHBOUR), sight.state(CONNECTOR)
    assert station is not None and of_connector is not None and state is not None
    assert station.station_id == of_connector.station_id == STATION
    assert sight.statuses(CONNECTOR) == (3, 50, 50)
    assert state.status == 3


@pytest.mark.parametrize("scope", CITY_SCOPES, ids=str)
def test_what_is_not_is_as_what_there_is_not(scope: Scope) -> None:
    sight = Sight(scope, house().views)
    for station_id, connector_id in ((FAR_STATION, FAR_CONNECTOR), ("ST99999999", "EQ99"), ("", "")):
        assert sight.station(station_id) is None
        assert sight.station_of(connector_id) is None
        assert sight.statuses(connector_id) is None
        assert sight.state(connector_id) is None


def test_without_a_scope_all_is_seen() -> None:
    sight = Sight(Scope(), house().views)
    assert [station.station_id for station in sight.stations()] == [STATION, FAR_STATION]
    assert sight.statuses(FAR_CONNECTOR) == (3, 50, 50)


def test_a_connector_that_has_never_said_anything_is_there() -> None:
    sight = Sight(Scope(), house().views)
    assert sight.statuses(NEIGHBOUR) == UNHEARD
    assert sight.state(NEIGHBOUR) is None


def test_stations_come_by_their_id_and_go_with_the_catalog() -> None:
    one = house()
    sight = Sight(Scope(areas=("11",)), one.views)
    assert len(sight.stations()) == 1
    one.catalog(a_station("ST00000000", ("C1",)))
    one.catalog(a_station("ST00000099", ("C2",)))
    assert [station.station_id for station in sight.stations()] == ["ST00000000", STATION, "ST00000099"]
    one.views.stations.put(STATION.encode(), None)
    assert [station.station_id for station in sight.stations()] == ["ST00000000", "ST00000099"]
    one.catalog(a_station("ST00000099", ("C2",), area_code="310101"))
    assert [station.station_id for station in sight.stations()] == ["ST00000000"]


def test_a_connector_is_lost_from_sight_with_its_station() -> None:
    one = house()
    sight = Sight(Scope(areas=("11",)), one.views)
    one.catalog(a_station(area_code="310101"))
    assert (sight.station_of(CONNECTOR), sight.statuses(CONNECTOR), sight.state(CONNECTOR)) == (None, None, None)


def test_as_long_as_nothing_changes_the_list_is_the_same_one() -> None:
    sight = Sight(Scope(), house().views)
    assert sight.stations() is sight.stations()
