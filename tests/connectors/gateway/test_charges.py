"""Where a charge stands: ordered, running, told to stop, ended, billed, failed, or not known."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.gateway.charges import Charges
from connectors.gateway.views.sight import Sight
from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.policies import Scope
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.values import ChargeStat
from tests.connectors.gateway.house import NEIGHBOUR, House, a_station
from tests.streams.domain.records import (
    CONNECTOR,
    FLAT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    Partition,
    bill,
    charging,
    failed,
    plugged,
    sample,
    started,
    stopped,
)

STARTING, CHARGING, STOPPING, ENDED, UNKNOWN = ChargeStat
START = StartCharge(SEQ, CONNECTOR, 1, "", NOON, NOON + 30 * SECOND)
STOP = StopCharge(SEQ, CONNECTOR, NOON + MINUTE)

#: By when a start is answered, or has failed.
ANSWERED = NOON + 90 * SECOND


class Desk:
    """What the views know, and what is told of the charge."""

    def __init__(self, *commands: StartCharge | StopCharge, dialect: Dialect = STANDARD) -> None:
        self.house, self.run, self.dialect = House(), Partition(a_station(tariff=FLAT)), dialect
        self.charges = Charges(Sight(Scope(areas=("11",)), self.house.views), self.house.views, "city")
        self.run.sample(sample(NOON - SECOND), sample(NOON - SECOND, connector_id=NEIGHBOUR))
        for command in commands:
            self.house.views.commands.note(command)

    def runs(self) -> "Desk":
        """For a minute, with 100 Wh."""
        self.run.event(started(NOON)).sample(charging(NOON), charging(NOON + 50 * SECOND, 1_000_100))
        return self

    def fails(self) -> "Desk":
        """Its start, a second before it would have begun."""
        self.run.event(failed(NOON - SECOND))
        return self

    def ends(self) -> "Desk":
        """With 120 Wh, at the end of the minute; its bill has not come."""
        self.run.event(stopped(NOON + MINUTE, 1_000_120)).sample(plugged(NOON + MINUTE + SECOND, 1_000_120))
        return self

    def is_billed(self) -> "Desk":
        """Which makes its order."""
        self.run.event(bill(NOON + MINUTE + 2 * SECOND))
        return self

    def told(self, now: int = NOON + MINUTE) -> dict[str, Any]:
        """query_equip_charge_status; {} for a charge that is not known."""
        self.house.follow(self.run)
        return self.charges.status(SEQ, self.dialect, now) or {}

    def stats(self, now: int = NOON + MINUTE) -> tuple[ChargeStat | None, int | None]:
        """What the command desk sees of it, and what the platform is told."""
        told = self.told(now)
        return self.charges.stat(SEQ, CONNECTOR, now), told.get("StartChargeSeqStat")


def test_at_every_stage() -> None:
    assert Desk().stats() == (None, None)
    assert Desk(START).stats() == (STARTING, 1)
    assert Desk().runs().stats() == (CHARGING, 2)
    assert Desk(START).runs().stats() == (CHARGING, 2)
    assert Desk(START, STOP).stats() == (STOPPING, 3)
    assert Desk(START, STOP).runs().stats() == (STOPPING, 3)
    assert Desk(STOP).runs().stats() == (STOPPING, 3)
    assert Desk(START, STOP).runs().ends().stats() == (ENDED, 4)
    assert Desk(START).runs().ends().is_billed().stats() == (ENDED, 4)
    assert Desk().runs().ends().is_billed().stats() == (ENDED, 4)


def test_ordered_and_not_begun() -> None:
    told = Desk(START).told(NOON + 5 * SECOND)
    assert told["StartTime"] == "2025-03-03 12:00:00"
    assert told["EndTime"] == "2025-03-03 12:00:05"
    assert (told["ConnectorID"], told["ConnectorStatus"], told["ChargeModel"]) == (CONNECTOR, 1, 1)
    assert {told[name] for name in ("CurrentA", "VoltageA", "Soc", "TotalPower", "ElecMoney", "TotalMoney")} == {0}
    assert (told["SumPeriod"], told["ChargeDetails"]) == (0, [])


def test_running() -> None:
    told = Desk(START).runs().told()
    assert (told["StartTime"], told["EndTime"]) == ("2025-03-03 12:00:00", "2025-03-03 12:00:50")
    assert (told["CurrentA"], told["VoltageA"], told["Soc"]) == (Decimal("125.5"), Decimal("400.0"), 40)
    money = [told[name] for name in ("TotalPower", "ElecMoney", "SeviceMoney", "TotalMoney")]
    assert money == [Decimal("0.10"), Decimal("0.10"), Decimal("0.05"), Decimal("0.15")]


def test_ended_and_not_billed() -> None:
    told = Desk(START).runs().ends().told()
    assert told["EndTime"] == "2025-03-03 12:01:00"
    assert (told["TotalPower"], told["TotalMoney"]) == (Decimal("0.12"), Decimal("0.18"))
    assert (told["CurrentA"], told["ConnectorStatus"], told["StartChargeSeqStat"]) == (0, 2, 4)


def test_billed() -> None:
    told = Desk(START).runs().ends().is_billed().told()
    assert (told["StartTime"], told["EndTime"]) == ("2025-03-03 12:00:00", "2025-03-03 12:01:00")
    money = [told[name] for name in ("TotalPower", "ElecMoney", "SeviceMoney", "TotalMoney")]
    assert money == [Decimal("10.00"), Decimal("8.00"), Decimal("4.00"), Decimal("12.00")]
    assert (told["ConnectorStatus"], told["CurrentA"], told["ChargeModel"]) == (2, 0, 1)


def test_a_start_that_has_failed_is_over_and_nothing_flowed() -> None:
    desk = Desk(START).fails()
    assert desk.stats() == (ENDED, 4)
    assert (desk.told()["TotalPower"], desk.told()["TotalMoney"]) == (0, 0)


def test_one_that_failed_at_first_and_runs_now_is_running() -> None:
    assert Desk(START).fails().runs().stats() == (CHARGING, 2)


def test_a_start_that_nobody_answers_is_not_starting_for_ever() -> None:
    assert Desk(START).stats(ANSWERED) == (STARTING, 1)
    assert Desk(START).stats(ANSWERED + 1) == (UNKNOWN, 5)


def test_of_a_charge_whose_order_is_not_at_hand_no_figures_are_claimed() -> None:
    desk = Desk(START).runs().ends().is_billed()
    assert desk.stats(NOON + 2 * MINUTE) == (ENDED, 4)
    desk.house.views.ended._orders.clear()  # two hours later, or a moment before it comes
    assert desk.charges.stat(SEQ, CONNECTOR, NOON + 3 * HOUR) == ENDED
    told = desk.charges.status(SEQ, STANDARD, NOON + 3 * HOUR)
    assert told is not None
    assert told["StartChargeSeqStat"] == 5


def test_a_charge_that_no_platform_has_ordered_is_forgotten_with_its_order() -> None:
    desk = Desk().runs().ends().is_billed()
    assert desk.told()["StartChargeSeqStat"] == 4
    desk.house.views.ended._orders.clear()
    assert desk.charges.status(SEQ, STANDARD, NOON + 3 * HOUR) is None


def test_a_stop_without_a_start_says_little() -> None:
    desk = Desk()
    desk.run.event(stopped(NOON + MINUTE, 1_000_120))
    assert desk.stats() == (ENDED, None)
    desk.house.views.commands.note(START)
    assert desk.stats() == (ENDED, 5)


@pytest.mark.parametrize(("dialect", "status"), [(STANDARD, 255), (Dialect(offline_connector_status=3), 3)])
def test_a_connector_that_is_offline_or_was_never_heard(dialect: Dialect, status: int) -> None:
    assert Desk(StartCharge(SEQ, NEIGHBOUR, 1, "", NOON, NOON), dialect=dialect).told()["ConnectorStatus"] == 1
    silent = Desk(START, dialect=dialect).runs()
    silent.run.tick(NOON + 10 * MINUTE)
    told = silent.told()
    assert (told["ConnectorStatus"], told["StartChargeSeqStat"]) == (status, 2)
    unheard = Desk(START, dialect=dialect)
    unheard.run.states.clear()
    assert unheard.told()["ConnectorStatus"] == status


def test_a_charge_is_only_where_it_is() -> None:
    for desk in (Desk(START), Desk().runs(), Desk().runs().ends(), Desk().runs().ends().is_billed()):
        desk.told()
        assert desk.charges.stat(SEQ, CONNECTOR, NOON) is not None
        assert desk.charges.stat(SEQ, NEIGHBOUR, NOON) is None
        assert desk.charges.connector_of(SEQ) == CONNECTOR
        assert desk.charges.connector_of("other") is None


def test_the_model_is_known_once_it_has_started() -> None:
    assert Desk(START).charges.model(SEQ, CONNECTOR) is None
    running = Desk().runs()
    running.told()
    assert running.charges.model(SEQ, CONNECTOR) == 1
    assert running.charges.model("other", CONNECTOR) is None


def test_a_charge_whose_connector_has_left_the_catalog_is_not_known() -> None:
    desk = Desk(START).runs()
    assert desk.told()
    desk.house.catalog(a_station(connectors=(NEIGHBOUR,)))
    assert desk.told() == {}
