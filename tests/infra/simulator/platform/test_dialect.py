"""What a platform may do otherwise than Beijing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from infra.simulator.platform import dialect as names
from infra.simulator.platform.dialect import Dialect, Spelling
from infra.simulator.platform.settings import PlatformSettings
from infra.simulator.platform.threaded import PlatformThread
from infra.simulator.platform.wire_json import Payload, dump, parse
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.manual_clock import ManualClock
from tests.infra.simulator.platform.operator_side import OperatorSide


@contextmanager
def speaking(dialect: Dialect) -> Iterator[OperatorSide]:
    clock = ManualClock()
    with PlatformThread(PlatformSettings(dialect=dialect), clock=clock) as city:
        side = OperatorSide(city.base_url, city.platform.settings, clock)
        yield side
        side.close()


def service_spelt(payload: Payload) -> str:
    return dump(payload).replace("Sevice", "Service")


def test_service_is_spelt_out() -> None:
    with speaking(Dialect(spelling=Spelling.SERVICE)) as side:
        assert side.push(names.BONUS_ORDER, service_spelt(payloads.bonus_order())).ret == 0
        assert "TotalServiceMoney" in side.push(names.BONUS_ORDER, payloads.bonus_order("b")).msg
        wrong = {**payloads.bonus_order("c"), "TotalSeviceMoney": Decimal("6.18")}
        assert "TotalServiceMoney" in side.push(names.BONUS_ORDER, service_spelt(wrong)).msg


def test_a_longer_connector_id() -> None:
    with speaking(Dialect(connector_id_max=50)) as side:
        assert side.push(names.STATION_STATUS, payloads.station_status("1" * 50)).ret == 0
        assert side.push(names.STATION_STATUS, payloads.station_status("1" * 51)).ret == 4004


def test_another_path_and_fewer_interfaces() -> None:
    some = frozenset({names.QUERY_TOKEN, names.STATION_STATUS})
    with speaking(Dialect(base_path="/evcs/v1.0", interfaces=some)) as side:
        assert side.base_url.endswith("/evcs/v1.0")
        assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 0
        assert side.push(names.BONUS_ORDER, payloads.bonus_order()).status == 404


def test_chengdu_1_one_interface_for_orders_and_a_misspelt_route() -> None:
    with speaking(names.CHENGDU) as side:
        assert side.push(names.BONUS_ORDER, payloads.bonus_order()).ret == 0
        assert side.push(names.ORDER, payloads.order()).status == 404
        assert side.push(names.CHECK_ORDERS, payloads.check_orders()).status == 404
        assert side.push("check_charge_order", payloads.check_orders()).ret == 0


def test_chengdu_2_a_start_result_says_how_and_which_vehicle() -> None:
    with speaking(names.CHENGDU) as side:
        said = {**payloads.start_result(), "ChargeModel": 3, "Vin": ""}
        for name in ("ChargeModel", "Vin"):
            lacking = {field: value for field, value in said.items() if field != name}
            assert name in side.push(names.START_RESULT, lacking).msg
        assert side.push(names.START_RESULT, said).ret == 0


def test_extra_fields_are_tolerated_by_name() -> None:
    with speaking(Dialect(extra_fields=frozenset({"PlateNo"}))) as side:
        assert side.push(names.CHARGE_STATUS, {**payloads.charge_status(), "PlateNo": "京A"}).ret == 0
        assert side.push(names.CHARGE_STATUS, {**payloads.charge_status(), "Phone": "1"}).ret == 4004


def test_a_platform_without_charge_model() -> None:
    payload = payloads.charge_status()
    del payload["ChargeModel"]
    with speaking(Dialect(charge_model=False)) as side:
        assert side.push(names.CHARGE_STATUS, payload).ret == 0


def test_three_decimals_of_power_in_a_period() -> None:
    payload = payloads.bonus_order()
    for detail in payload["ChargeDetails"]:
        detail["DetailPower"] = detail["DetailPower"].quantize(Decimal("0.001"))
    with speaking(Dialect(detail_power_scale=3)) as side:
        assert side.push(names.BONUS_ORDER, payload).ret == 0


def test_a_refusal_may_carry_an_encrypted_nothing() -> None:
    with speaking(Dialect(error_data=True)) as side:
        raw = side.raw(names.STATION_STATUS, "{}").json()
        assert parse(side.crypto.decrypt(raw["Data"])) == {}
