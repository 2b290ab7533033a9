"""Every profile is right, and a wrong one is told from where and why without harming the others."""

import tomllib
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.delivery.topics import rungs
from connectors.interfaces.registry import interfaces
from connectors.interfaces.served.registry import served
from connectors.platform import (
    OWN_PROFILES,
    TABLES,
    Platform,
    load_platform,
    load_platforms,
    platform_of,
    profile_files,
    read_platform,
)
from connectors.policies import Addresses, BreakerPolicy, GatewayPolicy, Limits, Reconciliation, Retry, Scope, Timeouts
from connectors.profile_tables import ProfileTables
from connectors.protocol.errors import BadCredentials, BadProfile, Misconfigured
from schemas.records.derived import Order
from tests.connectors.interfaces import records

GOOD = """
title = "A city"
[addresses]
production = "https://city.example/evcs/v1/"
[credentials]
environment_prefix = "CITY_"
[interfaces.query_token]
deadline_s = 1
[interfaces.notification_stationStatus]
deadline_s = 10
"""

NAMES = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")
ENVIRONMENT = {f"CITY_{name}": "1234567890abcdef" for name in NAMES} | {"CITY_OPERATOR_ID": "123456789"}
INBOUND = {f"CITY_INBOUND_{name}": "fedcba0987654321" for name in NAMES} | {"CITY_INBOUND_OPERATOR_ID": "MA0PLATF1"}


def profile(folder: Path, text: str = GOOD, name: str = "city.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def city(folder: Path, more: str = "") -> Platform:
    return load_platform(profile(folder, GOOD + more))


SHIPPED = sorted(f.name for f in files("connectors.platforms").iterdir() if not f.name.startswith("__"))


@pytest.mark.parametrize("name", SHIPPED)
class TestEveryShippedProfile:
    def platform(self, name: str) -> Platform:
        assert name.endswith(".toml")
        return load_platform(files("connectors.platforms") / name)

    def test_loads(self, name: str) -> None:
        assert self.platform(name).name == name.removesuffix(".toml")
        assert self.platform(name).title

    def test_says_everything_in_so_many_words(self, name: str) -> None:
        raw = tomllib.loads((files("connectors.platforms") / name).read_text(encoding="utf-8"))
        assert set(raw) == {f.name for f in fields(Platform)} - {"name"}
        for table, shape in (
            ("timeouts", Timeouts),
            ("limits", Limits),
            ("breaker", BreakerPolicy),
            ("retry", Retry),
            ("gateway", GatewayPolicy),
        ):
            assert set(raw[table]) == {f.name for f in fields(shape)}, table

    def test_says_of_every_interface_how_it_is_used(self, name: str) -> None:
        assert set(self.platform(name).interfaces) == {*interfaces(), *served()}

    def test_tells_every_order_at_least_once(self, name: str) -> None:
        for model in (0, 1, 2, 3):
            assert self.platform(name).pushes(replace(records.ORDER, charge_model=model))

    def test_has_secrets_and_an_area_of_its_own(self, name: str) -> None:
        platform = self.platform(name)
        variable = f"EVCS_{platform.name.upper().replace('-', '_')}"
        assert platform.address_variable == f"{variable}_ADDRESS"
        assert platform.credentials.environment_prefix == f"{variable}_"
        assert platform.credentials.inbound_prefix == f"{variable}_INBOUND_"
        assert platform.scope.areas


def test_beijing() -> None:
    platforms, faults = load_platforms(environ={})
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


def test_chengdu_differs_in_ladder_path_and_start_result() -> None:
    chengdu = load_platforms().platforms["chengdu"]
    bonus = "notification_charge_order_info_for_bonus"
    ladder = [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600, 3600]
    assert [chengdu.delay_s(bonus, n) for n in range(1, 11)] == ladder
    assert rungs([chengdu]) == [15, 30, 180, 1800, 3600]
    assert chengdu.interfaces[bonus].deadline_s == 30
    assert [interface.name for interface in chengdu.pushes(replace(records.ORDER, charge_model=1))] == [bonus]
    assert chengdu.dialect.wants("notification_start_charge_result", "ChargeModel")
    assert chengdu.dialect.wants("notification_start_charge_result", "Vin")
    relay = replace(chengdu, addresses=Addresses("https://relay.test/evcs/"))
    assert relay.url("production", "check_charge_orders") == "https://relay.test/evcs/check_charge_order"


def test_a_placeholder_is_never_called() -> None:
    chengdu = load_platforms().platforms["chengdu"]
    for target in ("test", "production"):
        with pytest.raises(BadProfile, match=r"chengdu\.toml: addresses\.\w+: is a placeholder: set EVCS_CHENGDU_ADDR"):
            chengdu.url(target, "query_token")


@pytest.mark.parametrize("model", [0, 1, 2, 3])
def test_beijing_1_1_13_and_1_1_14_which_orders_go_where(model: int) -> None:
    pushes = load_platforms().platforms["beijing"].pushes(replace(records.ORDER, charge_model=model))
    bonus = ["notification_charge_order_info_for_bonus"]
    expected = ["notification_charge_order_info", *bonus] if model == 1 else bonus
    assert [interface.name for interface in pushes] == expected


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = profile(tmp_path, GOOD)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_platform(file).name == "city"


def test_a_name_for_which_topics_have_no_room(tmp_path: Path) -> None:
    file = profile(tmp_path, GOOD)
    assert load_platform(file.rename(tmp_path / f"{'x' * 29}.toml")).name == "x" * 29
    with pytest.raises(BadProfile, match="has a name of 30 characters: 29 are the most"):
        load_platform((tmp_path / f"{'x' * 29}.toml").rename(tmp_path / f"{'x' * 30}.toml"))


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
query_stations_info = ["Pictures"]
[dialect.optional]
notification_start_charge_result = ["Vin"]
[dialect.extra.notification_stationStatus.ConnectorStatusInfo]
AuxPower = 1.10
""",
    ).dialect
    assert dialect.name("TotalSeviceMoney") == "TotalServiceFee"
    assert (dialect.scales["DetailPower"], dialect.limits["ConnectorID"]) == (3, 50)
    assert dialect.wants("notification_start_charge_result", "Vin")
    assert dialect.left_out == {
        "notification_charge_order_info": frozenset({"StopReason"}),
        "query_stations_info": frozenset({"Pictures"}),
    }
    assert str(dialect.extra["notification_stationStatus"]) == "{'ConnectorStatusInfo': {'AuxPower': Decimal('1.10')}}"


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("title = ", "", "Invalid value"),
        ("a = " + "[" * 5_000, "", "is nested too deep"),
        (GOOD + f"[retry]\ngive_up_s = {'9' * 5_000}", "", "integer"),
        (GOOD.replace('title = "A city"', ""), "title", "is missing"),
        (GOOD.replace('"A city"', "7"), "title", "Expected `str`"),
        (GOOD.replace("production =", "prod ="), "addresses.prod", "is no setting"),
        (GOOD.replace("v1/", "v1"), "addresses.production", "ends with a slash"),
        (GOOD.replace("https:", "ftp:"), "addresses.production", "ends with a slash"),
        (GOOD.replace("https://city.example/evcs/v1/", ""), "addresses.production", "is empty"),
        (GOOD.replace("[cred", 'test = "moon"\n[cred'), "addresses.test", "'moon' is no http address"),
        (GOOD.replace("city.example", "me:hush@city.example"), "addresses.production", "holds an @"),
        (GOOD.replace('"CITY_"', '"city_"'), "credentials.environment_prefix", "must be capitals"),
        (GOOD.replace('"CITY_"', '"CITY"'), "credentials.environment_prefix", "end with one"),
        (
            GOOD.replace('"CITY_"', '"CITY_"\ninbound_environment_prefix = "CITY_"'),
            "credentials.inbound_environment_prefix",
            "is environment_prefix too",
        ),
        (GOOD.replace("query_token", "check_charge_orders"), "interfaces.query_token", "is missing, or off"),
        (GOOD.replace("_s = 1\n", "_s = 1\non = false\n"), "interfaces.query_token", "is missing, or off"),
        (GOOD.replace("query_token", "query_nothing"), "interfaces.query_nothing", "no file of"),
        ("interfaces = 5\n" + GOOD.partition("[interfaces")[0], "interfaces", "Expected `object`"),
        (GOOD + 'path = "/x"', "interfaces.notification_stationStatus.path", "'/x' is no path"),
        (GOOD + 'path = "../x"', "interfaces.notification_stationStatus.path", "is no path"),
        (GOOD + 'path = "x?y"', "interfaces.notification_stationStatus.path", "is no path"),
        (
            GOOD + 'path = "query_token"',
            "interfaces.notification_stationStatus.path",
            "is another interface's path too",
        ),
        (GOOD + "ladder_s = [5]", "interfaces.notification_stationStatus.ladder_s", "is for orders only"),
        (
            GOOD + "[interfaces.notification_charge_order_info]\ndeadline_s = 1\nladder_s = [5, 4]",
            "interfaces.notification_charge_order_info.ladder_s",
            "never go down",
        ),
        (GOOD + "cadence_s = 0", "interfaces.notification_stationStatus.cadence_s", "above 0"),
        (GOOD.replace("= 10", "= nan"), "interfaces.notification_stationStatus.deadline_s", "above 0"),
        (GOOD.replace("= 10", "= inf"), "interfaces.notification_stationStatus.deadline_s", "above 0"),
        (GOOD.replace("= 10", f"= 1{'0' * 400}"), "interfaces.notification_stationStatus.deadline_s", ""),
        (GOOD + "charge_models = []", "interfaces.notification_stationStatus.charge_models", "must be some of"),
        (GOOD + '[scope]\noperators = ["x"]', "scope.operators", "'x' is no OperatorID"),
        (GOOD + '[scope]\nareas = ["1101050"]', "scope.areas", "is not 1 to 6 digits"),
        (GOOD + '[scope]\nareas = ["京"]', "scope.areas", "is not 1 to 6 digits"),
        (GOOD + '[scope]\nareas = "11"', "scope.areas", "Expected `array`"),
        (GOOD + '[scope]\nstations = [" "]', "scope.stations", "is no StationID"),
        (GOOD + "[limits]\norders_in_flight = 0", "limits.orders_in_flight", "must be 1 to"),
        (GOOD + "[limits]\nstates_in_flight = 100000", "limits.states_in_flight", "must be 1 to"),
        (GOOD + "[limits]\nper_second = -1", "limits.per_second", "must be 0"),
        (GOOD + "[limits]\nper_second = nan", "limits.per_second", "must be 0"),
        (GOOD + "[breaker]\nconsecutive = 0", "breaker.consecutive", "at least 1"),
        (GOOD + "[breaker]\nleast = 0", "breaker.least", "1 to 1000000"),
        (GOOD + "[breaker]\nleast = 1000001", "breaker.least", "1 to 1000000"),
        (GOOD + "[breaker]\nfailure_share = 1.5", "breaker.failure_share", "at most 1"),
        (GOOD + "[breaker]\nwindow_s = 0", "breaker.window_s", "above 0"),
        (GOOD + "[breaker]\nprobe_first_s = 99", "breaker.probe_first_s", "at most probe_max_s"),
        (GOOD + "[breaker]\nprobe_max_s = inf", "breaker.probe_max_s", "above 0"),
        (GOOD + "[breaker]\npaused_probe_s = 0", "breaker.paused_probe_s", "above 0"),
        (GOOD + "[timeouts]\ntotal_s = 3600", "timeouts.total_s", "at most 300"),
        (GOOD + "[timeouts]\nconnect_s = 0", "timeouts.connect_s", "above 0"),
        (GOOD + "[retry]\nladder_s = [0]", "retry.ladder_s", "must be 1 to 32 rungs"),
        (GOOD + "[retry]\nladder_s = [864000]", "retry.ladder_s", "of 1 to 86400"),
        (GOOD + f"[retry]\nladder_s = {[*range(1, 40)]}", "retry.ladder_s", "must be 1 to 32 rungs"),
        (GOOD + "[retry]\nin_place_s = []", "retry.in_place_s", "must be 1 to 32 waits"),
        (GOOD + "[retry]\nin_place_s = [0]", "retry.in_place_s", "above 0"),
        (GOOD + "[retry]\nresults_attempts = 0", "retry.results_attempts", "at least 1"),
        (GOOD + "[retry]\ngive_up_s = -1", "retry.give_up_s", "or above"),
        (GOOD + '[reconciliation]\nday_of = "noon"', "reconciliation.day_of", "Invalid enum value 'noon'"),
        (GOOD + "[reconciliation]\norders_per_request = 0", "reconciliation.orders_per_request", "1 to 5000"),
        (GOOD + "[reconciliation]\norders_per_request = 9999", "reconciliation.orders_per_request", "1 to 5000"),
        (GOOD + "[reconciliation]\nsettle_s = -1", "reconciliation.settle_s", "0 to 3600"),
        (GOOD + "[reconciliation]\nlook_back_days = 0", "reconciliation.look_back_days", "1 to 31"),
        (GOOD + "[reconciliation]\nlook_back_days = 99", "reconciliation.look_back_days", "1 to 31"),
        (GOOD + '[confirm_results]\n1 = "retry"', "confirm_results.1", "is no ConfirmResult"),
        (GOOD + '[confirm_results]\n100 = "retry"', "confirm_results.100", "is no ConfirmResult"),
        (GOOD + '[confirm_results]\n2 = "drop"', "confirm_results.2", "Invalid enum value 'drop'"),
        ("confirm_results = 5\n" + GOOD, "confirm_results", "Expected `object`"),
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
        (GOOD.replace("= 10", "= 0"), "interfaces.notification_stationStatus.deadline_s", "above 0"),
        (GOOD + "charge_models = [9]", "interfaces.notification_stationStatus.charge_models", "must be some of"),
        (GOOD + "[timeouts]\nread_s = 99", "timeouts.read_s", "at most total_s"),
        (GOOD + "[retry]\nladder_s = []", "retry.ladder_s", "must be"),
        (GOOD + "[retry]\nladder_s = [300, 150]", "retry.ladder_s", "must be"),
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
        (
            GOOD + '[dialect.left_out]\nquery_stations_info = ["Soc"]',
            "dialect.left_out.query_stations_info.Soc",
            "is no field",
        ),
        (GOOD + '[dialect.aliases]\nStationTel = "ServiceTel"', "dialect.aliases", "ServiceTel twice"),
        (GOOD + "[dialect.lengths]\nStationType = 3", "dialect.lengths.StationType", "is no field"),
        (
            GOOD + "[dialect.extra.query_stations_info]\nPageNo = 3",
            "dialect.extra.query_stations_info.PageNo",
            "sent already",
        ),
        (GOOD + '[dialect.aliases]\nElecMoney = ""', "dialect.aliases.ElecMoney", "is empty"),
        (GOOD + "[dialect.extra.notification_x]\nA = 1", "dialect.extra.notification_x", "is no interface"),
        (
            GOOD + "[dialect.extra.notification_stop_charge_result]\nSuccStat = 0",
            "dialect.extra.notification_stop_charge_result.SuccStat",
            "is a field that is sent already",
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
    assert "hush" not in str(caught.value)
    assert isinstance(caught.value, Misconfigured)


def test_every_fault_of_a_file_is_told(tmp_path: Path) -> None:
    text = (
        GOOD.replace('"A city"', "7").replace("= 10", "= 0")
        + """cadence_s = "x"
[interfaces.notification_x]
[scope]
areas = ["x", "11", "y"]
[retry]
ladder_s = [5, 1]
give_up_s = -1
[limits]
orders_in_flight = 0
per_minute = 3
[dialect.aliases]
Nothing = "x"
[confirm_results]
1 = "retry"
2 = "drop"
"""
    )
    platform, faults = read_platform(profile(tmp_path, text))
    assert platform is None
    assert sorted(fault.key for fault in faults) == [
        "confirm_results.1",
        "confirm_results.2",
        "dialect.aliases.Nothing",
        "interfaces.notification_stationStatus.cadence_s",
        "interfaces.notification_x",
        "limits.per_minute",
        "retry.give_up_s",
        "retry.ladder_s",
        "scope.areas",
        "scope.areas",
        "title",
    ]
    with pytest.raises(BadProfile) as caught:
        load_platform(profile(tmp_path, text))
    assert str(caught.value) == str(faults[0])
    assert [str(fault) for fault in load_platforms(tmp_path).faults] == [str(fault) for fault in faults]


def test_all_that_a_profile_decides_is_read(tmp_path: Path) -> None:
    platform = city(
        tmp_path,
        """
[interfaces.notification_charge_order_info]
deadline_s = 30
ladder_s = [5, 5, 10]
[scope]
operators = ["MA7L4KFB0"]
areas = ["1101", "5101"]
stations = ["S1"]
[limits]
orders_in_flight = 1
states_in_flight = 2
per_second = 2.5
[retry]
ladder_s = [60]
give_up_s = 604800
[reconciliation]
day_of = "start"
orders_per_request = 50
settle_s = 0
look_back_days = 1
report_empty_days = false
[confirm_results]
2 = "retry"
99 = "dead_letter"
""",
    )
    assert platform.scope == Scope(frozenset({"MA7L4KFB0"}), ("1101", "5101"), frozenset({"S1"}))
    assert platform.limits == Limits(1, 2, 2.5)
    assert platform.retry == Retry(ladder_s=(60,), give_up_s=604_800)
    assert platform.reconciliation == Reconciliation("start", 50, 0, 1, report_empty_days=False)
    assert platform.confirm_results == {2: "retry", 99: "dead_letter"}
    assert platform.ladder_s("notification_charge_order_info") == (5, 5, 10)
    assert platform.ladder_s("notification_stationStatus") == (60,)
    assert [platform.delay_s("notification_charge_order_info", n) for n in (1, 2, 3, 4, 99)] == [5, 5, 10, 10, 10]
    assert interfaces()["notification_charge_order_info"].record is Order


def test_a_bad_profile_never_stops_the_others(tmp_path: Path) -> None:
    profile(tmp_path)
    profile(tmp_path, "title = ", "broken.toml")
    profile(tmp_path, GOOD, "Bad_Name.toml")
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to("nowhere")
    (tmp_path / "notes.txt").write_text("not a profile")
    platforms, faults = load_platforms(tmp_path)
    assert set(platforms) == {"city"}
    bad = ["Bad_Name.toml", "broken.toml", "folder.toml", "gone.toml", "latin.toml"]
    assert [fault.file for fault in faults] == bad
    assert all(fault.reason for fault in faults)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from(
        [
            ("title",),
            ("interfaces",),
            ("interfaces", "query_token"),
            ("interfaces", "check_charge_orders"),
            ("dialect", "extra"),
            ("dialect", "left_out", "check_charge_orders"),
            ("confirm_results",),
            *((name, g.name) for name, shape in TABLES.items() for g in fields(shape)),
        ]
    ),
    value=JSON,
)
def test_whatever_a_setting_is_a_fault_is_all_that_comes_of_it(path: tuple[str, ...], value: object) -> None:
    raw = tomllib.loads(GOOD)
    table = raw
    for name in path[:-1]:
        table = table.setdefault(name, {})
    table[path[-1]] = value
    tables = ProfileTables("city.toml")
    platform = platform_of(tables, "city", raw)
    assert (platform is None) == bool(tables.faults)


class TestOwnProfiles:
    """EVCS_PLATFORMS: a folder of the operator's own."""

    def test_they_join_the_packaged_ones(self, tmp_path: Path) -> None:
        profile(tmp_path)
        platforms, faults = load_platforms(environ={OWN_PROFILES: str(tmp_path)})
        assert not faults
        assert set(platforms) == {"city", *(name.removesuffix(".toml") for name in SHIPPED)}
        assert profile_files({OWN_PROFILES: str(tmp_path)}).files["city"] == tmp_path / "city.toml"

    def test_one_of_the_same_name_replaces_a_packaged_one(self, tmp_path: Path) -> None:
        profile(tmp_path, name="beijing.toml")
        platforms, faults = load_platforms(environ={OWN_PROFILES: str(tmp_path)})
        assert not faults
        assert platforms["beijing"].title == "A city"
        assert "chengdu" in platforms

    def test_a_broken_one_never_gives_way_to_a_packaged_one(self, tmp_path: Path) -> None:
        profile(tmp_path, "title = ", "beijing.toml")
        platforms, faults = load_platforms(environ={OWN_PROFILES: str(tmp_path)})
        assert [fault.file for fault in faults] == ["beijing.toml"]
        assert "beijing" not in platforms
        assert "chengdu" in platforms

    def test_a_folder_that_is_not_there_is_a_fault_and_the_packaged_ones_stay(self, tmp_path: Path) -> None:
        platforms, faults = load_platforms(environ={OWN_PROFILES: str(tmp_path / "none")})
        assert [str(fault) for fault in faults] == [f"EVCS_PLATFORMS: {tmp_path}/none: No such file or directory"]
        assert "beijing" in platforms

    @pytest.mark.parametrize("environment", [{}, {OWN_PROFILES: ""}])
    def test_without_it_there_are_the_packaged_ones(self, environment: dict[str, str]) -> None:
        assert [f"{name}.toml" for name in load_platforms(environ=environment).platforms] == SHIPPED

    def test_the_environment_is_read_when_none_is_given(
        self, tmp_path: Path, clean_environment: pytest.MonkeyPatch
    ) -> None:
        profile(tmp_path)
        clean_environment.setenv(OWN_PROFILES, str(tmp_path))
        assert "city" in load_platforms().platforms
        clean_environment.delenv(OWN_PROFILES)
        assert "city" not in load_platforms().platforms


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
