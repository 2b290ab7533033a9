"""Stops that a platform orders: each reason to refuse one, and that a repeated one is one."""

import pytest

from connectors.gateway.command_desk import _SAME_STOP_MS
from schemas.records.charger_commands import StopCharge
from tests.connectors.gateway.house import FAR_CONNECTOR, NEIGHBOUR, House, a_station
from tests.connectors.gateway.test_command_desk import (
    CHARGING,
    ENDED,
    REFUSED,
    STARTING,
    STOPPING,
    TAKEN,
    UNKNOWN,
    house,
    over,
    running,
    start,
)
from tests.connectors.gateway.test_command_desk_repeats import at_once
from tests.streams.domain.records import (
    CONNECTOR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    Partition,
    charging,
    plugged,
    sample,
    started,
    stopped,
)

NONE, NO_SUCH_CONNECTOR, OFFLINE, ALREADY_STOPPED, NO_SUCH_CHARGE, NOT_YOURS = range(6)
ASKED = {"StartChargeSeq": SEQ, "ConnectorID": CONNECTOR}


def stop(one: House, connector_id: str = CONNECTOR, seq: str = SEQ) -> tuple[int, int, int]:
    """SuccStat, FailReason and StartChargeSeqStat."""
    told = one.answer("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": connector_id})
    assert told["StartChargeSeq"] == seq
    return told["SuccStat"], told["FailReason"], told["StartChargeSeqStat"]


def stops(one: House) -> list[StopCharge]:
    return [command for command in one.topic.commands if isinstance(command, StopCharge)]


def charges(model: int = 1) -> House:
    """One that runs, of this ChargeModel."""
    one = house()
    run = Partition(a_station()).event(started(NOON, charge_model=model)).sample(charging(NOON, charge_model=model))
    one.follow(run)
    return one


class TestTaken:
    def test_of_one_that_runs(self) -> None:
        one = charges()
        one.clock.ms = NOON + MINUTE
        assert stop(one) == (TAKEN, NONE, STOPPING)
        assert one.topic.commands == [StopCharge(SEQ, CONNECTOR, NOON + MINUTE)]

    def test_of_one_that_has_not_begun(self) -> None:
        one = house()
        start(one)
        assert stop(one) == (TAKEN, NONE, STOPPING)
        assert stops(one) == [StopCharge(SEQ, CONNECTOR, NOON)]

    def test_of_one_that_nobody_has_answered(self) -> None:
        one = house()
        start(one)
        one.clock.ms += 2 * MINUTE
        assert stop(one) == (TAKEN, NONE, STOPPING)

    def test_of_one_that_we_have_ordered_whatever_its_charger_calls_it(self) -> None:
        one = house()
        start(one)
        one.follow(Partition(a_station()).event(started(NOON, charge_model=0)).sample(charging(NOON, charge_model=0)))
        assert stop(one) == (TAKEN, NONE, STOPPING)

    def test_repeated_it_is_one_until_it_is_given_again(self) -> None:
        one = charges()
        for _ in range(3):
            assert stop(one) == (TAKEN, NONE, STOPPING)
        one.clock.ms = NOON + _SAME_STOP_MS
        assert stop(one) == (TAKEN, NONE, STOPPING)
        assert len(stops(one)) == 1
        one.clock.ms = NOON + _SAME_STOP_MS + 1
        assert stop(one) == stop(one) == (TAKEN, NONE, STOPPING)
        assert len(stops(one)) == 2

    def test_many_at_once_are_one(self) -> None:
        one = charges()
        answers = at_once(one, *[("query_stop_charge", ASKED)] * 20)
        assert {(ret, payload and payload["SuccStat"]) for ret, payload in answers} == {(0, TAKEN)}
        assert len(stops(one)) == 1

    def test_with_its_start_at_once(self) -> None:
        one = house()
        at_once(one, ("query_start_charge", ASKED), ("query_stop_charge", ASKED))
        assert [type(command).__name__ for command in one.topic.commands] == ["StartCharge", "StopCharge"]

    def test_kafka_away_is_busy_and_nothing_is_noted(self) -> None:
        one = charges()
        one.topic.away = True
        assert one.call("query_stop_charge", ASKED).ret == -1
        assert one.answer("query_equip_charge_status", {"StartChargeSeq": SEQ})["StartChargeSeqStat"] == CHARGING
        one.topic.away = False
        assert stop(one) == (TAKEN, NONE, STOPPING)
        assert one.answer("query_equip_charge_status", {"StartChargeSeq": SEQ})["StartChargeSeqStat"] == STOPPING
        assert len(stops(one)) == 1


class TestRefused:
    @pytest.mark.parametrize("connector_id", ["EQ999", FAR_CONNECTOR])
    def test_a_connector_that_there_is_not(self, connector_id: str) -> None:
        one = charges()
        one.follow(running(connector_id=FAR_CONNECTOR))
        assert stop(one, connector_id) == (REFUSED, NO_SUCH_CONNECTOR, UNKNOWN)
        assert not one.topic.commands

    def test_an_offline_one(self) -> None:
        one = house()
        run = running().tick(NOON + 10 * MINUTE)
        one.follow(run)
        assert stop(one) == (REFUSED, OFFLINE, CHARGING)
        assert not one.topic.commands

    def test_an_offline_one_that_was_ordered(self) -> None:
        one = house()
        start(one)
        one.follow(Partition(a_station()).sample(sample(NOON)).tick(NOON + 10 * MINUTE))
        assert stop(one) == (REFUSED, OFFLINE, STARTING)

    def test_a_charge_that_has_ended(self) -> None:
        one = house()
        run = running().event(stopped(NOON + MINUTE, 1_000_100))
        one.follow(run.sample(plugged(NOON + MINUTE + SECOND, 1_000_100)))
        assert stop(one) == (REFUSED, ALREADY_STOPPED, ENDED)
        one.follow(over())
        assert stop(one) == (REFUSED, ALREADY_STOPPED, ENDED)
        assert not one.topic.commands

    def test_one_that_has_ended_on_an_offline_connector(self) -> None:
        one = house()
        one.follow(over().tick(NOON + 10 * MINUTE))
        assert stop(one) == (REFUSED, ALREADY_STOPPED, ENDED)

    def test_a_start_that_has_failed(self) -> None:
        one = house()
        start(one)
        one.fail_start(CONNECTOR, SEQ)
        assert stop(one) == (REFUSED, ALREADY_STOPPED, ENDED)

    def test_a_charge_that_there_is_not_here(self) -> None:
        one = charges()
        assert stop(one, seq="other") == (REFUSED, NO_SUCH_CHARGE, UNKNOWN)
        assert stop(one, NEIGHBOUR) == (REFUSED, NO_SUCH_CHARGE, UNKNOWN)
        assert not one.topic.commands

    @pytest.mark.parametrize("model", [0, 2, 3])
    def test_a_charge_that_no_platform_has_started(self, model: int) -> None:
        one = charges(model)
        assert stop(one) == (REFUSED, NOT_YOURS, CHARGING)
        assert not one.topic.commands
