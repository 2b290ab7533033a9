"""The ledger: a line for every attempt, with all that it tells; and no secret in anything that is kept or printed."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.delivery.parcel import Parcel
from connectors.delivery.tally import BOUNDS_S
from connectors.protocol.credentials import Credentials, Secret
from schemas.records.delivery import Attempt
from schemas.records.derived import Derived
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.bench import Bench, deliver, of, once
from tests.connectors.delivery.city import OTHERS, City, sealed, unsigned

DUE = c.NOW_MS - 4_000


def line(**more: object) -> Attempt:
    """A first attempt, at once, that was taken."""
    attempt = Attempt(
        platform="beijing",
        interface=c.STATUS,
        key="A",
        connector_id="A",
        attempt=1,
        due_at=DUE,
        started_at=c.NOW_MS,
        latency_ms=250,
        http_status=200,
        ret=0,
        outcome="DONE",
        error="",
        next_due_at=None,
    )
    return replace(attempt, **more)  # type: ignore[arg-type]


def ledger(record: Derived, *answers: c.Answer, onwards: Parcel | None = None) -> list[Attempt]:
    """What is written of a record when the platform takes 250 ms for each of these answers."""
    left = list(answers)

    async def script(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN:
            return None
        await asyncio.sleep(0.25)
        return left.pop(0) if left else None

    async def scenario(bench: Bench) -> None:
        bench.put(record, recorded_at=DUE, onwards=onwards or Parcel())

    return deliver(scenario, script).attempts


def test_taken() -> None:
    assert ledger(r.status("A")) == [line()]


def test_of_a_charge_the_key_is_its_number() -> None:
    assert ledger(r.stop(1, "A")) == [line(interface=c.STOP, key=r.seq(1))]


def test_again_in_place_is_numbered() -> None:
    assert ledger(r.status("A"), sealed(None, -1, "later"), 503) == [
        line(
            ret=-1, outcome="AGAIN", error="Ret -1, 系统繁忙，此时请求方稍后重试: later", next_due_at=c.NOW_MS + 1_250
        ),
        line(
            attempt=2,
            started_at=c.NOW_MS + 1_250,
            http_status=503,
            ret=None,
            outcome="AGAIN",
            error="HTTP 503",
            next_due_at=c.NOW_MS + 3_500,
        ),
        line(attempt=3, started_at=c.NOW_MS + 3_500),
    ]


def test_on_the_ladder_the_count_goes_on() -> None:
    order = {"interface": c.BONUS, "key": r.seq(1)}
    assert ledger(r.order(1, "A"), 500, onwards=Parcel(c.BONUS, 2)) == [
        line(
            **order,
            attempt=3,
            http_status=500,
            ret=None,
            outcome="LADDER",
            error="HTTP 500",
            next_due_at=c.NOW_MS + 600_250,
        )
    ]
    assert ledger(r.order(1, "A"), onwards=Parcel(c.BONUS, 3)) == [line(**order, attempt=4)]


def test_a_token_that_was_refused_is_a_line_of_its_own() -> None:
    refused = "Ret 4002, Token错误"
    assert ledger(r.status("A"), sealed(None, 4002)) == [
        line(ret=4002, outcome="RENEWED", error=refused),
        line(started_at=c.NOW_MS + 250),
    ]


def test_paused() -> None:
    first, second = ledger(r.status("A"), sealed(None, 4001))
    assert first == line(ret=4001, outcome="PAUSED", error="Ret 4001, 签名错误")
    assert (second.attempt, second.outcome) == (1, "DONE")


def test_dead_lettered() -> None:
    assert ledger(r.status("A"), sealed(None, 4004, "what")) == [
        line(ret=4004, outcome="DEAD_LETTER", error="Ret 4004, 请求的业务参数不合法: what")
    ]


def test_given_up() -> None:
    refused = sealed({"SuccStat": 1, "FailReason": 3})
    lines = ledger(r.stop(1, "A"), *[refused] * 8)
    assert [(one.attempt, one.outcome) for one in lines] == [
        *((number, "AGAIN") for number in range(1, 8)),
        (8, "DEAD_LETTER"),
    ]
    assert lines[-1].error == "REFUSED with code 3"


def test_without_a_token_the_reason_is_query_tokens() -> None:
    bench = deliver(of(r.status("A")), once(sealed(None, 500, "down"), c.TOKEN))
    assert bench.attempts[0].error == "query_token: Ret 500, 系统错误: down"
    assert (bench.attempts[0].ret, bench.attempts[0].http_status) == (500, None)


def test_what_the_platform_is_not_asked_is_no_attempt() -> None:
    async def scenario(bench: Bench) -> None:
        bench.put(r.unreportable(r.status("A")))
        bench.put(r.progress(1, "B"), recorded_at=0)
        bench.put(r.order(2, "C"))
        bench.put(r.order(2, "C"))

    assert [one.key for one in deliver(scenario).attempts] == [r.seq(2)]


def test_the_tally_remembers_the_last_error() -> None:
    bench = deliver(of(r.status("A")), once(503))
    assert (bench.lanes.tally.last_error, bench.lanes.tally.last_error_at) == ("HTTP 503", c.NOW_MS)
    assert bench.lanes.tally.confirmed == {c.STATUS: 1}


SECRETS = Credentials(
    "123456789",
    operator_secret=Secret("operator-secret-1"),
    data_secret=Secret("data-secret-1234"),
    data_secret_iv=Secret("data-secret-iv-1"),
    sig_secret=Secret("sig-secret-12345"),
)
WORDS = ["operator-secret-1", "data-secret-1234", "data-secret-iv-1", "sig-secret-12345", "token-1"]
ECHO = " ".join(WORDS) + " Bearer token-1"

Seal = Callable[[int], bytes]
SEALS: dict[str, Seal] = {
    "signed": lambda ret: sealed(None, ret, ECHO, by=SECRETS),
    "unsigned": lambda ret: unsigned(sealed(None, ret, ECHO, by=SECRETS)),
    "signed by another": lambda ret: sealed(None, ret, ECHO, by=OTHERS),
}

#: Every way in which a platform can say something back, each with all that it knows of us.
ECHOES: dict[str, c.Answer] = {
    **{f"Ret {ret}, {how}": SEALS[how](ret) for ret in (-1, 500, 4001, 4002, 4003, 4004, 4999) for how in SEALS},
    "far into a long message": sealed(None, 500, "x" * 290 + ECHO, by=SECRETS),
    "as a business result": sealed({"Status": ECHO, "SuccStat": ECHO}, by=SECRETS),
    "as an envelope": json.dumps({"Ret": ECHO, "Msg": ECHO, "Data": ECHO, "Sig": ECHO}).encode(),
    "as anything": ECHO.encode(),
}


def assert_nothing_is_told(bench: Bench, log: str) -> None:
    """Of the secrets, whole or in part, where something is kept or printed."""
    assert any(one.error for one in bench.attempts)
    written = b"".join(message.value for message in bench.kafka.messages).decode("utf-8", "replace")
    for kept in (written, bench.lanes.tally.last_error, bench.lanes.breaker.reason, log):
        assert "secret" not in kept.replace("is our SigSecret theirs?", "")
        assert "token-1" not in kept


@pytest.mark.parametrize("what", ECHOES)
def test_what_the_platform_repeats_of_our_secrets_is_kept_nowhere(what: str, caplog: pytest.LogCaptureFixture) -> None:
    grant = City(by=SECRETS).grant("token-1")

    def script(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN:
            return grant
        return ECHOES[what] if call.at < 20 else None

    with caplog.at_level(logging.DEBUG):
        bench = deliver(of(r.status("A"), r.stop(1, "A"), r.order(2, "A")), script, by=SECRETS)
    assert_nothing_is_told(bench, caplog.text)


@pytest.mark.parametrize("what", ECHOES)
def test_nor_what_query_token_repeats(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first token is granted and then refused by a push; the second is what the platform answers so."""
    asked: list[c.Call] = []

    def script(call: c.Call) -> c.Answer:
        if call.interface != c.TOKEN:
            return sealed(None, 4002, by=SECRETS) if call.authorization == "Bearer token-1" else None
        asked.append(call)
        return ECHOES[what] if len(asked) == 2 else None

    with caplog.at_level(logging.DEBUG):
        bench = deliver(of(r.status("A"), r.stop(1, "A"), r.order(2, "A")), script, by=SECRETS)
    assert any(one.error.startswith("query_token: ") for one in bench.attempts)
    assert_nothing_is_told(bench, caplog.text)


def test_the_tally_remembers_how_long_after_its_time_each_push_was_taken() -> None:
    async def scenario(bench: Bench) -> None:
        for key, late_s in (("A", 0), ("B", 3), ("C", 3), ("D", 100_000), ("E", -60)):
            bench.put(r.status(key), recorded_at=c.NOW_MS - late_s * 1000)

    delays = deliver(scenario).lanes.tally.delays
    assert list(delays) == [c.STATUS]
    counted = {bound: count for bound, count in zip((*BOUNDS_S, None), delays[c.STATUS].counts, strict=True) if count}
    assert counted == {0.1: 2, 5.0: 2, None: 1}
    assert 100_006 <= delays[c.STATUS].sum_s < 100_007
