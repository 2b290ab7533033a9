"""What is said of profiles before they are used, line by line."""

from importlib.resources import files
from pathlib import Path

import pytest

from connectors.platform import load_platforms
from infra.profile_check import Finding, check_profiles
from tests.connectors.test_platform import ENVIRONMENT, GOOD, INBOUND

SECRETS = ENVIRONMENT | INBOUND
BEIJING = {"beijing.toml": files("connectors.platforms") / "beijing.toml"}


def said(
    folder: Path, text: str, environ: dict[str, str], secrets_must: bool = False, name: str = "city"
) -> list[Finding]:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return check_profiles({"here.toml": file}, environ, secrets_must, load_platforms(environ={}).platforms)


def with_test(text: str = GOOD) -> str:
    return text.replace("[credentials]", 'test = "https://test.city.example/"\n[credentials]')


def test_of_a_good_one_with_its_secrets_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, with_test(), SECRETS) == []


def test_every_fault_is_wrong_and_told_under_the_given_name(tmp_path: Path) -> None:
    found = said(tmp_path, GOOD.replace("= 10", "= 0") + "[retry]\nladder_s = []\n", SECRETS)
    assert all(finding.wrong for finding in found)
    assert [str(finding).split(": ")[:2] for finding in found] == [
        ["here.toml", "interfaces.notification_stationStatus.deadline_s"],
        ["here.toml", "retry.ladder_s"],
    ]


@pytest.mark.parametrize("name", ["City", "city--x", "city_x", "-city"])
def test_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    (finding,) = said(tmp_path, GOOD, SECRETS, name=name)
    assert finding.wrong
    assert finding.key == ""


def test_another_kind_of_file(tmp_path: Path) -> None:
    file = tmp_path / "city.ini"
    file.write_text(GOOD)
    finding, *_ = check_profiles({"x": file}, SECRETS)
    assert finding.reason.startswith("must be named <platform>.toml")


def test_a_target_without_an_address(tmp_path: Path) -> None:
    (finding,) = said(tmp_path, GOOD, SECRETS)
    assert str(finding) == (
        "warning: here.toml: addresses.test: is not given: deliver to production, or set EVCS_CITY_ADDRESS"
    )


def test_plain_http(tmp_path: Path) -> None:
    (finding,) = said(tmp_path, with_test().replace("https://city", "http://city"), SECRETS)
    assert (finding.key, finding.wrong) == ("addresses.production", False)
    assert "is plain http" in finding.reason


def test_a_placeholder(tmp_path: Path) -> None:
    text = with_test().replace("city.example", "city.invalid")
    assert {f.key for f in said(tmp_path, text, SECRETS)} == {"addresses.test", "addresses.production"}
    assert said(tmp_path, text, SECRETS | {"EVCS_CITY_ADDRESS": "https://relay.test/"}) == []


def test_an_address_in_the_environment(tmp_path: Path) -> None:
    (plain,) = said(tmp_path, GOOD, SECRETS | {"EVCS_CITY_ADDRESS": "http://relay.test/"})
    assert (
        str(plain)
        == "warning: here.toml: EVCS_CITY_ADDRESS: http://relay.test/ is plain http: who listens sees the tokens"
    )


@pytest.mark.parametrize("address", ["https://me:hush@relay.test/", "hush", "https://relay.test/hush"])
def test_a_bad_address_in_the_environment_is_wrong_and_not_shown(address: str, tmp_path: Path) -> None:
    (finding,) = said(tmp_path, GOOD, SECRETS | {"EVCS_CITY_ADDRESS": address})
    assert finding.wrong
    assert str(finding) == "here.toml: EVCS_CITY_ADDRESS: is no http address that ends with a slash"


@pytest.mark.parametrize("must", [False, True])
def test_missing_secrets_are_told_for_each_direction(must: bool, tmp_path: Path) -> None:
    none = said(tmp_path, with_test(), {}, must)
    assert [finding.reason.partition(":")[0] for finding in none] == ["outbound", "inbound"]
    assert {finding.wrong for finding in none} == {must}
    assert "CITY_SIG_SECRET: not set" in none[0].reason
    (inbound,) = said(tmp_path, with_test(), ENVIRONMENT, must)
    assert inbound.reason.startswith("inbound: CITY_INBOUND_OPERATOR_ID")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush-from-a-file")
    environ = {**SECRETS, "CITY_DATA_SECRET": "hush!", "CITY_INBOUND_SIG_SECRET": ""}
    environ["CITY_INBOUND_DATA_SECRET_FILE"] = str(tmp_path / "secret")
    found = said(tmp_path, with_test(), environ, True)
    assert len(found) == 2
    assert not any("hush" in str(finding) or "1234567890abcdef" in str(finding) for finding in found)


def test_a_copy_with_anothers_secrets(tmp_path: Path) -> None:
    text = with_test(GOOD.replace("CITY_", "EVCS_BEIJING_"))
    environ = {name.replace("CITY_", "EVCS_BEIJING_"): value for name, value in SECRETS.items()}
    (finding,) = said(tmp_path, text, environ)
    assert str(finding) == (
        "warning: here.toml: credentials.environment_prefix: EVCS_BEIJING_ is beijing's too: "
        "both would use the same secrets"
    )
    # Of two that are checked together, the second is told; one that replaces the first shares nothing.
    (tmp_path / "beijing.toml").write_text(text, encoding="utf-8")
    together = {"a.toml": tmp_path / "beijing.toml", "b.toml": tmp_path / "city.toml"}
    assert [finding.file for finding in check_profiles(together, environ)] == ["b.toml"]
    assert said(tmp_path, text, environ, name="beijing") == []


def test_the_packaged_ones_are_right() -> None:
    assert not any(finding.wrong for finding in check_profiles(BEIJING, {}))
