"""The settings of one delivery: what the environment must hold, and that no secret shows."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from connectors.delivery.settings import DeliverySettings
from connectors.errors import MisconfiguredService
from connectors.platform import Profiles, load_platforms
from connectors.policies import Addresses
from connectors.protocol.errors import BadCredentials, BadProfile
from schemas.errors import MisconfiguredSchemas

HUSH = "hush-hush-hush-1"
ENVIRONMENT = {
    "EVCS_BEIJING_OPERATOR_ID": "123456789",
    "EVCS_BEIJING_OPERATOR_SECRET": HUSH,
    "EVCS_BEIJING_DATA_SECRET": HUSH,
    "EVCS_BEIJING_DATA_SECRET_IV": HUSH,
    "EVCS_BEIJING_SIG_SECRET": HUSH,
}


def of(name: str = "beijing", **more: str) -> DeliverySettings:
    return DeliverySettings.from_env(name, ENVIRONMENT | more)


def test_defaults() -> None:
    settings = of()
    assert settings.target == "test"
    assert settings.platform.url(settings.target, "query_token") == (
        "http://hlht.test.zc3u.com/evcs/20160701/query_token"
    )
    assert settings.group == "evcs-delivery-beijing"
    assert settings.credentials.operator_id == "123456789"
    assert settings.credentials.sig_secret.reveal() == HUSH


def test_production_is_asked_for_by_name() -> None:
    settings = of(EVCS_DELIVERY_TARGET="production")
    assert settings.platform.url(settings.target, "query_token").startswith("http://hlht.zc3u.com/")


def test_an_address_of_ones_own_is_used_for_either_target() -> None:
    for target in ("test", "production"):
        settings = of(EVCS_BEIJING_ADDRESS="https://relay.test:8443/x/", EVCS_DELIVERY_TARGET=target)
        assert settings.platform.url(settings.target, "query_token") == "https://relay.test:8443/x/query_token"


def test_cluster_and_group() -> None:
    assert of(EVCS_TOPIC_PREFIX="a-").group == "a-evcs-delivery-beijing"
    assert of(EVCS_TOPIC_PREFIX="a-", EVCS_DELIVERY_GROUP="mine").group == "mine"
    assert of(EVCS_DELIVERY_GROUP="").group == "evcs-delivery-beijing"
    assert of(EVCS_KAFKA_BOOTSTRAP="kafka-1:9092").cluster.bootstrap == "kafka-1:9092"


@pytest.mark.parametrize("name", ["atlantis", "Beijing", "", "../platforms/beijing"])
def test_an_unknown_platform(name: str) -> None:
    with pytest.raises(MisconfiguredService, match=r"no platform .* there are beijing"):
        of(name)


def test_a_bad_profile_is_told_and_others_do_not_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = BadProfile("atlantis.toml", "title", "is missing")
    profiles = Profiles(load_platforms().platforms, (fault,))
    monkeypatch.setattr("connectors.delivery.settings.load_platforms", lambda **_: profiles)
    with pytest.raises(BadProfile, match=r"atlantis\.toml: title: is missing"):
        of("atlantis")
    assert of("beijing").platform.name == "beijing"


def test_a_profile_of_the_operators_own(tmp_path: Path) -> None:
    packaged = (files("connectors.platforms") / "beijing.toml").read_text(encoding="utf-8")
    own = packaged.replace("http://hlht.test.zc3u.com", "https://own.test")
    (tmp_path / "beijing.toml").write_text(own, encoding="utf-8")
    (tmp_path / "broken.toml").write_text("title =")
    settings = of(EVCS_PLATFORMS=str(tmp_path))
    assert settings.platform.url("test", "query_token") == "https://own.test/evcs/20160701/query_token"
    with pytest.raises(BadProfile, match=r"broken\.toml: "):
        of("broken", EVCS_PLATFORMS=str(tmp_path))


def test_a_folder_of_profiles_that_is_not_there_stops_it(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match=r"EVCS_PLATFORMS: .*/none: No such file or directory"):
        of(EVCS_PLATFORMS=str(tmp_path / "none"))


def test_a_placeholder_is_no_address() -> None:
    environment = {name.replace("BEIJING", "CHENGDU"): value for name, value in ENVIRONMENT.items()}
    with pytest.raises(BadProfile, match=r"addresses.test: is a placeholder: set EVCS_CHENGDU_ADDRESS"):
        DeliverySettings.from_env("chengdu", environment)
    relay = DeliverySettings.from_env("chengdu", {**environment, "EVCS_CHENGDU_ADDRESS": "https://relay.test/evcs/"})
    assert relay.platform.url("test", "check_charge_orders") == "https://relay.test/evcs/check_charge_order"


def test_a_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{HUSH}\n")
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "EVCS_BEIJING_SIG_SECRET"}
    by_file = {**environment, "EVCS_BEIJING_SIG_SECRET_FILE": str(tmp_path / "secret")}
    assert DeliverySettings.from_env("beijing", by_file).credentials == of().credentials


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_secret_is_named(missing: str, value: str | None) -> None:
    environment = {k: v for k, v in ENVIRONMENT.items() if k != missing}
    if value is not None:
        environment[missing] = value
    with pytest.raises(BadCredentials) as caught:
        DeliverySettings.from_env("beijing", environment)
    assert caught.value.names == (missing,)
    assert missing in str(caught.value)
    assert HUSH not in str(caught.value)


def test_all_missing_secrets_are_named_at_once() -> None:
    with pytest.raises(BadCredentials) as caught:
        DeliverySettings.from_env("beijing", {})
    assert caught.value.names == tuple(ENVIRONMENT)


@pytest.mark.parametrize("name", ["EVCS_BEIJING_DATA_SECRET", "EVCS_BEIJING_DATA_SECRET_IV"])
def test_a_secret_of_the_wrong_length(name: str) -> None:
    with pytest.raises(BadCredentials, match=r"is 19 bytes long, 16 are needed \(EVCS_BEIJING_…\)") as caught:
        of(**{name: HUSH + "xyz"})
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize("target", ["staging", "Test", ""])
def test_a_bad_target(target: str) -> None:
    with pytest.raises(MisconfiguredService, match=rf"EVCS_DELIVERY_TARGET is '{target}': use test or production"):
        of(EVCS_DELIVERY_TARGET=target)


@pytest.mark.parametrize(
    "address",
    [
        "city.test/evcs/",
        "ftp://city.test/",
        "http://city.test/evcs",
        "http://city.test/evcs/?a=b/",
        "http:///evcs/",
        "http://city.test:port/",
        "http://city.test:99999/",
        "http://[::1/",
        "http://city test/",
    ],
)
def test_a_bad_address(address: str) -> None:
    with pytest.raises(MisconfiguredService, match=r"EVCS_BEIJING_ADDRESS: .*address"):
        of(EVCS_BEIJING_ADDRESS=address)


def test_a_target_that_the_profile_has_no_address_for(monkeypatch: pytest.MonkeyPatch) -> None:
    beijing = load_platforms().platforms["beijing"]
    bare = replace(beijing, addresses=Addresses(production=beijing.addresses.production))
    monkeypatch.setattr("connectors.delivery.settings.load_platforms", lambda **_: Profiles({"beijing": bare}, ()))
    with pytest.raises(BadProfile, match=r"beijing.toml: addresses.test: is not given"):
        of()
    assert of(EVCS_DELIVERY_TARGET="production").target == "production"


def test_a_profile_without_query_token(monkeypatch: pytest.MonkeyPatch) -> None:
    beijing = load_platforms().platforms["beijing"]
    rest = {name: policy for name, policy in beijing.interfaces.items() if name != "query_token"}
    bare = replace(beijing, interfaces=rest)
    monkeypatch.setattr("connectors.delivery.settings.load_platforms", lambda **_: Profiles({"beijing": bare}, ()))
    with pytest.raises(BadProfile, match=r"beijing.toml: interfaces.query_token: is missing"):
        of()


def test_a_bad_cluster() -> None:
    with pytest.raises(MisconfiguredSchemas, match="EVCS_KAFKA_SECURITY_PROTOCOL"):
        of(EVCS_KAFKA_SECURITY_PROTOCOL="TLS")


def test_no_secret_is_printed() -> None:
    settings = of(EVCS_KAFKA_SASL_PASSWORD=HUSH, EVCS_KAFKA_SASL_USERNAME="me", EVCS_KAFKA_SSL_KEY_PASSWORD=HUSH)
    assert settings.cluster.security["sasl.password"] == HUSH
    for shown in (repr(settings), str(settings), f"{settings}", f"{settings.credentials.operator_secret:>5}"):
        assert HUSH not in shown


def test_the_environment_is_read_when_none_is_given(clean_environment: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        clean_environment.setenv(name, value)
    assert DeliverySettings.from_env("beijing").credentials == of().credentials
