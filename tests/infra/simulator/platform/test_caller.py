"""The platform's calls over real HTTP, against an operator that answers well or is told to spoil its answers."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from aiohttp import web

from infra.simulator.platform import queries as q
from infra.simulator.platform.call_ledger import Ended
from infra.simulator.platform.caller import Caller
from infra.simulator.platform.dialect import BEIJING, QUERY_TOKEN
from infra.simulator.platform.errors import FlawedAnswer, Kind, RefusedCall, TokenDenied, TransportFailed
from infra.simulator.platform.queries import DEADLINES_S, QUERIES
from infra.simulator.platform.spoiler import NOT_CIPHERTEXT
from infra.simulator.platform.wire_json import Payload
from tests.infra.simulator.platform import golden
from tests.infra.simulator.platform.fake_operator import FakeOperator, Spoil, echoed, sealed
from tests.infra.simulator.platform.manual_clock import ManualClock

T = TypeVar("T")
CONNECTOR = "11010500100101001"
SEQ = "MA0PLATF1260304000000000003"
STATIONS = ["110105001001", "110108002001", "not there"]

CALLS: dict[str, Callable[[Caller], Awaitable[Payload]]] = {
    QUERY_TOKEN: lambda caller: caller.token(),
    q.QUERY_STATIONS: lambda caller: caller.stations(),
    q.QUERY_STATUSES: lambda caller: caller.statuses(STATIONS),
    q.QUERY_STATS: lambda caller: caller.stats("110105001001", "2026-02-23", "2026-03-01"),
    q.QUERY_AUTH: lambda caller: caller.auth(CONNECTOR),
    q.QUERY_POLICY: lambda caller: caller.policy(CONNECTOR),
    q.QUERY_START: lambda caller: caller.start(CONNECTOR),
    q.QUERY_STOP: lambda caller: caller.stop(SEQ, CONNECTOR),
    q.QUERY_CHARGE: lambda caller: caller.charge_status(SEQ),
}
NEEDING_A_TOKEN = [interface for interface in QUERIES if interface != QUERY_TOKEN]
every_interface = pytest.mark.parametrize("interface", QUERIES)


def during(scenario: Callable[[FakeOperator, Caller], Awaitable[T]], **changed: Any) -> T:
    """Runs with an operator and a caller of it, of whose settings some are changed.

    Both have the clock `clock`; every answer takes `tick_s`.
    """

    async def run() -> T:
        clock = changed.pop("clock", None) or ManualClock()
        ticks = itertools.count(0, changed.pop("tick_s", 0))
        async with FakeOperator(clock) as operator:
            settings = replace(golden.SETTINGS, **{"base_url": operator.base_url, **changed})
            async with Caller(settings, clock=clock, stopwatch=lambda: float(next(ticks))) as caller:
                return await scenario(operator, caller)

    return asyncio.run(run())


def test_every_interface_can_be_called() -> None:
    assert set(CALLS) == set(QUERIES) == set(DEADLINES_S)


@every_interface
def test_a_good_answer_is_handed_over(interface: str) -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        payload = await CALLS[interface](caller)
        asked_of, asked = operator.asked[-1]
        assert asked_of == interface
        assert asked.keys() == golden.asked(interface).keys()
        expected = echoed(asked, golden.answered(interface))
        assert payload == {**expected, **({"AccessToken": "token-1"} if interface == QUERY_TOKEN else {})}
        assert caller.ledger.count(interface, Ended.GOOD) == caller.ledger.count(interface) == 1
        assert caller.ledger.flaw_counts == {}

    during(scenario)


def test_the_questions_say_what_was_meant() -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.answers[q.QUERY_STATIONS] = lambda asked: {
            "PageNo": asked["PageNo"],
            "PageCount": 1,
            "ItemSize": 2,
            "StationInfos": [],
        }
        await caller.stations(3, 50, "2026-03-01 00:00:00")
        await caller.start(CONNECTOR, SEQ)
        await caller.start(CONNECTOR)
        payloads = [payload for _, payload in operator.asked]
        assert payloads[0] == golden.asked(QUERY_TOKEN)
        assert payloads[1] == {"LastQueryTime": "2026-03-01 00:00:00", "PageNo": 3, "PageSize": 50}
        assert payloads[2] == {"StartChargeSeq": SEQ, "ConnectorID": CONNECTOR, "QRCode": ""}
        made = payloads[3]["StartChargeSeq"]
        assert (made[:9], len(made)) == ("MA0PLATF1", 27)
        assert made != SEQ

    during(scenario)


def test_seq_counts_through_the_calls_of_a_second() -> None:
    clock = ManualClock()

    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        await caller.auth(CONNECTOR)
        clock.pass_s(1)
        await caller.auth(CONNECTOR)
        stamps = [(envelope["TimeStamp"], envelope["Seq"]) for envelope in operator.envelopes]
        assert stamps == [("20260304100000", "0001"), ("20260304100000", "0002"), ("20260304100001", "0001")]
        assert {envelope["OperatorID"] for envelope in operator.envelopes} == {"MA0PLATF1"}

    during(scenario, clock=clock)


def test_another_citys_path_is_called() -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        with pytest.raises(TransportFailed) as caught:
            await caller.auth(CONNECTOR)
        assert (caught.value.status, operator.times_asked(QUERY_TOKEN)) == (404, 1)

    during(scenario, dialect=replace(BEIJING, paths={q.QUERY_AUTH: "query_equip_auth_v2"}))


def rewritten(**fields: object) -> Spoil:
    """An answer with fields of its envelope replaced; those of None are left out."""

    def spoil(good: web.Response) -> web.Response:
        assert isinstance(good.body, bytes)
        envelope = {**json.loads(good.body), **fields}
        kept = {name: value for name, value in envelope.items() if value is not None}
        return web.Response(body=json.dumps(kept).encode(), headers={"Content-Type": golden.CONTENT_TYPE})

    return spoil


def undecryptable(_: web.Response) -> web.Response:
    sig = golden.SETTINGS.crypto().sign_response(0, "", NOT_CIPHERTEXT)
    return rewritten(Data=NOT_CIPHERTEXT, Sig=sig)(sealed("{}"))


def of_type(content_type: str) -> Spoil:
    def spoil(good: web.Response) -> web.Response:
        return web.Response(body=good.body, headers={"Content-Type": content_type})

    return spoil


FLAWED: dict[str, tuple[Spoil, Kind, str]] = {
    "bad Sig": (rewritten(Sig="0" * 32), Kind.SIGNATURE, "Sig"),
    "no Sig": (rewritten(Sig=None), Kind.ENVELOPE, "Sig"),
    "one field more": (rewritten(OperatorID="123456789"), Kind.ENVELOPE, "OperatorID"),
    "Ret as text": (rewritten(Ret="0"), Kind.ENVELOPE, "Ret"),
    "undecryptable": (undecryptable, Kind.ENVELOPE, "Data"),
    "no Data": (lambda _: sealed(None), Kind.ENVELOPE, "Data"),
    "not an object": (lambda _: sealed("[]"), Kind.TYPE, "Data"),
    "not JSON": (lambda _: sealed("{"), Kind.JSON, "Data"),
    "empty": (lambda _: sealed(""), Kind.JSON, "Data"),
    "another object": (lambda _: sealed('{"a":1}'), Kind.UNKNOWN, "a"),
    "unsigned error": (lambda _: rewritten(Sig="")(sealed(None, 500, "系统错误")), Kind.ENVELOPE, "Sig"),
    "wrongly signed error": (lambda _: rewritten(Msg="")(sealed(None, 500, "系统错误")), Kind.SIGNATURE, "Sig"),
    "unsigned token error": (lambda _: rewritten(Sig="")(sealed(None, 4002)), Kind.ENVELOPE, "Sig"),
    "unknown Ret": (lambda _: sealed(None, 1), Kind.ENVELOPE, "Ret"),
    "HTML": (lambda _: web.Response(text="<html>", content_type="text/html"), Kind.JSON, "body"),
    "text": (of_type("text/plain;charset=utf-8"), Kind.TRANSPORT, "Content-Type"),
    "without a charset": (of_type("application/json"), Kind.TRANSPORT, "Content-Type"),
}


@pytest.mark.parametrize("how", FLAWED)
@every_interface
def test_a_flawed_answer_is_told(interface: str, how: str) -> None:
    spoil, kind, field = FLAWED[how]

    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.spoil[interface] = spoil
        with pytest.raises(FlawedAnswer) as caught:
            await CALLS[interface](caller)
        assert (kind, field) in [(flaw.kind, flaw.field) for flaw in caught.value.flaws]
        assert caught.value.interface == interface
        assert operator.times_asked(interface) == 1
        assert caller.ledger.count(interface, Ended.FLAWED) == 1
        assert caller.ledger.calls[-1].flaws == caught.value.flaws

    during(scenario)


@every_interface
def test_a_late_answer_is_a_flaw(interface: str) -> None:
    async def scenario(_: FakeOperator, caller: Caller) -> None:
        with pytest.raises(FlawedAnswer) as caught:
            await CALLS[interface](caller)
        assert [(flaw.kind, flaw.field) for flaw in caught.value.flaws] == [(Kind.LATE, "answer")]
        assert caught.value.interface == interface

    others = dict.fromkeys(QUERIES, float("inf"))
    limit_s = DEADLINES_S[interface]
    during(scenario, tick_s=limit_s + 0.5, deadlines_s={**others, interface: limit_s})


@every_interface
def test_an_answer_at_the_deadline_is_good(interface: str) -> None:
    async def scenario(_: FakeOperator, caller: Caller) -> None:
        await CALLS[interface](caller)
        assert caller.ledger.latency_s(interface, 0.5) == limit_s

    others = dict.fromkeys(QUERIES, float("inf"))
    limit_s = DEADLINES_S[interface]
    during(scenario, tick_s=limit_s, deadlines_s={**others, interface: limit_s})


@pytest.mark.parametrize("ret", [-1, 500, 4001, 4003, 4004])
@every_interface
def test_a_sound_refusal_is_told(interface: str, ret: int) -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.spoil[interface] = lambda _: sealed(None, ret, "no")
        with pytest.raises(RefusedCall) as caught:
            await CALLS[interface](caller)
        assert (caught.value.interface, caught.value.ret, caught.value.msg) == (interface, ret, "no")
        assert operator.times_asked(interface) == 1
        assert caller.ledger.count(interface, Ended.REFUSED) == 1
        assert caller.ledger.ret_counts[str(ret)] == 1

    during(scenario)


@pytest.mark.parametrize("status", [204, 301, 404, 500])
@every_interface
def test_another_http_status_is_told(interface: str, status: int) -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        moved = {"Location": f"{operator.base_url}/{interface}"}
        operator.spoil[interface] = lambda _: web.Response(status=status, headers=moved)
        with pytest.raises(TransportFailed) as caught:
            await CALLS[interface](caller)
        assert (caught.value.interface, caught.value.status) == (interface, status)
        assert operator.times_asked(interface) == 1
        assert caller.ledger.count(interface, Ended.FAILED) == 1

    during(scenario)


def test_an_operator_that_never_answers() -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.held = True
        with pytest.raises(TransportFailed, match=r"no answer within 0\.05 s") as caught:
            await caller.token()
        assert caught.value.status is None

    during(scenario, timeout_s=0.05)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1/evcs/20160701", "nonsense", "http://"])
def test_an_operator_that_is_not_there(base_url: str) -> None:
    async def scenario(_: FakeOperator, caller: Caller) -> None:
        with pytest.raises(TransportFailed) as caught:
            await caller.token()
        assert caught.value.status is None
        assert [call.failure for call in caller.ledger.calls] == [caught.value.reason] != [""]

    during(scenario, base_url=base_url)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.simulator.platform.exchange.MAX_ANSWER_BYTES", 100)

    async def scenario(_: FakeOperator, caller: Caller) -> None:
        with pytest.raises(TransportFailed, match="more than 100 bytes"):
            await caller.token()

    during(scenario)


@pytest.mark.parametrize("interface", NEEDING_A_TOKEN)
def test_a_worthless_token_is_renewed_once(interface: str) -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        await caller.token()
        operator.expire_token()
        await CALLS[interface](caller)
        assert (operator.tokens_given, operator.times_asked(interface)) == (2, 2)
        ended = [(call.interface, call.ret) for call in caller.ledger.calls]
        assert ended == [(QUERY_TOKEN, 0), (interface, 4002), (QUERY_TOKEN, 0), (interface, 0)]
        asked = [payload for name, payload in operator.asked if name == interface]
        assert asked[0] == asked[1]

    during(scenario)


@pytest.mark.parametrize("interface", NEEDING_A_TOKEN)
def test_a_token_that_stays_worthless_is_not_renewed_again(interface: str) -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.spoil[interface] = lambda _: sealed(None, 4002, "Token错误")
        with pytest.raises(RefusedCall) as caught:
            await CALLS[interface](caller)
        assert caught.value.ret == 4002
        assert (operator.tokens_given, operator.times_asked(interface)) == (2, 2)

    during(scenario)


def test_a_token_is_kept_for_its_time_only() -> None:
    clock = ManualClock()

    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        for _ in range(2):
            await caller.auth(CONNECTOR)
        assert operator.tokens_given == 1
        clock.pass_s(7200)
        await caller.auth(CONNECTOR)
        assert operator.tokens_given == 2

    during(scenario, clock=clock)


def test_calls_at_once_renew_one_token() -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        await asyncio.gather(*(caller.auth(CONNECTOR) for _ in range(10)))
        assert operator.tokens_given == 1
        operator.expire_token()
        await asyncio.gather(*(caller.auth(CONNECTOR) for _ in range(10)))
        assert operator.tokens_given == 2

    during(scenario)


def test_a_token_that_is_denied() -> None:
    denial = {"SuccStat": 1, "AccessToken": "", "TokenAvailableTime": 0, "FailReason": 2}

    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.answers[QUERY_TOKEN] = lambda asked: {"OperatorID": asked["OperatorID"], **denial}
        assert (await caller.token())["FailReason"] == 2
        with pytest.raises(TokenDenied) as caught:
            await caller.auth(CONNECTOR)
        assert caught.value.fail_reason == 2
        assert operator.times_asked(q.QUERY_AUTH) == 0

    during(scenario)


def paged(total: int, shift: int = 0) -> Callable[[Payload], Payload]:
    """Pages of so many stations; those after the first begin `shift` too early."""
    (_, station) = golden.answered(q.QUERY_STATIONS)["StationInfos"]

    def answer(asked: Payload) -> Payload:
        no, size = asked["PageNo"], asked["PageSize"]
        end = min(no * size, total)
        moved = shift if no > 1 else 0
        listed = [{**station, "StationID": str(index - moved)} for index in range((no - 1) * size, end)]
        return {"PageNo": no, "PageCount": -(-total // size), "ItemSize": total, "StationInfos": listed}

    return answer


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (4, 2), (5, 3)])
def test_all_stations_of_all_pages(total: int, pages: int) -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.answers[q.QUERY_STATIONS] = paged(total)
        found = await caller.all_stations(page_size=2)
        assert [station["StationID"] for station in found] == [str(index) for index in range(total)]
        assert operator.times_asked(q.QUERY_STATIONS) == pages

    during(scenario)


def test_pages_that_overlap_are_a_flaw() -> None:
    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.answers[q.QUERY_STATIONS] = paged(4, shift=1)
        with pytest.raises(FlawedAnswer, match="StationInfos: 1 is on two pages"):
            await caller.all_stations(page_size=2)
        assert caller.ledger.flaw_counts == {Kind.ARITHMETIC: 1}

    during(scenario)


def test_pages_that_lack_a_station_are_a_flaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.simulator.platform.caller.MAX_PAGES", 2)

    async def scenario(operator: FakeOperator, caller: Caller) -> None:
        operator.answers[q.QUERY_STATIONS] = paged(6)
        with pytest.raises(FlawedAnswer, match="ItemSize: 6 but all pages have 4 stations"):
            await caller.all_stations(page_size=2)

    during(scenario)
