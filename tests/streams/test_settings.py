"""Settings come from the environment, and what is wrong there is named."""

from dataclasses import fields

import pytest

from schemas.errors import MisconfiguredSchemas
from schemas.topic import all_topics
from streams.domain.policy import TrackingPolicy
from streams.errors import MisconfiguredStreams
from streams.settings import TRACKING, Clock, StreamsSettings, topologies

WAITS = [field.name for field in fields(TrackingPolicy)]


def test_without_variables_it_runs_live_with_the_standards_waits() -> None:
    settings = StreamsSettings.from_env({})
    assert (settings.group, settings.clock, settings.policy) == ("evcs-streams", Clock.WALL, TrackingPolicy())


@pytest.mark.parametrize("base", ["evcs-streams", "ours"])
def test_each_topology_has_a_group_of_its_own(base: str) -> None:
    env = {} if base == "evcs-streams" else {"EVCS_STREAMS_GROUP": base}
    groups = {name: StreamsSettings.from_env(env, name).group for name in topologies()}
    assert (groups[TRACKING], groups["station_load"]) == (base, f"{base}-station-load")
    assert len(set(groups.values())) == len(groups)


@pytest.mark.parametrize("name", topologies())
def test_each_topologys_workers_are_in_the_topics_files(name: str) -> None:
    role = StreamsSettings(topology=name).role
    assert [topic.name for topic in all_topics().values() if role in topic.consumers]
    assert [topic.name for topic in all_topics().values() if role in topic.producers]


@pytest.mark.parametrize("name", WAITS)
def test_every_wait_is_a_variable(name: str) -> None:
    policy = StreamsSettings.from_env({f"EVCS_STREAMS_{name.upper()}": "7"}).policy
    assert {n: getattr(policy, n) for n in WAITS if getattr(policy, n) != getattr(TrackingPolicy(), n)} == {name: 7}


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1s", "soon", "604800001", "9" * 5_000])
def test_a_wait_that_is_no_whole_number_is_named(text: str) -> None:
    with pytest.raises(MisconfiguredStreams, match="EVCS_STREAMS_SILENCE_MS"):
        StreamsSettings.from_env({"EVCS_STREAMS_SILENCE_MS": text})


def test_an_unknown_clock_is_named() -> None:
    assert StreamsSettings.from_env({"EVCS_STREAMS_CLOCK": "event"}).clock is Clock.EVENT
    with pytest.raises(MisconfiguredStreams, match="EVCS_STREAMS_CLOCK is 'sundial': use wall or event"):
        StreamsSettings.from_env({"EVCS_STREAMS_CLOCK": "sundial"})


def test_installations_that_share_a_cluster_do_not_share_a_group() -> None:
    assert StreamsSettings.from_env({"EVCS_TOPIC_PREFIX": "a-"}).group == "a-evcs-streams"
    assert StreamsSettings.from_env({"EVCS_STREAMS_GROUP": "mine"}).group == "mine"


def test_the_clusters_own_errors_pass_through() -> None:
    with pytest.raises(MisconfiguredSchemas, match="EVCS_KAFKA_SECURITY_PROTOCOL"):
        StreamsSettings.from_env({"EVCS_KAFKA_SECURITY_PROTOCOL": "HTTP"})
