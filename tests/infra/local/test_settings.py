"""The local stack's settings from the environment."""

from pathlib import Path

import pytest

from infra.local.errors import MisconfiguredLocalStack
from infra.local.settings import LocalSettings
from schemas.errors import MisconfiguredSchemas


def test_without_settings_the_broker_lives_in_the_current_directory() -> None:
    assert LocalSettings.from_env({}) == LocalSettings(Path.cwd() / ".evcs", 19092, None)


def test_home_port_and_cluster_can_be_given(tmp_path: Path) -> None:
    settings = LocalSettings.from_env(
        {"EVCS_HOME": str(tmp_path), "EVCS_KAFKA_PORT": "29092", "EVCS_KAFKA_BOOTSTRAP": "kafka-1:9092"}
    )
    assert settings.home == tmp_path
    assert settings.port == 29092
    assert settings.external is not None
    assert settings.external.bootstrap == "kafka-1:9092"


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1.5"])
def test_a_port_that_is_none_is_told(port: str) -> None:
    with pytest.raises(MisconfiguredLocalStack, match="EVCS_KAFKA_PORT is"):
        LocalSettings.from_env({"EVCS_KAFKA_PORT": port})


def test_security_settings_are_checked_with_the_cluster() -> None:
    with pytest.raises(MisconfiguredSchemas):
        LocalSettings.from_env({"EVCS_KAFKA_BOOTSTRAP": "k:1", "EVCS_KAFKA_SECURITY_PROTOCOL": "TELNET"})
