"""The population's ids and catalog."""

import pytest

from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.population import STATION_WITHOUT_TARIFF, Kind, populate
from schemas.codec import codec_for


def test_ids_nest_and_fit_the_standard() -> None:
    population = populate(200)
    assert len({p.connector_id for p in population.places}) == 200
    for place in population.places:
        assert len(place.station_id) <= 20 and len(place.equipment_id) <= 23 and len(place.connector_id) <= 26
        assert place.connector_id.startswith(place.equipment_id)
        assert place.equipment_id.startswith(place.station_id)


def test_the_catalog_has_exactly_the_connectors() -> None:
    population = populate(203)
    listed = [c.connector_id for s in population.stations for e in s.equipment for c in e.connectors]
    assert listed == [place.connector_id for place in population.places]
    assert [place.index for place in population.places] == list(range(203))


def test_all_kinds_occur_and_only_one_station_has_no_tariff() -> None:
    population = populate(200)
    assert {place.kind for place in population.places} == set(Kind)
    without = [n for n, station in enumerate(population.stations) if not station.tariff]
    assert without == [STATION_WITHOUT_TARIFF]


def test_tariffs_begin_at_midnight_in_order_with_four_decimals() -> None:
    for station in populate(100).stations:
        begins = [period.starts_at_s for period in station.tariff]
        assert begins == sorted(set(begins)) and begins[:1] in ([], [0])
        for period in station.tariff:
            assert period.elec_price.as_tuple().exponent == period.service_price.as_tuple().exponent == -4


def test_stations_survive_the_codec() -> None:
    codec = codec_for("")
    for station in populate(60).stations:
        assert codec.decode(codec.encode(station)) == station


@pytest.mark.parametrize("count", [0, 1_000_001])
def test_silly_counts_are_refused(count: int) -> None:
    with pytest.raises(MisconfiguredFleet):
        populate(count)
