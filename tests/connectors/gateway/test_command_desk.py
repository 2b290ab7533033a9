"""Starts that a platform orders: each reason to refuse one, and what one that is taken becomes."""

from typing import Any

import pytest

from schemas.records.charger_commands import StartCharge
from tests.connectors.gateway.callers import CITY, HARBOUR, Caller
from tests.connectors.gateway.house import FAR_CONNECTOR, NEIGHBOUR, House, a_station, harbour, peer
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    Partition,
    bill,
    charging,
    plugged,
    sample,
    started,
    stopped,
)

REFUSED, TAKEN = 1, 0
STARTING, CHARGING, STOPPING, ENDED, UNKNOWN = 1, 2, 3, 4, 5
NONE, NO_SUCH_CONNECTOR, OFFLINE, BUSY, FAULT, SEQ_IN_USE, HAS_FAILED = range(7)
OTHER_SEQ = SEQ[:-1] + "2"


def house(status: int = 1, *peers: Any) -> House:
    """Both connectors of the city stand so."""
    one = House(*peers)
    for connector_id in (CONNECTOR, NEIGHBOUR):
        one.follow(Partition(a_station()).sample(sample(NOON, status=status, connector_id=connector_id)))
    return one


def start(
    one: House, connector_id: str = CONNECTOR, seq: str = SEQ, caller: Caller = CITY, **more: str
) -> tuple[int, int, int]:
    """SuccStat, FailReason and StartChargeSeqStat."""
    told = one.answer("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector_id, **more}, caller)
    assert (told["StartChargeSeq"], told["ConnectorID"]) == (seq, connector_id)
    return told["SuccStat"], told["FailReason"], told["StartChargeSeqStat"]


def running(seq: str = SEQ, connector_id: str = CONNECTOR) -> Partition:
    ids: dict[str, Any] = {"start_charge_seq": seq, "connector_id": connector_id}
    return Partition(a_station()).event(started(NOON, **ids)).sample(charging(NOON, **ids))


def over(connector_id: str = CONNECTOR) -> Partition:
    """A charge whose order is made."""
    run = running(connector_id=connector_id)
    run.event(stopped(NOON + MINUTE, 1_000_100, connector_id=connector_id))
    run.sample(plugged(NOON + MINUTE + SECOND, 1_000_100, connector_id=connector_id))
    return run.event(bill(NOON + MINUTE + 2 * SECOND, connector_id=connector_id))


class TestVerdict:
    @pytest.mark.parametrize(
        ("status", "told"),
        [
            (0, (REFUSED, OFFLINE, ENDED)),
            (1, (TAKEN, NONE, STARTING)),
            (2, (TAKEN, NONE, STARTING)),
            (3, (REFUSED, BUSY, ENDED)),
            (4, (REFUSED, BUSY, ENDED)),
            (255, (REFUSED, FAULT, ENDED)),
        ],
    )
    def test_of_each_status(self, status: int, told: tuple[int, int, int]) -> None:
        one = house(status)
        assert start(one) == told
        assert len(one.topic.commands) == (told[0] == TAKEN)

    @pytest.mark.parametrize("connector_id", ["EQ999", FAR_CONNECTOR])
    def test_a_connector_that_there_is_not(self, connector_id: str) -> None:
        one = house()
        assert start(one, connector_id) == (REFUSED, NO_SUCH_CONNECTOR, ENDED)
        assert not one.topic.commands

    def test_one_that_was_never_heard_is_offline(self) -> None:
        assert start(House()) == (REFUSED, OFFLINE, ENDED)

    @pytest.mark.parametrize(
        "run", [running(), over(), running(connector_id=NEIGHBOUR), over(NEIGHBOUR)], ids=lambda _: ""
    )
    def test_a_seq_of_a_charge_on_another_connector(self, run: Partition) -> None:
        one = house()
        one.follow(run)
        elsewhere = NEIGHBOUR if run.states[0].key == CONNECTOR.encode() else CONNECTOR
        assert start(one, elsewhere) == (REFUSED, SEQ_IN_USE, ENDED)
        assert not one.topic.commands

    def test_a_seq_that_was_ordered_on_another_connector(self) -> None:
        one = house()
        assert start(one) == (TAKEN, NONE, STARTING)
        assert start(one, NEIGHBOUR) == (REFUSED, SEQ_IN_USE, ENDED)
        assert [command.connector_id for command in one.topic.commands] == [CONNECTOR]

    def test_a_seq_is_not_given_out_twice_even_out_of_sight(self) -> None:
        """Two charges of one seq would be one to all that follows; that it is in use is all that is told."""
        one = house(1, peer(), harbour())
        one.follow(running(connector_id=FAR_CONNECTOR))
        assert start(one) == (REFUSED, SEQ_IN_USE, ENDED)
        assert not one.topic.commands

    def test_a_refused_one_may_be_ordered_again(self) -> None:
        one = house(3)
        assert start(one) == (REFUSED, BUSY, ENDED)
        one.follow(Partition(a_station()).sample(plugged(NOON + SECOND)))
        assert start(one) == (TAKEN, NONE, STARTING)


class TestOneAtATime:
    """What a connector does with a start is waited for before it takes another one."""

    def test_while_the_start_before_is_not_answered(self) -> None:
        one = house()
        assert start(one) == (TAKEN, NONE, STARTING)
        assert start(one, seq=OTHER_SEQ) == (REFUSED, BUSY, ENDED)
        assert start(one) == (TAKEN, NONE, STARTING)
        assert start(one, NEIGHBOUR, OTHER_SEQ) == (TAKEN, NONE, STARTING)
        assert [command.start_charge_seq for command in one.topic.commands] == [SEQ, OTHER_SEQ]

    def test_when_another_instance_or_platform_has_taken_it(self) -> None:
        one, other = house(), house(1, peer(), harbour(areas=("11", "31")))
        start(one)
        other.views.commands.put(CODEC.encode(one.topic.commands[0]))
        assert start(other, seq=OTHER_SEQ) == (REFUSED, BUSY, ENDED)
        assert start(other, seq=OTHER_SEQ, caller=HARBOUR) == (REFUSED, BUSY, ENDED)

    def test_when_it_was_told_to_stop_before_it_began(self) -> None:
        one = house()
        start(one)
        one.answer("query_stop_charge", {"StartChargeSeq": SEQ, "ConnectorID": CONNECTOR})
        assert start(one, seq=OTHER_SEQ) == (REFUSED, BUSY, ENDED)

    def test_when_it_runs_and_no_sample_shows_it_yet(self) -> None:
        one = house()
        start(one)
        one.follow(Partition(a_station()).sample(plugged(NOON)).event(started(NOON + SECOND)))
        assert one.views.connectors.statuses(CONNECTOR).status == 2
        assert start(one, seq=OTHER_SEQ) == (REFUSED, BUSY, ENDED)

    def test_once_it_has_failed(self) -> None:
        one = house()
        start(one)
        one.fail_start(CONNECTOR, SEQ)
        assert start(one, seq=OTHER_SEQ) == (TAKEN, NONE, STARTING)

    def test_once_its_charge_has_ended(self) -> None:
        one = house()
        start(one)
        one.follow(over())
        assert start(one, seq=OTHER_SEQ) == (TAKEN, NONE, STARTING)

    def test_once_nobody_can_answer_it_any_more(self) -> None:
        one = house()
        start(one)
        one.clock.ms = NOON + 90 * SECOND
        assert start(one, seq=OTHER_SEQ) == (REFUSED, BUSY, ENDED)
        one.clock.ms += 1
        assert start(one, seq=OTHER_SEQ) == (TAKEN, NONE, STARTING)


class TestCommand:
    def test_what_the_charger_is_told(self) -> None:
        one = house()
        one.clock.ms = NOON + 5 * SECOND
        start(one, QRCode="https://qr/1")
        assert one.topic.commands == [
            StartCharge(SEQ, CONNECTOR, 1, "https://qr/1", NOON + 5 * SECOND, NOON + 35 * SECOND, "city")
        ]

    def test_how_long_it_is_good_is_the_platforms_setting(self) -> None:
        one = house(1, peer(start_valid_s=7), harbour())
        start(one)
        (command,) = one.topic.commands
        assert isinstance(command, StartCharge)
        assert (command.expires_at, command.qr_code) == (NOON + 7 * SECOND, "")

    def test_kafka_away_is_busy_and_nothing_is_noted(self) -> None:
        one = house()
        one.topic.away = True
        payload = {"StartChargeSeq": SEQ, "ConnectorID": CONNECTOR}
        answered = one.call("query_start_charge", payload)
        assert (answered.ret, answered.payload) == (-1, None)
        assert answered.msg == "系统繁忙，此时请求方稍后重试: commands can't be passed on now"
        assert one.call("query_equip_charge_status", {"StartChargeSeq": SEQ}).ret == 4004
        one.topic.away = False
        assert start(one) == (TAKEN, NONE, STARTING)
        assert len(one.topic.commands) == 1

    def test_each_platform_orders_for_itself(self) -> None:
        one = house()
        one.follow(Partition(a_station()).sample(sample(NOON, connector_id=FAR_CONNECTOR)))
        payload = {"StartChargeSeq": OTHER_SEQ, "ConnectorID": FAR_CONNECTOR}
        assert one.answer("query_start_charge", payload, HARBOUR)["SuccStat"] == TAKEN
        assert one.answer("query_start_charge", payload, CITY)["FailReason"] == NO_SUCH_CONNECTOR
        assert [command.connector_id for command in one.topic.commands] == [FAR_CONNECTOR]
