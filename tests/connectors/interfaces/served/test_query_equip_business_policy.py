"""query_equip_business_policy: a connector's prices by time of day."""

from decimal import Decimal

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.asked import OfConnector
from connectors.interfaces.served.query_equip_business_policy import FIELDS, read_request, response
from connectors.protocol.errors import Unreportable
from schemas.records.station import TariffPeriod
from tests.connectors.interfaces.served.asking import check_identifiers, wire
from tests.connectors.interfaces.test_payloads import names

GOOD = {"EquipBizSeq": "313744932000000000000000001", "ConnectorID": "11000000000000090000341000"}
ASKED = OfConnector(GOOD["EquipBizSeq"], GOOD["ConnectorID"])
TARIFF = (
    TariffPeriod(0, Decimal("0.3"), Decimal("0.4")),
    TariffPeriod(8 * 3600, Decimal("1.2000"), Decimal(0)),
    TariffPeriod(22 * 3600 + 30 * 60 + 15, Decimal("0.12345"), Decimal("10")),
)

GOLDEN = (
    '{"EquipBizSeq":"313744932000000000000000001","ConnectorID":"11000000000000090000341000","SuccStat":0,'
    '"FailReason":0,"SumPeriod":3,"PolicyInfos":['
    '{"StartTime":"000000","ElecPrice":0.3000,"SevicePrice":0.4000},'
    '{"StartTime":"080000","ElecPrice":1.2000,"SevicePrice":0.0000},'
    '{"StartTime":"223015","ElecPrice":0.1235,"SevicePrice":10.0000}]}'
)


def test_what_is_asked() -> None:
    assert read_request(GOOD, STANDARD) == ASKED
    check_identifiers(read_request, GOOD, {"EquipBizSeq": 27, "ConnectorID": 26})


def test_the_answer_to_the_byte() -> None:
    told = response(ASKED, TARIFF, STANDARD)
    assert wire(told) == GOLDEN
    assert set(names(told)) == set(FIELDS)


def test_without_a_tariff_there_is_no_policy() -> None:
    """And no other answer for a connector that there is not."""
    refused = {"SuccStat": 1, "FailReason": 1, "SumPeriod": 0, "PolicyInfos": []}
    assert response(ASKED, (), STANDARD) == {**GOOD, **refused}


def test_as_many_periods_as_sum_period_can_say() -> None:
    periods = [TariffPeriod(n * 1800, Decimal(1), Decimal(1)) for n in range(33)]
    assert response(ASKED, periods[:32], STANDARD)["SumPeriod"] == 32
    refused = response(ASKED, periods, STANDARD)
    assert (refused["SuccStat"], refused["SumPeriod"], refused["PolicyInfos"]) == (1, 0, [])
    assert response(ASKED, periods, Dialect(lengths={"SumPeriod": 33}))["SumPeriod"] == 33


def test_a_price_that_is_none() -> None:
    with pytest.raises(Unreportable, match="ElecPrice: is no number"):
        response(ASKED, [TariffPeriod(0, Decimal("NaN"), Decimal(1))], STANDARD)


def test_in_the_platforms_dialect() -> None:
    dialect = Dialect(
        spelling="service",
        decimals={"ElecPrice": 2},
        left_out={"query_equip_business_policy": frozenset({"SumPeriod"})},
        extra={"query_equip_business_policy": {"PolicyInfos": {"Currency": "CNY"}}},
    )
    text = wire(response(ASKED, TARIFF[:1], dialect))
    assert '{"StartTime":"000000","ElecPrice":0.30,"ServicePrice":0.4000,"Currency":"CNY"}' in text
    assert "SumPeriod" not in text
