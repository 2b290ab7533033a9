"""The worker's view of the catalog: whole at the start, changes as they come, bad records passed over."""

import asyncio
import logging
from dataclasses import replace

import pytest
from confluent_kafka import KafkaException, Producer

from infra.simulator.fleet.population import populate
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.station import Station
from streams.catalog import TOPIC, CatalogReader

pytestmark = pytest.mark.kafka

CODEC = codec_for("")
STATIONS = populate(30).stations


def _put(cluster: KafkaCluster, *records: tuple[bytes, bytes | None]) -> None:
    producer = Producer(cluster.producer_config())
    for key, value in records:
        producer.produce(cluster.topic(TOPIC), value, key)
    assert producer.flush(20) == 0


def _record(station: Station) -> tuple[bytes, bytes]:
    return station.station_id.encode(), CODEC.encode(station)


def test_an_empty_catalog_is_loaded_too(kafka: KafkaCluster) -> None:
    reader = CatalogReader(kafka, CODEC, lambda _station: None)
    assert not reader.loaded
    assert (reader.load(), reader.loaded) == (0, True)
    reader.close()


def test_it_is_loaded_whole_and_followed(kafka: KafkaCluster, caplog: pytest.LogCaptureFixture) -> None:
    got: dict[str, Station] = {}
    order = _record(STATIONS[0])[0], CODEC.encode(STATIONS[0])[:-3]
    _put(kafka, *map(_record, STATIONS), order, (b"gone", None))
    reader = CatalogReader(kafka, CODEC, lambda station: got.update({station.station_id: station}))
    with caplog.at_level(logging.ERROR):
        assert reader.load() == len(STATIONS) == 3
    assert "is passed over" in caplog.text
    assert sorted(got.values(), key=lambda s: s.station_id) == sorted(STATIONS, key=lambda s: s.station_id)
    changed = replace(STATIONS[1], station_name="新名")
    _put(kafka, _record(changed))
    asyncio.run(asyncio.wait_for(reader.follow(lambda: got[changed.station_id] == changed), 120))
    reader.close()


def test_following_waits_for_the_first_load(kafka: KafkaCluster) -> None:
    got: dict[str, Station] = {}
    first, second = STATIONS[0], replace(STATIONS[0], station_name="新名")
    _put(kafka, _record(first))
    reader = CatalogReader(kafka, CODEC, lambda station: got.update({station.station_id: station}))
    turns = 0

    def has_followed() -> bool:
        nonlocal turns
        turns += 1
        if turns < 4:
            assert (reader.loaded, got) == (False, {}), "nothing is read before the load"
        elif turns == 4:
            assert reader.load() == 1
            assert got == {first.station_id: first}
            _put(kafka, _record(second))
        return got.get(second.station_id) == second

    # The same run that waited goes on with what has changed since the load.
    asyncio.run(asyncio.wait_for(reader.follow(has_followed), 120))
    assert turns > 4
    reader.close()


def test_without_the_topic_there_is_an_error(kafka: KafkaCluster) -> None:
    reader = CatalogReader(replace(kafka, topic_prefix="nobody-"), CODEC, lambda _station: None)
    with pytest.raises(KafkaException):
        reader.load()
    reader.close()
