"""The collected sample payloads: sound shapes pass once printed with fixed decimals, the variant fails."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.dialect import BEIJING, Dialect
from infra.simulator.platform.errors import FlawsError, Kind
from infra.simulator.platform.rules import build_rules
from infra.simulator.platform.tables import Tables
from infra.simulator.platform.wire_json import Payload, dump, parse

SAMPLES = Path(__file__).parents[3] / "data" / "protocol" / "samples"
ONE_DECIMAL = {"ConnectorPower"}


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / name).read_text("utf-8"), parse_float=Decimal)
    return loaded


def printed(value: object, name: str = "") -> object:
    """The sample's values with as many decimals as the standard prints."""
    if isinstance(value, Decimal):
        return value.quantize(Decimal("0.1" if name in ONE_DECIMAL else "0.01"))
    if isinstance(value, dict):
        return {key: printed(item, key) for key, item in value.items()}
    return value


def check(interface: str, text: str, dialect: Dialect = BEIJING) -> Payload:
    payload = Tables(dialect).by_interface[interface].check(parse(text.encode()))
    assert [flaw for rule in build_rules(dialect).get(interface, ()) for flaw in rule(payload)] == []
    return payload


@pytest.mark.parametrize(
    ("name", "part", "interface"),
    [
        ("02_notification_stationStatus_request.json", "payload", names.STATION_STATUS),
        ("03_query_token_request_response.json", "request", names.QUERY_TOKEN),
        ("06_notification_charge_order_info_2019_teld.json", "payload", names.ORDER),
        ("10_beijing_bonus_order_shape.json", "payload", names.BONUS_ORDER),
    ],
)
def test_a_sound_sample_passes(name: str, part: str, interface: str) -> None:
    payload = printed(sample(name)[part])
    assert check(interface, dump(payload), Dialect(bonus_complete=False)) == payload


def test_the_shape_once_accepted_in_beijing_lacks_what_a_complete_bonus_order_has() -> None:
    payload = printed(sample("10_beijing_bonus_order_shape.json")["payload"])
    with pytest.raises(FlawsError) as caught:
        check(names.BONUS_ORDER, dump(payload))
    assert {(flaw.kind, flaw.field) for flaw in caught.value.flaws} == {
        (Kind.MISSING, name) for name in ("TotalElecMoney", "TotalSeviceMoney", "SumPeriod", "ChargeDetails")
    }


def test_the_variant_of_2020_fails_by_its_decimals_and_its_extra_fields() -> None:
    text = sample("04_notification_charge_order_info_2020.json")["payload_text"]
    with pytest.raises(FlawsError) as caught:
        check(names.ORDER, text)
    flaws = {(flaw.kind, flaw.field) for flaw in caught.value.flaws}
    assert {field for kind, field in flaws if kind == Kind.SCALE} == {
        "TotalPower",
        "TotalSeviceMoney",
        "ChargeDetails[0].DetailPower",
    }
    assert (Kind.UNKNOWN, "AccountDate") in flaws
