"""The error policy, row by row (spec/protocol.md §4.4), each from the platform's answer to what follows from it."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import httpx
import pytest

from connectors.delivery.outcomes import TABLE, Action, Sign
from connectors.delivery.topics import dead_letter_topic
from connectors.policies import ConfirmAction
from schemas.records.derived import Derived
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.bench import PREFIX, Bench, deliver, of, once
from tests.connectors.delivery.city import CREDENTIALS, OTHERS, sealed, unsigned

#: A record of every kind, and the interface that tells Beijing of it.
EVERY: dict[str, Derived] = {
    c.STATUS: r.status("A"),
    c.START: r.start(1, "A"),
    c.PROGRESS: r.progress(1, "A"),
    c.STOP: r.stop(1, "A"),
    c.BONUS: r.order(1, "A"),
}
IN_PLACE = [name for name in EVERY if name != c.BONUS]
BUSY = "系统繁忙，此时请求方稍后重试"


def undecryptable() -> bytes:
    """A good signature over a Data that is none."""
    sig = CREDENTIALS.signer.sign("0AAAA")
    return json.dumps({"Ret": 0, "Msg": "", "Data": "AAAA", "Sig": sig}).encode()


class Row(NamedTuple):
    """An answer that is no answer, how the attempt counts, and what the ledger holds of it."""

    answer: c.Answer
    sign: Sign
    ret: int | None = None
    http: int | None = 200


#: Each is sent again: an order on its ladder, all else in place.
RETRIED: dict[str, Row] = {
    "Ret -1": Row(sealed(None, -1), Sign.BUSY, -1),
    "Ret 500": Row(sealed(None, 500), Sign.BUSY, 500),
    "a Ret that the standard does not define": Row(sealed(None, 4999), Sign.BUSY, 4999),
    "no answer in time": Row(httpx.ReadTimeout("slow"), Sign.UNREACHABLE, None, None),
    "no connection in time": Row(httpx.ConnectTimeout("slow"), Sign.UNREACHABLE, None, None),
    "no connection": Row(httpx.ConnectError("refused"), Sign.UNREACHABLE, None, None),
    "a connection that is cut": Row(httpx.ReadError("reset"), Sign.UNREACHABLE, None, None),
    "HTTP 500": Row(500, Sign.UNREACHABLE, None, 500),
    "HTTP 503": Row(503, Sign.UNREACHABLE, None, 503),
    "HTTP 429": Row(429, Sign.UNREACHABLE, None, 429),
    "HTTP 404": Row(404, Sign.UNREACHABLE, None, 404),
    "HTTP 302": Row(302, Sign.UNREACHABLE, None, 302),
    "no envelope": Row(b"<html>Bad gateway</html>", Sign.UNRELIABLE),
    "signed by another": Row(sealed({"Status": 0}, by=OTHERS), Sign.UNRELIABLE, 0),
    "4004 signed by another": Row(sealed(None, 4004, by=OTHERS), Sign.UNRELIABLE, 4004),
    "4004 that nobody signed": Row(unsigned(sealed(None, 4004)), Sign.UNRELIABLE, 4004),
    "success that nobody signed": Row(unsigned(sealed({"Status": 0})), Sign.UNRELIABLE),
    "undecryptable": Row(undecryptable(), Sign.UNRELIABLE),
    "without a business result": Row(sealed({}), Sign.UNRELIABLE, 0),
}


def test_every_sign_has_its_row() -> None:
    assert set(TABLE) == set(Sign)
    assert {row.action for row in TABLE.values()} == set(Action)


def test_what_says_that_the_platform_fails() -> None:
    failing = {sign for sign, row in TABLE.items() if row.fails}
    assert failing == {Sign.BUSY, Sign.UNREACHABLE, Sign.UNRELIABLE, Sign.BAD_TOKEN}


@pytest.mark.parametrize("interface", EVERY)
def test_ret_0_and_the_business_result_is_good(interface: str) -> None:
    bench = deliver(of(EVERY[interface]))
    assert bench.city.counts == {c.TOKEN: 1, interface: 1}
    assert bench.lanes.tally.confirmed == {interface: 1}
    assert bench.outcomes == ["DONE"]
    assert not bench.lanes.tally.failures
    assert not (bench.letters or bench.disputes or bench.rungs)


@pytest.mark.parametrize("interface", IN_PLACE)
@pytest.mark.parametrize("what", RETRIED)
def test_sent_again_in_place(what: str, interface: str) -> None:
    row = RETRIED[what]
    bench = deliver(of(EVERY[interface]), once(row.answer, interface, times=3))
    assert [call.at for call in bench.city.pushes] == pytest.approx([0, 1, 3, 8])
    assert bench.outcomes == ["AGAIN", "AGAIN", "AGAIN", "DONE"]
    first = bench.attempts[0]
    assert (first.ret, first.http_status, first.next_due_at) == (row.ret, row.http, c.NOW_MS + 1000)
    assert bench.lanes.tally.failures == {row.sign.value: 3}
    assert not (bench.letters or bench.rungs)


@pytest.mark.parametrize("what", RETRIED)
def test_an_order_goes_to_its_ladder(what: str) -> None:
    row = RETRIED[what]
    bench = deliver(of(r.order(1, "A")), once(row.answer, c.BONUS))
    assert bench.city.counts[c.BONUS] == 1
    (rung,) = bench.rungs
    assert (rung.delay_s, rung.order, rung.parcel.interface) == (150, r.order(1, "A"), c.BONUS)
    (attempt,) = bench.attempts
    assert (attempt.outcome, attempt.ret, attempt.http_status) == ("LADDER", row.ret, row.http)
    assert bench.lanes.tally.failures == {row.sign.value: 1}
    assert not (bench.letters or bench.disputes)


@pytest.mark.parametrize("what", RETRIED)
def test_what_says_that_the_platform_fails_opens_the_breaker(what: str) -> None:
    nervous = replace(c.BEIJING, breaker=replace(c.BEIJING.breaker, consecutive=1))
    bench = deliver(of(r.status("A")), once(RETRIED[what].answer), nervous)
    # The probe is due after 5 s, and the state is ready again after one.
    assert bench.city.pushes[1].at == pytest.approx(5, abs=0.2)


class TestRet4002:
    """The token is renewed once, for all who wait, and what was refused is sent again at once."""

    @pytest.mark.parametrize("interface", EVERY)
    def test_renewed_and_sent_again_at_once(self, interface: str) -> None:
        bench = deliver(of(EVERY[interface]), once(sealed(None, 4002)))
        assert [(call.interface, call.authorization, call.at) for call in bench.city.calls] == [
            (c.TOKEN, None, 0),
            (interface, "Bearer token-1", 0),
            (c.TOKEN, None, 0),
            (interface, "Bearer token-2", 0),
        ]
        assert bench.outcomes == ["RENEWED", "DONE"]
        assert not bench.lanes.tally.failures

    def test_unsigned_is_as_good(self) -> None:
        bench = deliver(of(r.status("A")), once(unsigned(sealed(None, 4002))))
        assert bench.outcomes == ["RENEWED", "DONE"]

    def test_once_for_fifty_who_are_refused(self) -> None:
        many = replace(c.BEIJING, limits=replace(c.BEIJING.limits, states_in_flight=50))

        async def script(call: c.Call) -> c.Answer:
            await asyncio.sleep(0.2)
            return sealed(None, 4002) if call.authorization == "Bearer token-1" else None

        bench = deliver(of(*(r.status(f"C{number}") for number in range(50))), script, many)
        assert bench.city.counts == {c.TOKEN: 2, c.STATUS: 100}
        assert bench.outcomes == ["RENEWED"] * 50 + ["DONE"] * 50
        # A token, a push, a token, a push: nobody paused.
        assert bench.city.pushes[-1].at == pytest.approx(0.6)

    @pytest.mark.parametrize("interface", EVERY)
    def test_refused_again_it_is_retried_and_people_are_told(
        self, interface: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = deliver(of(EVERY[interface]), once(sealed(None, 4002, "who?"), interface, times=2))
        assert bench.outcomes[:2] == ["RENEWED", "LADDER" if interface == c.BONUS else "AGAIN"]
        assert bench.city.counts[c.TOKEN] == (2 if interface == c.BONUS else 3)
        assert bench.lanes.tally.failures == {"BAD_TOKEN": 1}
        alerts = [record.message for record in caplog.records if record.levelno == logging.ERROR]
        assert alerts == ["beijing refuses the token that it has just given: Ret 4002, Token错误: who?"]

    def test_again_and_again_counts_as_a_platform_that_fails(self) -> None:
        def script(call: c.Call) -> c.Answer:
            return None if call.interface == c.TOKEN else sealed(None, 4002)

        async def scenario(bench: Bench) -> None:
            for number in range(10):
                bench.put(r.status(f"C{number}"))
            await bench.at(0.5)
            assert bench.lanes.breaker.state == "OPEN"

        deliver(scenario, script, whole=False)


class TestRet4001And4003:
    """A fault of ours: the lanes pause, people are told, and nothing is dropped."""

    @pytest.mark.parametrize("ret", [4001, 4003])
    @pytest.mark.parametrize("sign", [lambda body: body, unsigned])
    def test_the_lanes_pause_until_people_have_mended_it(
        self, ret: int, sign: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        mended: list[bool] = []

        def script(call: c.Call) -> c.Answer:
            return None if mended or call.interface == c.TOKEN else sign(sealed(None, ret, "suspended"))

        async def scenario(bench: Bench) -> None:
            records = [
                *EVERY.values(),
                *(r.status(f"C{n}") for n in range(30)),
                *(r.order(n, "B") for n in range(2, 9)),
            ]
            for record in records:
                bench.put(record)
            await bench.at(59)
            assert bench.lanes.breaker.state == "PAUSED"
            assert bench.done == []
            asked = len(bench.city.pushes)
            # What was on its way when the first was refused; after that a probe a minute.
            assert asked <= 48
            await bench.at(239)
            assert len(bench.city.pushes) == asked + 3
            assert bench.lanes.held == len(records)
            mended.append(True)

        bench = deliver(scenario, script)
        assert bench.lanes.breaker.state == "CLOSED"
        assert not (bench.letters or bench.rungs or bench.disputes)
        assert bench.city.pushes[-1].at == pytest.approx(240, abs=1)
        assert set(bench.outcomes) == {"PAUSED", "DONE"}
        alerts = [record.message for record in caplog.records if record.levelno == logging.ERROR]
        assert len(alerts) == 1
        assert alerts[0].startswith(f"beijing does not admit us, its lanes pause until people mend it: Ret {ret}")
        assert "suspended" in alerts[0]

    def test_a_wrong_secret_for_the_token_is_the_same(self) -> None:
        refused = sealed({"SuccStat": 1, "FailReason": 2})
        bench = deliver(of(r.status("A"), r.order(1, "A")), once(refused, c.TOKEN, times=1))
        assert bench.city.counts == {c.TOKEN: 2, c.STATUS: 1, c.BONUS: 1}
        assert min(call.at for call in bench.city.pushes) == pytest.approx(60, abs=0.2)
        assert set(bench.outcomes) == {"PAUSED", "DONE"}

    @pytest.mark.parametrize("ret", [-1, 500])
    def test_a_platform_that_is_too_busy_for_a_token_is_asked_again_soon(self, ret: int) -> None:
        bench = deliver(of(r.status("A")), once(sealed(None, ret), c.TOKEN))
        assert [call.at for call in bench.city.pushes] == pytest.approx([1])
        assert [(a.outcome, a.ret) for a in bench.attempts] == [("AGAIN", ret), ("DONE", 0)]


class TestRet4004:
    """Poison: parked with its reason, and the lane moves on."""

    @pytest.mark.parametrize("interface", EVERY)
    def test_signed_is_dead_lettered_and_the_next_goes_on(self, interface: str) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(EVERY[interface])
            await bench.at(0.1)
            bench.put(r.status("A", 2))

        bench = deliver(scenario, once(sealed(None, 4004, "Status: what")))
        (letter,) = bench.letters
        lane = "states" if interface == c.STATUS else "orders"
        assert (letter.reason, letter.topic) == ("rejected_by_platform", f"delivery-beijing-{lane}")
        assert letter.detail == f"beijing {interface}: Ret 4004, 请求的业务参数不合法: Status: what"
        assert (letter.partition, letter.offset, letter.key) == (3, 1, b"A")
        assert (letter.recorded_at, letter.failed_at) == (c.NOW_MS, c.NOW_MS)
        (message,) = bench.kafka.on(PREFIX + dead_letter_topic(letter.topic))
        assert message.headers == [("interface", interface)]
        assert bench.outcomes == ["DEAD_LETTER", "DONE"]
        assert bench.lanes.tally.failures == {"POISON": 1}
        assert bench.lanes.tally.given_up == {"rejected_by_platform": 1}
        assert bench.rungs == []

    def test_of_one_interface_and_the_other_goes_on(self) -> None:
        bench = deliver(of(r.order(1, "A", charge_model=1)), once(sealed(None, 4004), c.ORDER))
        assert [c.ORDER in letter.detail for letter in bench.letters] == [True]
        assert bench.lanes.tally.confirmed == {c.BONUS: 1}


class TestBusinessResults:
    def test_status_1_is_not_repeated(self) -> None:
        bench = deliver(of(r.status("A")), once(sealed({"Status": 1})))
        assert bench.city.counts[c.STATUS] == 1
        assert bench.outcomes == ["IGNORED"]
        assert not bench.lanes.tally.failures
        assert bench.letters == []

    @pytest.mark.parametrize("interface", [c.START, c.PROGRESS, c.STOP])
    @pytest.mark.parametrize("answer", [{"SuccStat": 1, "FailReason": 1}, {"SuccStat": 1}])
    def test_succ_stat_1_is_retried_in_place(self, interface: str, answer: dict[str, object]) -> None:
        bench = deliver(of(EVERY[interface]), once(sealed(answer), times=2))
        assert [call.at for call in bench.city.pushes] == pytest.approx([0, 1, 3])
        assert [(a.outcome, a.error) for a in bench.attempts] == [
            *[("AGAIN", "REFUSED with code 1")] * 2,
            ("DONE", ""),
        ]

    def test_a_status_result_that_is_not_known_is_retried_in_place(self) -> None:
        assert deliver(of(r.status("A")), once(sealed({"Status": 7}))).outcomes == ["AGAIN", "DONE"]

    def test_refusals_do_not_open_the_breaker(self) -> None:
        """They say nothing of other records."""
        nervous = replace(c.BEIJING, breaker=replace(c.BEIJING.breaker, consecutive=1))
        bench = deliver(of(r.start(1, "A")), once(sealed({"SuccStat": 1}), times=3), nervous)
        assert [call.at for call in bench.city.pushes] == pytest.approx([0, 1, 3, 8])

    @pytest.mark.parametrize("interface", [c.ORDER, c.BONUS])
    def test_confirm_result_1_is_for_people(self, interface: str, caplog: pytest.LogCaptureFixture) -> None:
        bench = deliver(of(r.order(1, "A", charge_model=1)), once(sealed({"ConfirmResult": 1}), interface))
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 1, c.BONUS: 1}
        (dispute,) = bench.disputes
        order = r.order(1, "A")
        assert (dispute.start_charge_seq, dispute.connector_id) == (r.seq(1), "A")
        assert (dispute.platform, dispute.interface, dispute.code) == ("beijing", interface, 1)
        assert (dispute.energy_kwh, dispute.total_money) == (order.energy_kwh, order.total_money)
        assert dispute.disputed_at == c.NOW_MS
        assert sorted(bench.outcomes) == ["CONTESTED", "DONE"]
        assert not (bench.rungs or bench.letters)
        (alert,) = (record.message for record in caplog.records if record.levelno == logging.ERROR)
        assert alert == f"beijing contests {r.seq(1)} (code 1): people must look at it"

    def test_what_is_contested_is_not_sent_again(self) -> None:
        bench = deliver(of(r.order(1, "A"), r.order(1, "A")), once(sealed({"ConfirmResult": 1})))
        assert bench.city.counts[c.BONUS] == 1
        assert len(bench.disputes) == 1

    @pytest.mark.parametrize(
        ("action", "outcome"),
        [
            ("confirm", "DONE"),
            ("dispute", "CONTESTED"),
            ("retry", "LADDER"),
            ("dead_letter", "DEAD_LETTER"),
            (None, "CONTESTED"),
        ],
    )
    @pytest.mark.parametrize("code", [2, 7, 99])
    def test_a_code_of_the_platforms_own_is_as_its_profile_says(
        self, action: ConfirmAction | None, outcome: str, code: int
    ) -> None:
        others: dict[int, ConfirmAction] = {50: "dispute", 51: "confirm"}
        named = replace(c.BEIJING, confirm_results=others | ({code: action} if action else {}))
        bench = deliver(of(r.order(1, "A")), once(sealed({"ConfirmResult": code})), named)
        assert bench.outcomes == [outcome]
        assert [dispute.code for dispute in bench.disputes] == ([code] if outcome == "CONTESTED" else [])
        assert [rung.delay_s for rung in bench.rungs] == ([150] if outcome == "LADDER" else [])
        assert [letter.reason for letter in bench.letters] == (
            ["rejected_by_platform"] if outcome == "DEAD_LETTER" else []
        )
        assert bench.lanes.tally.confirmed.total() == (outcome in ("DONE", "CONTESTED"))

    def test_a_confirm_result_beyond_the_standards_is_no_result(self) -> None:
        bench = deliver(of(r.order(1, "A")), once(sealed({"ConfirmResult": 100})))
        assert bench.outcomes == ["LADDER"]
        assert bench.lanes.tally.failures == {"UNRELIABLE": 1}
