"""Every profile is right, and a wrong one is told from where and why without harming the others."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from connectors.platform import Platform, load_platform, load_platforms
from connectors.policies import Retry
from connectors.protocol.errors import BadCredentials, BadProfile, Misconfigured
from tests.connectors.interfaces import records

GOOD = """
title = "A city"
[addresses]
production = "https://city.example/evcs/v1/"
[credentials]
environment_prefix = "CITY_"
[interfaces.notification_stationStatus]
deadline_s = 10
"""

NAMES = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")
ENVIRONMENT = {f"CITY_{name}": "1234567890abcdef" for name in NAMES}
INBOUND = {f"CITY_INBOUND_{name}": "fedcba0987654321" for name in NAMES}


def profile(folder: Path, text: str = GOOD, name: str = "city.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def city(folder: Path, more: str = "") -> Platform:
    return load_platform(profile(folder, GOOD + more))


@pytest.mark.parametrize(
    "name", sorted(f.name for f in files("connectors.platforms").iterdir() if not f.name.startswith("__"))
)
def test_every_shipped_profile_loads(name: str) -> None:
    assert name.endswith(".toml")
    assert load_platform(files("connectors.platforms") / name).name == name.removesuffix(".toml")


def test_beijing() -> None:
    platforms, faults = load_platforms()
    assert not faults
    beijing = platforms["beijing"]
    assert beijing.url("test", "query_token") == "http://hlht.test.zc3u.com/evcs/20160701/query_token"
    status = beijing.url("production", "notification_stationStatus")
    assert status == "http://hlht.zc3u.com/evcs/20160701/notification_stationStatus"
    assert beijing.dialect.is_standard
    assert [beijing.delay_s("notification_charge_order_info", n) for n in range(1, 9)] == [
        150,
        300,
        600,
        900,
        1800,
        3600,
        3600,
        3600,
    ]
    assert beijing.interfaces["notification_equip_charge_status"].cadence_s == 50
    assert beijing.interfaces["notification_stationStatus"].cadence_s == 3 * 3600
    for order in ("notification_charge_order_info", "notification_charge_order_info_for_bonus"):
        assert beijing.interfaces[order].deadline_s == 150


@pytest.mark.parametrize("model", [0, 1, 2, 3])
def test_beijing_1_1_13_and_1_1_14_which_orders_go_where(model: int) -> None:
    pushes = load_platforms().platforms["beijing"].pushes(replace(records.ORDER, charge_model=model))
    bonus = ["notification_charge_order_info_for_bonus"]
    expected = ["notification_charge_order_info", *bonus] if model == 1 else bonus
    assert [interface.name for interface in pushes] == expected


def test_pushes_by_record(tmp_path: Path) -> None:
    platform = city(tmp_path)
    assert [interface.name for interface in platform.pushes(records.STATUS)] == ["notification_stationStatus"]
    assert platform.pushes(records.ORDER) == ()
    assert platform.pushes(object()) == ()
    off = load_platform(profile(tmp_path, GOOD + "on = false\n"))
    assert off.pushes(records.STATUS) == ()
    assert not off.is_on("notification_stationStatus")


def test_defaults_and_paths(tmp_path: Path) -> None:
    platform = load_platform(profile(tmp_path, GOOD + 'path = "notification_station_status"\ncadence_s = 0.5\n'))
    assert platform.name == "city"
    address = platform.url("production", "notification_stationStatus")
    assert address == "https://city.example/evcs/v1/notification_station_status"
    assert platform.interfaces["notification_stationStatus"].cadence_s == 0.5
    assert platform.retry == Retry()
    with pytest.raises(BadProfile, match=r"city\.toml: addresses\.test: is not given"):
        platform.url("test", "notification_stationStatus")


def test_a_dialect_is_read(tmp_path: Path) -> None:
    dialect = city(
        tmp_path,
        """
[dialect]
spelling = "service"
aliases = { TotalSeviceMoney = "TotalServiceFee" }
decimals = { DetailPower = 3 }
lengths = { ConnectorID = 50 }
offline_connector_status = 3
[dialect.left_out]
notification_charge_order_info = ["StopReason"]
[dialect.optional]
notification_start_charge_result = ["Vin"]
[dialect.extra.notification_stationStatus.ConnectorStatusInfo]
AuxPower = 1.10
""",
    ).dialect
    assert dialect.name("TotalSeviceMoney") == "TotalServiceFee"
    assert (dialect.scales["DetailPower"], dialect.limits["ConnectorID"]) == (3, 50)
    assert dialect.wants("notification_start_charge_result", "Vin")
    assert dialect.left_out == {"notification_charge_order_info": frozenset({"StopReason"})}
    assert str(dialect.extra["notification_stationStatus"]) == "{'ConnectorStatusInfo': {'AuxPower': Decimal('1.10')}}"


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("title = ", "", "Invalid value"),
        (GOOD.replace('title = "A city"', ""), "title", "is missing"),
        (GOOD.replace('"A city"', "7"), "title", "Expected `str`"),
        (GOOD.replace("production =", "prod ="), "addresses.prod", "is no setting"),
        (GOOD.replace("v1/", "v1"), "addresses", "ends with a slash"),
        (GOOD.replace("https:", "ftp:"), "addresses", "ends with a slash"),
        (GOOD.replace("environment_prefix", "prefix"), "credentials.prefix", "is no setting"),
        (GOOD.replace("notification_stationStatus", "notification_x"), "interfaces.notification_x", "no file"),
        (
            GOOD.replace("deadline_s = 10", "dead_s = 10"),
            "interfaces.notification_stationStatus.dead_s",
            "is no setting",
        ),
        (
            GOOD.replace("deadline_s = 10", "on = true"),
            "interfaces.notification_stationStatus.deadline_s",
            "is missing",
        ),
        (
            GOOD.replace("= 10", '= "x"'),
            "interfaces.notification_stationStatus.deadline_s",
            "Expected `float`, got `str`",
        ),
        (GOOD.replace("= 10", "= 0"), "interfaces.notification_stationStatus", "above 0"),
        (GOOD + "charge_models = [9]", "interfaces.notification_stationStatus", "charge_models are of"),
        (GOOD + "[timeouts]\nread_s = 99", "timeouts", "at most total_s"),
        (GOOD + "[retry]\nladder_s = []", "retry", "ladder_s must be"),
        (GOOD + "[retry]\nladder_s = [300, 150]", "retry", "ladder_s must be"),
        (GOOD + '[retry]\nladder_s = ["x"]', "retry.ladder_s[0]", "Expected `int`"),
        (GOOD + "[scopes]", "scopes", "is no setting"),
        ("retry = 5\n" + GOOD, "retry", "Expected `object`"),
        (GOOD + '[dialect]\nspelling = "servise"', "dialect.spelling", "Invalid enum value"),
        (GOOD + '[dialect.aliases]\nTotalServiceMoney = "x"', "dialect.aliases.TotalServiceMoney", "is no field"),
        (GOOD + '[dialect.aliases]\nElecMoney = "TotalMoney"', "dialect.aliases", "TotalMoney twice"),
        (GOOD + '[dialect.left_out]\nnotification_x = ["Soc"]', "dialect.left_out.notification_x", "is no interface"),
        (
            GOOD + '[dialect.left_out]\nnotification_stationStatus = ["Soc"]',
            "dialect.left_out.notification_stationStatus.Soc",
            "is no field",
        ),
        (
            GOOD + '[dialect.optional]\nnotification_stationStatus = ["Vin"]',
            "dialect.optional.notification_stationStatus.Vin",
            "is no field",
        ),
        (GOOD + "[dialect.decimals]\nTotalPower = 7", "dialect.decimals.TotalPower", "0 to 6"),
        (GOOD + "[dialect.decimals]\nStatus = 1", "dialect.decimals.Status", "is no field"),
        (GOOD + "[dialect.lengths]\nUserName = 0", "dialect.lengths.UserName", "at least 1"),
    ],
)
def test_a_fault_names_file_key_and_reason(tmp_path: Path, text: str, key: str, reason: str) -> None:
    with pytest.raises(BadProfile) as caught:
        load_platform(profile(tmp_path, text))
    assert (caught.value.file, caught.value.key) == ("city.toml", key)
    assert reason in caught.value.reason
    assert str(caught.value).startswith(f"city.toml: {key}")
    assert isinstance(caught.value, Misconfigured)


def test_a_bad_profile_never_stops_the_others(tmp_path: Path) -> None:
    profile(tmp_path)
    profile(tmp_path, "title = ", "broken.toml")
    profile(tmp_path, GOOD, "Bad_Name.toml")
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "notes.txt").write_text("not a profile")
    platforms, faults = load_platforms(tmp_path)
    assert set(platforms) == {"city"}
    assert [fault.file for fault in faults] == ["Bad_Name.toml", "broken.toml", "folder.toml", "latin.toml"]


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    platforms, faults = load_platforms(tmp_path / "none")
    assert not platforms
    assert [fault.file for fault in faults] == ["none"]


def test_credentials_come_from_the_mapping_by_direction(tmp_path: Path) -> None:
    names = city(tmp_path).credentials
    outbound = names.outbound(ENVIRONMENT | INBOUND)
    inbound = names.inbound(ENVIRONMENT | INBOUND)
    assert outbound.sig_secret.reveal() == "1234567890abcdef"
    assert inbound.sig_secret.reveal() == "fedcba0987654321"
    assert "1234567890abcdef" not in repr(outbound.sig_secret)


def test_a_prefix_for_the_inbound_set(tmp_path: Path) -> None:
    text = GOOD.replace('"CITY_"', '"CITY_"\ninbound_environment_prefix = "OTHER_"')
    names = load_platform(profile(tmp_path, text)).credentials
    with pytest.raises(BadCredentials, match="OTHER_OPERATOR_ID"):
        names.inbound(ENVIRONMENT | INBOUND)


def test_missing_secrets_are_named_all_at_once(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "CITY_DATA_SECRET": ""}
    del environment["CITY_SIG_SECRET"]
    with pytest.raises(BadCredentials) as caught:
        city(tmp_path).credentials.outbound(environment)
    assert caught.value.names == ("CITY_DATA_SECRET", "CITY_SIG_SECRET")


def test_a_secret_of_the_wrong_length_is_named_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match=r"DataSecret: is 5 bytes long, 16 are needed \(CITY_…\)") as caught:
        city(tmp_path).credentials.outbound(ENVIRONMENT | {"CITY_DATA_SECRET": "hush!"})
    assert "hush!" not in str(caught.value)
