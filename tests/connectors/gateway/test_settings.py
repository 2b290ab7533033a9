"""The settings of one gateway: what it serves and where, and what it says of what is missing or can't be."""

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import MisconfiguredService
from connectors.gateway.settings import GatewaySettings, Listening, routes
from connectors.protocol.errors import BadCredentials, BadProfile
from tests.connectors.gateway.callers import CITY, HARBOUR
from tests.connectors.gateway.house import peer
from tests.connectors.test_platform import GOOD

HUSH = "hush-hush-hush-1"
NAMES = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")


def secrets(platform: str, operator_id: str) -> dict[str, str]:
    """What must be set for one platform's calls."""
    prefix = f"EVCS_{platform}_INBOUND_"
    return {f"{prefix}{name}": HUSH for name in NAMES} | {f"{prefix}OPERATOR_ID": operator_id}


BEIJING, CHENGDU = secrets("BEIJING", "313744932"), secrets("CHENGDU", "510100001")


def served(settings: GatewaySettings) -> list[str]:
    return [one.name for one in settings.peers]


class TestPlatforms:
    def test_those_that_are_named(self) -> None:
        settings = GatewaySettings.from_env(["chengdu", "beijing", "chengdu"], BEIJING | CHENGDU)
        assert served(settings) == ["chengdu", "beijing"]
        assert [one.credentials.operator_id for one in settings.peers] == ["510100001", "313744932"]
        assert HUSH not in repr(settings)

    def test_without_names_all_that_have_secrets(self, caplog: pytest.LogCaptureFixture) -> None:
        assert served(GatewaySettings.from_env(environ=BEIJING | CHENGDU)) == ["beijing", "chengdu"]
        assert not caplog.records
        assert served(GatewaySettings.from_env(environ=BEIJING)) == ["beijing"]
        assert "chengdu is left out: EVCS_CHENGDU_INBOUND_OPERATOR_ID" in caplog.text

    def test_of_those_that_are_named_no_secret_may_be_missing(self) -> None:
        lacking = {name: value for name, value in BEIJING.items() if "SIG" not in name}
        with pytest.raises(BadCredentials, match="EVCS_BEIJING_INBOUND_SIG_SECRET: not set") as caught:
            GatewaySettings.from_env(["beijing"], lacking)
        assert HUSH not in str(caught.value)

    def test_the_secrets_of_our_own_calls_do_not_do(self) -> None:
        ours = {name.replace("_INBOUND", ""): value for name, value in BEIJING.items()}
        with pytest.raises(BadCredentials, match="EVCS_BEIJING_INBOUND_OPERATOR_ID"):
            GatewaySettings.from_env(["beijing"], ours)

    def test_nobody_to_serve(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(MisconfiguredService, match="no platform can be served"):
            GatewaySettings.from_env(environ={})
        assert "beijing is left out" in caplog.text

    def test_a_platform_that_there_is_not(self) -> None:
        with pytest.raises(MisconfiguredService, match="no platform 'atlantis': there are beijing, chengdu"):
            GatewaySettings.from_env(["atlantis"], BEIJING)

    def test_a_profile_that_is_wrong(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "city.toml").write_text(GOOD.replace("title", "titel"), encoding="utf-8")
        own = {"EVCS_PLATFORMS": str(tmp_path), **BEIJING, **secrets("CITY", "440100001")}
        assert served(GatewaySettings.from_env(environ=own)) == ["beijing"]
        assert "left out: city.toml: titel: is no setting" in caplog.text
        with pytest.raises(BadProfile, match=r"city\.toml: titel"):
            GatewaySettings.from_env(["city"], own)

    def test_two_that_can_not_be_told_apart(self) -> None:
        alike = BEIJING | secrets("CHENGDU", "313744932")
        for names in ([], ["beijing", "chengdu"]):
            with pytest.raises(
                MisconfiguredService, match=r"beijing and chengdu call /evcs/20160701/.* same OperatorID"
            ):
                GatewaySettings.from_env(names, alike)
        assert served(GatewaySettings.from_env(["chengdu"], alike)) == ["chengdu"]


class TestRoutes:
    def test_an_interface_is_found_by_its_path_and_its_platform_by_the_operator_id(self) -> None:
        city, harbour = peer(), peer(HARBOUR, "harbour")
        found = routes([city, harbour])
        assert len(found) == 9
        assert found["/evcs/20160701/query_token"] == (
            "query_token",
            {CITY.operator_id: city, HARBOUR.operator_id: harbour},
        )

    def test_with_another_base_path_the_operator_id_may_be_the_same(self) -> None:
        one, other = peer(), peer(name="twin", base_path="/twin/")
        found = routes([one, other])
        assert len(found) == 18
        assert found["/evcs/20160701/query_token"].peers == {CITY.operator_id: one}
        assert found["/twin/query_token"].peers == {CITY.operator_id: other}

    def test_with_the_same_it_may_not(self) -> None:
        with pytest.raises(
            MisconfiguredService, match=r"city and twin call .* give one of them another gateway\.base_path"
        ):
            routes([peer(), peer(name="twin")])

    def test_a_path_may_not_be_two_interfaces(self) -> None:
        odd = peer(HARBOUR, "harbour")
        named = {**odd.platform.interfaces}
        named["query_token"] = replace(named["query_token"], path="query_equip_auth")
        named["query_equip_auth"] = replace(named["query_equip_auth"], on=False)
        odd.platform = replace(odd.platform, interfaces=named)
        told = "/evcs/20160701/query_equip_auth is query_equip_auth for one platform and query_token for harbour"
        with pytest.raises(MisconfiguredService, match=told):
            routes([peer(), odd])

    def test_an_interface_that_is_off_is_not_served(self) -> None:
        one = peer()
        off = replace(one.platform.interfaces["query_start_charge"], on=False)
        one.platform = replace(one.platform, interfaces={**one.platform.interfaces, "query_start_charge": off})
        assert "/evcs/20160701/query_start_charge" not in routes([one])
        both = routes([one, peer(HARBOUR, "harbour")])
        assert list(both["/evcs/20160701/query_start_charge"].peers) == [HARBOUR.operator_id]


class TestListening:
    def test_defaults(self) -> None:
        assert Listening.from_env({}) == Listening("127.0.0.1", 8080, "127.0.0.1", 8081, "", "")
        assert GatewaySettings.from_env(["beijing"], BEIJING).listening == Listening()

    def test_all_that_can_be_set(self) -> None:
        given = {"HOST": "0.0.0.0", "PORT": "443", "ADMIN_HOST": "::1", "ADMIN_PORT": "0"}
        environ = {f"EVCS_GATEWAY_{name}": value for name, value in given.items()}
        environ |= {"EVCS_GATEWAY_TLS_CERTIFICATE": "c.pem", "EVCS_GATEWAY_TLS_KEY": "k.pem"}
        assert Listening.from_env(environ) == Listening("0.0.0.0", 443, "::1", 0, "c.pem", "k.pem")

    @pytest.mark.parametrize("name", ["EVCS_GATEWAY_PORT", "EVCS_GATEWAY_ADMIN_PORT"])
    @pytest.mark.parametrize("port", ["65536", "-1", "http", "80.5", " 80", "８０", "9" * 5000, "0x50"])
    def test_what_is_no_port(self, name: str, port: str) -> None:
        with pytest.raises(MisconfiguredService, match=name):
            Listening.from_env({name: port})

    @pytest.mark.parametrize("half", ["EVCS_GATEWAY_TLS_CERTIFICATE", "EVCS_GATEWAY_TLS_KEY"])
    def test_half_of_tls_is_none(self, half: str) -> None:
        with pytest.raises(MisconfiguredService, match="belong together"):
            Listening.from_env({half: "file.pem"})

    def test_another_place_than_the_environments(self) -> None:
        settings = GatewaySettings.from_env(["beijing"], BEIJING | {"EVCS_GATEWAY_PORT": "9000"})
        moved = settings.listening_at(port=0, host=None, admin_port=1234)  # type: ignore[arg-type]
        assert moved.listening == Listening(port=0, admin_port=1234)
        assert moved.peers is settings.peers
        assert settings.listening_at().listening == Listening(port=9000)
        with pytest.raises(MisconfiguredService, match="EVCS_GATEWAY_PORT is 70000"):
            settings.listening_at(port=70_000)
