"""What an operator is given to know a simulated platform by, as the operator's side reads it."""

from __future__ import annotations

import pytest

from connectors.policies import CredentialNames
from connectors.protocol.credentials import Credentials
from infra.simulator.platform.onboarding import platform_environment
from infra.simulator.platform.settings import CallerSettings, PlatformSettings

ENVIRONMENT = platform_environment("some-city", "http://127.0.0.1:1/evcs/20160701")
NAMES = CredentialNames("EVCS_SOME_CITY_")


def secrets(credentials: Credentials) -> list[str]:
    held = (credentials.operator_secret, credentials.data_secret, credentials.data_secret_iv, credentials.sig_secret)
    return [secret.reveal() for secret in held]


@pytest.mark.parametrize(
    ("credentials", "settings"),
    [
        (NAMES.outbound(ENVIRONMENT), PlatformSettings()),
        (NAMES.inbound(ENVIRONMENT), CallerSettings("http://127.0.0.1:2/evcs/20160701")),
    ],
    ids=["its pushes", "the platform's calls"],
)
def test_both_sides_have_the_same(credentials: Credentials, settings: PlatformSettings | CallerSettings) -> None:
    assert credentials.operator_id == settings.operator_id
    expected = [settings.operator_secret, settings.data_secret, settings.data_iv, settings.sig_secret]
    assert secrets(credentials) == expected


def test_the_two_directions_have_nothing_in_common() -> None:
    inbound, outbound = NAMES.inbound(ENVIRONMENT), NAMES.outbound(ENVIRONMENT)
    assert inbound.operator_id != outbound.operator_id
    assert not set(secrets(inbound)) & set(secrets(outbound))
    assert len(set(secrets(inbound))) == 4


def test_of_several_platforms_each_has_its_own_operator_id() -> None:
    other = platform_environment("some-city", "http://127.0.0.1:1", platform_id="MA0PLATF2")
    assert NAMES.inbound(other).operator_id == "MA0PLATF2"
