"""query_equip_charge_status: the pushed body while a charge runs, the order's sums behind it, nothing before it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.interfaces import charge_details, equip_charge_status
from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.query_equip_charge_status import (
    FIELDS,
    INTERFACE,
    Unstarted,
    of_order,
    of_progress,
    of_unstarted,
    read_request,
)
from connectors.protocol.errors import Unreportable
from schemas.values import ChargeStat
from tests.connectors.interfaces import golden, records
from tests.connectors.interfaces.served.asking import check_identifiers, wire
from tests.connectors.interfaces.test_payloads import names

UNSTARTED = Unstarted(records.SEQ, records.CONNECTOR, 1, records.STARTED, records.STARTED + 5999, ChargeStat.STARTING)

NOTHING = (
    '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":1,'
    '"ConnectorID":"11000000000000090000341000","ConnectorStatus":2,'
    '"CurrentA":0.0,"CurrentB":0.0,"CurrentC":0.0,"VoltageA":0.0,"VoltageB":0.0,"VoltageC":0.0,"Soc":0,'
    '"StartTime":"2020-04-07 10:30:00","EndTime":"2020-04-07 10:30:05",'
    '"TotalPower":0.00,"ElecMoney":0.00,"SeviceMoney":0.00,"TotalMoney":0.00,"SumPeriod":0,"ChargeDetails":[],'
    '"ChargeModel":1}'
)

OF_ORDER = (
    '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":4,'
    '"ConnectorID":"11000000000000090000341000","ConnectorStatus":2,'
    '"CurrentA":0.0,"CurrentB":0.0,"CurrentC":0.0,"VoltageA":0.0,"VoltageB":0.0,"VoltageC":0.0,"Soc":0,'
    '"StartTime":"2020-04-07 10:30:00","EndTime":"2020-04-07 11:30:00",'
    '"TotalPower":12.34,"ElecMoney":11.10,"SeviceMoney":0.90,"TotalMoney":12.00,"SumPeriod":2,'
    + golden.DETAILS % ("6.00", "5.50", "0.50", "6.34", "5.60", "0.40")
    + ',"ChargeModel":3}'
)


def test_what_is_asked() -> None:
    good = {"StartChargeSeq": records.SEQ}
    assert read_request(good, STANDARD) == records.SEQ
    check_identifiers(read_request, good, {"StartChargeSeq": 27})


class TestToTheByte:
    def test_a_running_charge_is_told_as_it_is_pushed(self) -> None:
        assert wire(of_progress(records.PROGRESS, ChargeStat.CHARGING, STANDARD)) == golden.PROGRESS
        assert FIELDS == equip_charge_status.FIELDS

    @pytest.mark.parametrize("stat", [ChargeStat.STOPPING, ChargeStat.ENDED])
    def test_but_for_where_it_stands(self, stat: ChargeStat) -> None:
        told = golden.PROGRESS.replace('"StartChargeSeqStat":2', f'"StartChargeSeqStat":{stat}')
        assert wire(of_progress(records.PROGRESS, stat, STANDARD)) == told

    def test_one_that_has_not_begun(self) -> None:
        told = of_unstarted(UNSTARTED, 2, STANDARD)
        assert wire(told) == NOTHING
        assert set(told) == set(FIELDS) - set(charge_details.FIELDS)

    def test_one_that_never_did(self) -> None:
        told = of_unstarted(replace(UNSTARTED, stat=ChargeStat.ENDED), 2, STANDARD)
        assert wire(told) == NOTHING.replace('"StartChargeSeqStat":1', '"StartChargeSeqStat":4')

    def test_one_whose_order_is_made(self) -> None:
        told = of_order(records.ORDER, 2, STANDARD)
        assert wire(told) == OF_ORDER
        assert set(names(told)) == set(FIELDS)


def test_nothing_is_seen_before_it_was_ordered() -> None:
    """Two machines' clocks may differ."""
    told = of_unstarted(replace(UNSTARTED, seen_at=UNSTARTED.ordered_at - 5000), 2, STANDARD)
    assert told["EndTime"] == told["StartTime"] == "2020-04-07 10:30:00"


@pytest.mark.parametrize(("status", "told"), [(0, 255), (1, 1), (2, 2), (3, 3), (4, 4), (255, 255), (77, 255)])
def test_the_connectors_status(status: int, told: int) -> None:
    assert of_unstarted(UNSTARTED, status, STANDARD)["ConnectorStatus"] == told
    assert of_order(records.ORDER, status, STANDARD)["ConnectorStatus"] == told
    dialect = Dialect(offline_connector_status=1)
    assert of_order(records.ORDER, status, dialect)["ConnectorStatus"] == (told if status in {1, 2, 3, 4, 255} else 1)


def test_an_order_of_more_periods_than_can_be_said() -> None:
    told = of_order(replace(records.ORDER, periods=records.ORDER.periods * 17), 2, STANDARD)
    assert (told["SumPeriod"], told["ChargeDetails"], told["TotalMoney"]) == (0, [], Decimal("12.00"))


def test_what_does_not_fit() -> None:
    with pytest.raises(Unreportable, match="StartChargeSeq: has 28 characters"):
        of_order(replace(records.ORDER, start_charge_seq="1" * 28), 2, STANDARD)
    with pytest.raises(Unreportable, match="ConnectorID: has 27 characters"):
        of_unstarted(replace(UNSTARTED, connector_id="1" * 27), 2, STANDARD)
    with pytest.raises(Unreportable, match="TotalMoney: is no number"):
        of_order(replace(records.ORDER, total_money=Decimal("NaN")), 2, STANDARD)


def test_in_the_platforms_dialect() -> None:
    """Which is the one of this interface, not of the push with the same fields."""
    dialect = Dialect(
        spelling="service",
        left_out={INTERFACE: frozenset({"ChargeModel"}), equip_charge_status.INTERFACE: frozenset({"Soc"})},
        extra={INTERFACE: {"Vin": "", "ChargeDetails": {"Kind": 1}}},
        decimals={"DetailPower": 3},
    )
    for told in (
        of_order(records.ORDER, 2, dialect),
        of_progress(records.PROGRESS, ChargeStat.CHARGING, dialect),
        of_unstarted(UNSTARTED, 2, dialect),
    ):
        assert told.keys() >= {"ServiceMoney", "Soc", "Vin"}
        assert not told.keys() & {"SeviceMoney", "ChargeModel"}
    text = wire(of_order(records.ORDER, 2, dialect))
    assert '"ServicePrice":0.1000,"DetailPower":6.000' in text
    assert text.count('"Kind":1') == 2
