"""Faults of our own, injected: the caller gets a signed Ret and nothing of the reason, which is for our log; and calls
that come before the views are ready, or that nobody finishes."""

import asyncio
import json
import logging
from typing import Any

import pytest

from connectors.gateway import app as gateway_app
from connectors.gateway.refusals import busy
from tests.connectors.gateway.hostile_calls import CRYPTO, START, STOP, TOKEN, Answer, Request, ask, good_request
from tests.connectors.gateway.hostile_rules import assert_hushed
from tests.connectors.gateway.hostile_world import BASE, BEIJING, CODEC, World, make_world, station

SEQ = BEIJING.operator_id + "9" * 18
ORDER = {"StartChargeSeq": SEQ, "ConnectorID": "BJ1-C0", "QRCode": "hush-in-the-payload"}
DAYS = {"StationID": "BJ1", "StartTime": "2026-03-01", "EndTime": "2026-03-02"}


def told(answer: Answer | None) -> tuple[int, str]:
    """Ret and Msg of an answer that Beijing can verify."""
    assert answer is not None
    sealed = json.loads(answer.body)
    ret, msg, data, sig = sealed["Ret"], sealed["Msg"], sealed["Data"], sealed["Sig"]
    assert sig == CRYPTO[BEIJING.operator_id].sign_response(ret, msg, data)
    assert ret == 0 or data == ""
    return ret, msg


def call(world: World, interface: str, payload: dict[str, Any]) -> tuple[int, str]:
    """One call of Beijing."""
    return told(asyncio.run(ask(world.app, good_request(world, BEIJING, interface, payload))))


def test_a_fault_is_answered_with_500_and_told_to_our_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    world = make_world()
    world.readings.fault = RuntimeError("the warehouse's own words")
    assert call(world, "query_station_stats", DAYS) == (500, "系统错误")
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "the warehouse's own words" in caplog.text
    assert_hushed(caplog.text)


def test_a_fault_while_a_charge_is_ordered_shows_neither_the_payload_nor_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = make_world()
    world.sender.fault = RuntimeError("broken")
    assert call(world, START, ORDER) == (500, "系统错误")
    assert "hush-in-the-payload" not in caplog.text
    assert_hushed(caplog.text)
    world.sender.fault = None
    assert call(world, START, ORDER)[0] == 0, "the lock of its StartChargeSeq is free again"


def test_a_command_that_may_not_be_safe_is_busy_and_is_given_when_it_is_repeated() -> None:
    world = make_world()
    world.sender.fault = busy("commands can't be passed on now")
    assert call(world, START, ORDER) == (-1, "系统繁忙，此时请求方稍后重试: commands can't be passed on now")
    world.sender.fault = None
    assert call(world, START, ORDER)[0] == 0
    assert call(world, START, ORDER)[0] == 0
    assert [command.start_charge_seq for command in world.sender.sent] == [SEQ]


def test_a_record_that_does_not_fit_the_standard_is_a_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    world = make_world()
    world.views.stations.put(b"BJ1", CODEC.encode(station("BJ1", "X" * 27)))
    assert call(world, "query_station_status", {"StationIDs": ["BJ1"]}) == (500, "系统错误")
    [record] = caplog.records
    assert record.getMessage().startswith("query_station_status can't be answered: ConnectorID")
    assert record.exc_info is None


@pytest.mark.parametrize("interface", ["query_stations_info", START])
def test_before_the_views_are_ready_all_that_needs_them_is_busy(interface: str) -> None:
    world = make_world(is_ready=lambda: False)
    assert call(world, interface, ORDER) == (-1, "系统繁忙，此时请求方稍后重试: starting")
    assert world.sender.sent == []


def test_before_the_views_are_ready_tokens_are_given() -> None:
    asked = {"OperatorID": BEIJING.operator_id, "OperatorSecret": BEIJING.operator_secret}
    assert call(make_world(is_ready=lambda: False), TOKEN, asked) == (0, "")


def test_orders_of_one_charge_at_once_are_one_order() -> None:
    world = make_world()

    async def at_once() -> list[Answer | None]:
        interfaces = [START] * 20 + [STOP] * 20
        requests = [good_request(world, BEIJING, one, ORDER, seq=f"{n:04d}") for n, one in enumerate(interfaces)]
        return await asyncio.gather(*(ask(world.app, request) for request in requests))

    assert {told(answer)[0] for answer in asyncio.run(at_once())} == {0}
    assert [type(command).__name__ for command in world.sender.sent] == ["StartCharge", "StopCharge"]


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_app, "BODY_S", 0.01)
    world = make_world()

    async def woken() -> Any:
        await asyncio.sleep(0.005)
        return {"type": "http.request", "body": b"", "more_body": True}

    async def half_an_answer(first: list[dict[str, Any]]) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return first.pop(0) if first else await woken()

        scope = {"type": "http", "method": "POST", "path": BASE + TOKEN, "headers": []}
        await world.app(scope, receive, send)
        return sent

    for first in ([], [{"type": "http.request", "body": b"{", "more_body": True}]):
        start, body = asyncio.run(half_an_answer(first))
        assert start["status"] == 408
        assert (b"connection", b"close") in start["headers"]
        assert json.loads(body["body"])["Ret"] == 4003


def test_one_who_leaves_early_gets_no_answer_and_orders_nothing() -> None:
    world = make_world()
    whole = good_request(world, BEIJING, START, ORDER)
    for cut in (0, 1, len(whole.body) - 1, len(whole.body)):
        left = Request(whole.path, whole.body, whole.headers, cuts=[cut], leaves=True)
        assert asyncio.run(ask(world.app, left)) is None
    assert world.sender.sent == []
