"""`evcs platforms`: shows and checks the profiles, packaged and the operator's own."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.commands.platforms import command
from tests.connectors.test_platform import ENVIRONMENT, GOOD, INBOUND
from tests.infra.commands.processes import evcs

HUSH = "hush-hush-hush-1"


@pytest.fixture(autouse=True)
def nothing_set(clean_environment: pytest.MonkeyPatch) -> None:
    """No variable of the machine is ours."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the operator's own, with one good profile."""
    (tmp_path / "city.toml").write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("EVCS_PLATFORMS", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


class TestList:
    def test_it_shows_what_an_operator_asks_for(self) -> None:
        shown = run("list")
        assert (shown.exit_code, shown.stderr) == (0, "")
        beijing, chengdu = shown.stdout.split("chengdu: ")
        assert beijing.startswith("beijing: 北京市充电设施公共服务管理平台\n")
        for text in (
            "http://hlht.test.zc3u.com/evcs/20160701/",
            "areas 11\n",
            "150/300/600/900/1800/3600 s",
            "notification_stationStatus (within 10 s, every 10800 s)\n",
        ):
            assert text in beijing
        for text in (
            "areas 5101\n",
            "15/15/30/180/1800/1800/1800/1800/3600 s",
            "check_charge_orders (within 10800 s, every 86400 s, as check_charge_order)\n",
            "off         notification_charge_order_info\n",
        ):
            assert text in chengdu

    def test_own_profiles_and_broken_ones(self, own: Path) -> None:
        (own / "beijing.toml").write_text("title =")
        (own / "city.toml").write_text(
            f"""{GOOD}[interfaces.notification_charge_order_info]
deadline_s = 30
ladder_s = [5, 10]
[scope]
operators = ["MA7L4KFB0"]
stations = ["S2", "S1"]
"""
        )
        shown = run("list")
        assert shown.exit_code == 0
        assert shown.stderr.startswith("error: beijing.toml: Invalid value")
        assert "beijing:" not in shown.stdout
        assert "  test        none\n" in shown.stdout
        assert "  scope       operators MA7L4KFB0; stations S1, S2\n" in shown.stdout
        assert "notification_charge_order_info (within 30 s, ladder 5/10 s)\n" in shown.stdout

    def test_a_platform_without_a_scope(self, own: Path) -> None:
        assert "  scope       every station\n" in run("list").stdout

    def test_an_address_in_the_environment_is_named_and_not_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EVCS_BEIJING_ADDRESS", f"http://{HUSH}/")
        shown = run("list").stdout
        assert "  address     as EVCS_BEIJING_ADDRESS says\n" in shown
        assert HUSH not in shown


class TestCheck:
    def test_the_packaged_ones_are_right_and_worth_warnings(self) -> None:
        checked = run("check")
        assert (checked.exit_code, checked.stderr) == (0, "")
        *warnings, last = checked.stdout.splitlines()
        assert last == "right: beijing.toml, chengdu.toml"
        assert all(line.startswith("warning: ") for line in warnings)
        assert any("beijing.toml: addresses.production: http://hlht.zc3u.com" in line for line in warnings)
        assert any("beijing.toml: credentials: outbound: EVCS_BEIJING_OPERATOR_ID" in line for line in warnings)
        assert any("beijing.toml: credentials: inbound: EVCS_BEIJING_INBOUND_OPERATOR_ID" in line for line in warnings)
        assert any("chengdu.toml: addresses.test: http://chengdu.invalid/" in line for line in warnings)

    def test_own_ones_are_called_by_their_path_and_come_in_place_of_packaged_ones(self, own: Path) -> None:
        (own / "beijing.toml").write_text(GOOD, encoding="utf-8")
        assert run("check").stdout.splitlines()[-1] == f"right: {own}/beijing.toml, chengdu.toml, {own}/city.toml"

    def test_every_fault_is_a_line_and_the_others_are_checked_all_the_same(self, own: Path) -> None:
        (own / "broken.toml").write_text("title =")
        (own / "wrong.toml").write_text(GOOD.replace("= 10", "= 0") + "[limits]\norders_in_flight = 0\n")
        checked = run("check")
        assert checked.exit_code == 1
        assert checked.stderr == "2 of 5 wrong\n"
        faults = [line for line in checked.stdout.splitlines() if not line.startswith("warning: ")]
        assert faults[0].startswith(f"{own}/broken.toml: Invalid value")
        assert faults[1:] == [
            f"{own}/wrong.toml: interfaces.notification_stationStatus.deadline_s: must be above 0 and at most 86400",
            f"{own}/wrong.toml: limits.orders_in_flight: must be 1 to 1000",
        ]
        assert f"warning: {own}/city.toml: addresses.test" in checked.stdout

    def test_only_the_named_files(self, own: Path) -> None:
        (own / "broken.toml").write_text("title =")
        checked = run("check", f"{own}/city.toml")
        assert checked.exit_code == 0
        assert "beijing.toml" not in checked.stdout
        assert checked.stdout.splitlines()[-1] == f"right: {own}/city.toml"
        assert run("check", f"{own}/city.toml", f"{own}/broken.toml").stderr == "1 of 2 wrong\n"

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        checked = run("check", f"{tmp_path}/none.toml")
        assert (checked.exit_code, checked.stdout) == (1, f"{tmp_path}/none.toml: No such file or directory\n")

    def test_a_folder_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EVCS_PLATFORMS", f"{tmp_path}/none")
        checked = run("check")
        assert checked.exit_code == 1
        assert checked.stdout.splitlines()[0] == f"EVCS_PLATFORMS: {tmp_path}/none: No such file or directory"
        assert checked.stderr == "1 of 3 wrong\n"

    def test_a_copy_of_a_packaged_one_that_was_not_changed(self, tmp_path: Path) -> None:
        (tmp_path / "shanghai.toml").write_text(GOOD.replace("CITY_", "EVCS_BEIJING_"))
        assert "EVCS_BEIJING_ is beijing's too" in run("check", f"{tmp_path}/shanghai.toml").stdout

    def test_secrets_that_must_be_there(self, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = f"{own}/city.toml"
        assert run("check", file).exit_code == 0
        missing = run("check", "--secrets", file)
        assert missing.exit_code == 1
        assert f"\n{file}: credentials: outbound: CITY_OPERATOR_ID" in missing.stdout
        for name, value in (ENVIRONMENT | INBOUND).items():
            monkeypatch.setenv(name, value)
        assert run("check", "--secrets", file).exit_code == 0

    @pytest.mark.parametrize("name", ["CITY_OPERATOR_ID", "CITY_INBOUND_OPERATOR_ID"])
    def test_an_operator_id_that_is_none(self, name: str, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for known, value in {**ENVIRONMENT, **INBOUND, name: "12"}.items():
            monkeypatch.setenv(known, value)
        checked = run("check", "--secrets", f"{own}/city.toml")
        assert checked.exit_code == 1
        assert f"{name}: is no OperatorID, which has 9 letters and digits" in checked.stdout

    def test_no_secret_is_in_any_output(self, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (own / "secret").write_text(HUSH * 400)
        for name in ENVIRONMENT:
            monkeypatch.setenv(name, ENVIRONMENT[name] if name == "CITY_OPERATOR_ID" else HUSH + "x")
            monkeypatch.setenv(name.replace("CITY_", "CITY_INBOUND_") + "_FILE", str(own / "secret"))
        checked = run("check", "--secrets", f"{own}/city.toml")
        assert checked.exit_code == 1
        assert "is 17 bytes long, 16 are needed" in checked.stdout
        assert "holds more than 4096 bytes" in checked.stdout
        assert HUSH not in checked.output + run("list").output


def test_as_it_is_typed(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("title =")
    process = evcs("platforms", "check", EVCS_PLATFORMS=str(tmp_path))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{tmp_path}/broken.toml: Invalid value" in out
    assert err == "1 of 3 wrong\n"
