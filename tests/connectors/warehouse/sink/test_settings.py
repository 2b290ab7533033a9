"""The sink's settings, from the environment."""

import pytest

from connectors.errors import MisconfiguredService
from connectors.warehouse.sink.settings import SinkSettings, sink_group
from schemas.cluster import KafkaCluster


def test_by_default_it_is_the_local_stack() -> None:
    settings = SinkSettings.from_env({})
    assert settings.group == "evcs-sink"
    assert settings.cluster == KafkaCluster()
    assert settings.warehouse.url == "http://127.0.0.1:18123"
    assert (settings.admin_host, settings.admin_port) == ("127.0.0.1", 8082)
    assert settings.cuts.wait_s == 5.0


def test_everything_can_be_set() -> None:
    settings = SinkSettings.from_env(
        {
            "EVCS_TOPIC_PREFIX": "north-",
            "EVCS_CLICKHOUSE_URL": "http://clickhouse:8123",
            "EVCS_SINK_WAIT_S": "0.5",
            "EVCS_SINK_ADMIN_HOST": "0.0.0.0",
            "EVCS_SINK_ADMIN_PORT": "0",
        }
    )
    assert settings.group == "north-evcs-sink"
    assert settings.warehouse.url == "http://clickhouse:8123"
    assert settings.cuts.wait_s == 0.5
    assert (settings.admin_host, settings.admin_port) == ("0.0.0.0", 0)


def test_the_group_is_what_whoever_waits_for_the_tables_asks_for() -> None:
    cluster = KafkaCluster(topic_prefix="north-")
    assert sink_group(cluster, {}) == SinkSettings(cluster=cluster).group == "north-evcs-sink"
    assert sink_group(cluster, {"EVCS_SINK_GROUP": "mine"}) == "mine"


def test_another_place_for_health() -> None:
    settings = SinkSettings.from_env({})
    assert settings.listening_at(None, None) == settings
    moved = settings.listening_at("0.0.0.0", 0)
    assert (moved.admin_host, moved.admin_port) == ("0.0.0.0", 0)
    with pytest.raises(MisconfiguredService, match="EVCS_SINK_ADMIN_PORT is 99999"):
        settings.listening_at(None, 99_999)


@pytest.mark.parametrize("wait", ["0", "-1", "nan", "inf", "301", "soon"])
def test_a_wait_that_is_none_is_refused(wait: str) -> None:
    with pytest.raises(MisconfiguredService, match="EVCS_SINK_WAIT_S"):
        SinkSettings.from_env({"EVCS_SINK_WAIT_S": wait})


@pytest.mark.parametrize("port", ["-1", "65536", "http", "١"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(MisconfiguredService, match="EVCS_SINK_ADMIN_PORT"):
        SinkSettings.from_env({"EVCS_SINK_ADMIN_PORT": port})
