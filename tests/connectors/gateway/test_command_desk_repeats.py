"""A start is one by its StartChargeSeq, however often and wherever it is repeated, and whatever came of it."""

import asyncio
import time
from collections.abc import Mapping

from connectors.gateway.reception import Sealed
from connectors.gateway.refusals import busy
from schemas.records.charger_commands import StartCharge, StopCharge
from tests.connectors.gateway.callers import CITY
from tests.connectors.gateway.house import BASE, NEIGHBOUR, CommandTopic, House, a_station
from tests.connectors.gateway.test_command_desk import (
    BUSY,
    CHARGING,
    ENDED,
    HAS_FAILED,
    NONE,
    OTHER_SEQ,
    REFUSED,
    SEQ_IN_USE,
    STARTING,
    STOPPING,
    TAKEN,
    UNKNOWN,
    house,
    over,
    running,
    start,
)
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    Partition,
    failed,
    started,
)

ASKED = {"StartChargeSeq": SEQ, "ConnectorID": CONNECTOR}


def at_once(one: House, *calls: tuple[str, Mapping[str, object]]) -> list[tuple[int, dict[str, object] | None]]:
    """Ret and payload of each of these, which come together."""

    async def answers() -> list[Sealed]:
        now, token = one.clock.now_s(), one.token()
        return await asyncio.gather(
            *(one.reception.answer(one.routes[BASE + name], token, CITY.body(asked, now)) for name, asked in calls)
        )

    return [(opened.ret, opened.payload) for opened in map(CITY.opened, asyncio.run(answers()))]


def test_repeated_while_it_starts() -> None:
    one = house()
    assert [start(one) for _ in range(3)] == [(TAKEN, NONE, STARTING)] * 3
    assert len(one.topic.commands) == 1


def test_many_at_once() -> None:
    one = house()
    answers = at_once(one, *[("query_start_charge", ASKED)] * 20)
    assert {(ret, payload and payload["StartChargeSeqStat"]) for ret, payload in answers} == {(0, STARTING)}
    assert len(one.topic.commands) == 1


class SlowTopic(CommandTopic):
    """Takes longer than a platform waits, and says so."""

    async def put(self, command: StartCharge | StopCharge) -> None:
        await asyncio.sleep(0.7)
        raise busy("commands can't be passed on now")


def test_many_at_once_while_kafka_is_slow_do_not_wait_for_each_other() -> None:
    one = house()
    one.desk._put = SlowTopic().put
    began = time.monotonic()
    answers = at_once(one, *[("query_start_charge", ASKED)] * 20)
    assert {ret for ret, _ in answers} == {-1}
    assert time.monotonic() - began < 5  # one after the other they take 14 s


def test_on_two_connectors_at_once() -> None:
    one = house()
    other = {**ASKED, "ConnectorID": NEIGHBOUR}
    answers = at_once(one, ("query_start_charge", ASKED), ("query_start_charge", other))
    assert [payload and payload["FailReason"] for _, payload in answers] == [NONE, SEQ_IN_USE]
    assert [command.connector_id for command in one.topic.commands] == [CONNECTOR]


def test_different_charges_at_once_do_not_wait_for_each_other() -> None:
    one = house()
    elsewhere = {"StartChargeSeq": OTHER_SEQ, "ConnectorID": NEIGHBOUR}
    at_once(one, ("query_start_charge", ASKED), ("query_start_charge", elsewhere))
    assert [command.start_charge_seq for command in one.topic.commands] == [SEQ, OTHER_SEQ]


def test_different_charges_of_one_connector_at_once() -> None:
    one = house()
    other = {**ASKED, "StartChargeSeq": OTHER_SEQ}
    answers = at_once(one, ("query_start_charge", ASKED), ("query_start_charge", other))
    assert [payload and payload["FailReason"] for _, payload in answers] == [NONE, BUSY]
    assert [command.start_charge_seq for command in one.topic.commands] == [SEQ]


def test_a_charge_that_is_called_as_its_connector_is() -> None:
    assert start(house(), seq=CONNECTOR) == (TAKEN, NONE, STARTING)


def test_many_at_once_while_kafka_is_away_and_once_more_when_it_is_back() -> None:
    one = house()
    one.topic.away = True
    assert {ret for ret, _ in at_once(one, *[("query_start_charge", ASKED)] * 5)} == {-1}
    one.topic.away = False
    assert start(one) == start(one) == (TAKEN, NONE, STARTING)
    assert len(one.topic.commands) == 1


def test_at_another_instance() -> None:
    """Which has read of the first, on the topic."""
    topic = CommandTopic()
    one, other = house(), house()
    one.topic.commands = topic.commands = other.topic.commands
    assert start(one) == (TAKEN, NONE, STARTING)
    other.views.commands.put(CODEC.encode(topic.commands[0]))
    assert start(other) == (TAKEN, NONE, STARTING)
    assert start(other, NEIGHBOUR)[1] == SEQ_IN_USE
    assert len(topic.commands) == 1


def test_after_it_runs() -> None:
    for one in (house(), house(3)):
        one.follow(running())
        assert start(one) == (TAKEN, NONE, CHARGING)
        assert not one.topic.commands


def test_after_it_was_told_to_stop() -> None:
    one = house()
    start(one)
    one.follow(running())
    one.answer("query_stop_charge", ASKED)
    assert start(one) == (TAKEN, NONE, STOPPING)
    assert len(one.topic.commands) == 2


def test_after_it_has_ended() -> None:
    one = house()
    start(one)
    one.follow(over())
    assert start(one) == (TAKEN, NONE, ENDED)
    one.views.ended._orders.clear()
    assert start(one) == (TAKEN, NONE, ENDED)
    assert len(one.topic.commands) == 1


def test_after_it_has_failed() -> None:
    one = house()
    start(one)
    one.fail_start(CONNECTOR, SEQ)
    assert start(one) == (REFUSED, HAS_FAILED, ENDED)
    assert len(one.topic.commands) == 1


def test_after_it_has_failed_and_runs_all_the_same() -> None:
    one = house()
    start(one)
    one.follow(Partition(a_station()).event(failed(NOON)).event(started(NOON + SECOND)))
    assert start(one) == (TAKEN, NONE, CHARGING)


def test_after_nobody_has_answered_it() -> None:
    one = house()
    start(one)
    one.clock.ms += 2 * MINUTE
    assert start(one) == (TAKEN, NONE, UNKNOWN)
    one.clock.ms += 20 * HOUR
    assert start(one) == (TAKEN, NONE, UNKNOWN)
    assert len(one.topic.commands) == 1


def test_one_who_gives_up_waiting_holds_nobody_up() -> None:
    one = house()

    async def given_up() -> None:
        body = CITY.body(ASKED, one.clock.now_s())
        route, token = one.routes[BASE + "query_start_charge"], one.token()
        first = asyncio.create_task(one.reception.answer(route, token, body))
        second = asyncio.create_task(one.reception.answer(route, token, body))
        await asyncio.sleep(0)
        first.cancel()
        assert CITY.opened(await second).ret == 0

    asyncio.run(given_up())
    assert len(one.topic.commands) == 1
    assert not one.desk._in_hand


def test_nothing_is_held_of_what_is_done() -> None:
    one = house()
    start(one)
    start(one, NEIGHBOUR, seq=OTHER_SEQ)
    one.topic.away = True
    at_once(one, *[("query_start_charge", ASKED)] * 3)
    assert not one.desk._in_hand
