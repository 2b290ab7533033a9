"""Settings come from the environment, and what is wrong there is named."""

from dataclasses import fields

import pytest

from schemas.errors import MisconfiguredSchemas
from streams.domain.policy import TrackingPolicy
from streams.errors import MisconfiguredStreams
from streams.settings import Clock, StreamsSettings

WAITS = [field.name for field in fields(TrackingPolicy)]


def test_without_variables_it_runs_live_with_the_standards_waits() -> None:
    settings = StreamsSettings.from_env({})
    assert (settings.group, settings.clock, settings.policy) == ("evcs-streams", Clock.WALL, TrackingPolicy())


@pytest.mark.parametrize("name", WAITS)
def test_every_wait_is_a_variable(name: str) -> None:
    policy = StreamsSettings.from_env({f"EVCS_STREAMS_{name.upper()}": "7"}).policy
    assert {n: getattr(policy, n) for n in WAITS if getattr(policy, n) != getattr(TrackingPolicy(), n)} == {name: 7}


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1s", "soon"])
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
