"""Which platforms a router and a retry scheduler are for."""

import logging
from importlib.resources import files
from pathlib import Path

import pytest

from connectors.delivery.retries import RetrySettings
from connectors.delivery.routing.settings import RouterSettings, taken_on
from connectors.delivery.topics import lane_topic
from connectors.errors import MisconfiguredService
from connectors.protocol.errors import BadProfile
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import on_lanes as on

PACKAGED = {"beijing", "chengdu"}
GOOD = (files("connectors.platforms") / "beijing.toml").read_text(encoding="utf-8")

Kind = type[RouterSettings] | type[RetrySettings]
both = pytest.mark.parametrize("kind", [RouterSettings, RetrySettings])


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Two platforms of the operator's own, one of them with a fault."""
    (tmp_path / "harbour.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "broken.toml").write_text(GOOD + "\n[nonsense]\nx = 1\n", encoding="utf-8")
    return {"EVCS_PLATFORMS": str(tmp_path)}


def names(settings: RouterSettings | RetrySettings) -> set[str]:
    return {platform.name for platform in settings.platforms}


@both
@pytest.mark.parametrize("named", [(), ("harbour",), ("beijing", "harbour")])
def test_they_are_for_all_whoever_is_named(kind: Kind, named: tuple[str, ...], environ: dict[str, str]) -> None:
    settings = kind.from_env(named, environ)
    assert names(settings) == PACKAGED | {"harbour"}
    assert settings.if_there == ((PACKAGED | {"harbour"}) - set(named) if named else frozenset())


@both
def test_a_wrong_profile_is_left_out_and_told(
    kind: Kind, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        kind.from_env((), environ)
    assert [record.getMessage() for record in caplog.records] == [
        "broken.toml is wrong (`evcs platforms check`): nothing is routed to broken; `evcs delivery backfill` can"
    ]


def test_what_waits_for_a_platform_with_a_wrong_profile_is_kept(environ: dict[str, str]) -> None:
    assert RetrySettings.from_env((), environ).wrong == {"broken"}


@both
def test_one_that_is_named_must_be_right(kind: Kind, environ: dict[str, str]) -> None:
    with pytest.raises(BadProfile, match=r"broken\.toml: nonsense"):
        kind.from_env(("broken",), environ)
    with pytest.raises(MisconfiguredService, match="no platform 'atlantis'"):
        kind.from_env(("atlantis",), environ)


@both
def test_the_folder_of_profiles_must_be_there(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="EVCS_PLATFORMS"):
        kind.from_env((), {"EVCS_PLATFORMS": str(tmp_path / "nowhere")})


def test_only_those_with_topics_are_taken_on_unless_they_must_be() -> None:
    cluster = KafkaCluster(topic_prefix="x-")
    platforms = [on.platform(name) for name in ("a", "b", "c")]
    there = {cluster.topic(lane_topic("b", "states"))}
    assert [one.name for one in taken_on(platforms, {"a", "b"}, cluster, there)] == ["b", "c"]
    assert [one.name for one in taken_on(platforms, (), cluster, set())] == ["a", "b", "c"]
