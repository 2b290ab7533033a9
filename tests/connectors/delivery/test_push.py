"""One push: every way a platform can answer, and what must follow."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from connectors.delivery.push import ANSWER_MAX_BYTES, Attempt, Caller, HttpStatusRefused, Result
from connectors.interfaces.outcome import Outcome, Verdict
from connectors.interfaces.registry import interfaces
from connectors.policies import Timeouts
from connectors.protocol import cipher
from connectors.protocol.credentials import Secret
from connectors.protocol.errors import Retryable
from tests.connectors.delivery import city as c
from tests.connectors.delivery.city import CREDENTIALS, NOW_MS, OTHERS, City, sealed, unsigned

PAYLOAD = b'{"ConnectorStatusInfo":{"ConnectorID":"1","Status":1}}'
TOKEN = Secret("the-token")


def push(answer: c.Answer, interface: str = c.STATUS) -> Attempt:
    city = City(lambda _: answer)
    return asyncio.run(city.caller().push(interfaces()[interface], PAYLOAD, TOKEN))


def test_what_is_sent() -> None:
    city = City()
    asyncio.run(city.caller().push(interfaces()[c.STATUS], PAYLOAD, TOKEN))
    (call,) = city.calls
    request = call.request
    assert (request.method, str(request.url)) == ("POST", c.ADDRESS + c.STATUS)
    assert request.headers["Content-Type"] == "application/json;charset=utf-8"
    assert request.headers["Authorization"] == "Bearer the-token"
    body = json.loads(request.content)
    assert set(body) == {"OperatorID", "Data", "TimeStamp", "Seq", "Sig"}
    assert (body["OperatorID"], body["TimeStamp"], body["Seq"]) == ("123456789", "20260304100000", "0001")


def test_query_token_goes_without_authorization() -> None:
    city = City()
    asyncio.run(city.caller().call(c.TOKEN, b"{}", None))
    assert "Authorization" not in city.calls[0].request.headers


def test_no_two_requests_have_one_stamp() -> None:
    city = City()
    caller = city.caller()

    async def many() -> None:
        await asyncio.gather(*(caller.push(interfaces()[c.STATUS], PAYLOAD, TOKEN) for _ in range(50)))

    asyncio.run(many())
    bodies = [json.loads(call.request.content) for call in city.calls]
    assert len({(body["TimeStamp"], body["Seq"]) for body in bodies}) == 50


@pytest.mark.parametrize("interface", [c.STATUS, c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS])
def test_ret_0_and_accepted(interface: str) -> None:
    attempt = push(sealed(c.GOOD[interface]), interface)
    assert attempt == Attempt(Result.DONE, "DONE", 0, Outcome(Verdict.DONE))


@pytest.mark.parametrize(
    ("interface", "payload", "result", "outcome"),
    [
        (c.STATUS, {"Status": 1}, Result.DONE, Outcome(Verdict.IGNORED, 1)),
        (c.STATUS, {"Status": 7}, Result.RETRY, Outcome(Verdict.REFUSED, 7)),
        (c.START, {"SuccStat": 1, "FailReason": 1}, Result.RETRY, Outcome(Verdict.REFUSED, 1)),
        (c.PROGRESS, {"SuccStat": 1}, Result.RETRY, Outcome(Verdict.REFUSED, 1)),
        (c.STOP, {"SuccStat": 1, "FailReason": 9}, Result.RETRY, Outcome(Verdict.REFUSED, 9)),
        (c.ORDER, {"ConfirmResult": 0}, Result.DONE, Outcome(Verdict.DONE)),
        (c.ORDER, {"ConfirmResult": 1}, Result.DONE, Outcome(Verdict.DISPUTED, 1)),
        (c.ORDER, {"ConfirmResult": 7}, Result.DONE, Outcome(Verdict.CUSTOM, 7)),
        (c.BONUS, {"ConfirmResult": 1}, Result.DONE, Outcome(Verdict.DISPUTED, 1)),
        (c.BONUS, {"ConfirmResult": 7}, Result.DONE, Outcome(Verdict.CUSTOM, 7)),
    ],
)
def test_ret_0_with_a_business_result(
    interface: str, payload: dict[str, object], result: Result, outcome: Outcome
) -> None:
    attempt = push(sealed(payload), interface)
    assert (attempt.result, attempt.ret, attempt.outcome) == (result, 0, outcome)


@pytest.mark.parametrize(
    ("ret", "result"),
    [
        (-1, Result.RETRY),
        (500, Result.RETRY),
        (4001, Result.ALERT),
        (4002, Result.RENEW_TOKEN),
        (4003, Result.ALERT),
        (4004, Result.REJECTED),
        (4999, Result.RETRY),
    ],
)
@pytest.mark.parametrize("payload", [None, {}])
def test_a_signed_error(ret: int, payload: dict[str, object] | None, result: Result) -> None:
    attempt = push(sealed(payload, ret, "because"))
    assert (attempt.result, attempt.ret, attempt.outcome) == (result, ret, None)
    assert attempt.detail.endswith("because")


@pytest.mark.parametrize(
    ("ret", "result"),
    [
        (-1, Result.RETRY),
        (500, Result.RETRY),
        (4001, Result.ALERT),
        (4002, Result.RENEW_TOKEN),
        (4003, Result.ALERT),
        # Anybody could have said so: a record is not given up for it.
        (4004, Result.RETRY),
    ],
)
def test_an_unsigned_error(ret: int, result: Result) -> None:
    attempt = push(unsigned(sealed(None, ret)))
    assert (attempt.result, attempt.ret) == (result, ret)


@pytest.mark.parametrize("ret", [0, -1, 500, 4001, 4002, 4003, 4004])
def test_a_bad_signature_leaves_the_outcome_unknown(ret: int) -> None:
    attempt = push(sealed({"Status": 0} if ret == 0 else None, ret, by=OTHERS))
    assert (attempt.result, attempt.ret, attempt.outcome) == (Result.RETRY, ret, None)
    assert "signature" in attempt.detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"Ret":0}',
        b'{"Ret":"no","Msg":"","Data":"","Sig":""}',
        unsigned(sealed({"Status": 0})),
        sealed(None),
        sealed({}),
        sealed({"Status": None}),
        sealed({"Status": "x"}),
        sealed({"Status": 0})[:-20],
    ],
)
def test_garbage_leaves_the_outcome_unknown(body: bytes) -> None:
    attempt = push(body)
    assert (attempt.result, attempt.outcome) == (Result.RETRY, None)
    assert attempt.detail


def test_a_signed_answer_that_does_not_decrypt() -> None:
    sig = cipher.sign("0AAAA", CREDENTIALS.sig_secret.encoded)
    attempt = push(json.dumps({"Ret": 0, "Msg": "", "Data": "AAAA", "Sig": sig}).encode())
    assert attempt.result is Result.RETRY
    assert "Undecryptable" in attempt.detail


def test_a_number_of_confirmation_out_of_range() -> None:
    assert push(sealed({"ConfirmResult": 100}), c.ORDER).result is Result.RETRY


@pytest.mark.parametrize("status", [500, 502, 503, 429, 404, 301, 302, 204, 400, 401])
def test_an_http_status(status: int) -> None:
    assert push(status) == Attempt(Result.RETRY, f"HttpStatusRefused: HTTP {status}")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.PoolTimeout("slow"),
        httpx.TimeoutException("slow"),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("nonsense"),
        httpx.TransportError("what"),
        httpx.DecodingError("what"),
    ],
)
def test_what_a_network_does(error: Exception) -> None:
    attempt = push(error)
    assert attempt == Attempt(Result.RETRY, f"{type(error).__name__}: {error}")


def test_an_answer_that_takes_too_long_in_all() -> None:
    hurried = replace(c.BEIJING, timeouts=Timeouts(0.01, 0.01, 0.01))

    async def forever(_: c.Call) -> None:
        await asyncio.Event().wait()

    caller = Caller(City(forever).transport, hurried, "test", CREDENTIALS, lambda: NOW_MS)
    attempt = asyncio.run(caller.push(interfaces()[c.STATUS], PAYLOAD, TOKEN))
    assert attempt == Attempt(Result.RETRY, "no answer within 0.01 s")


def test_an_answer_too_large_to_be_one() -> None:
    attempt = push(b" " * (ANSWER_MAX_BYTES + 1) + sealed({"Status": 0}))
    assert attempt.result is Result.RETRY
    assert "bytes" in attempt.detail


@pytest.mark.parametrize(
    ("answer", "error"),
    [(500, HttpStatusRefused), (b"garbage", Retryable), (httpx.ReadError("x"), httpx.HTTPError)],
)
def test_call_says_what_went_wrong(answer: c.Answer, error: type[Exception]) -> None:
    with pytest.raises(error):
        asyncio.run(City(lambda _: answer).caller().call(c.TOKEN, b"{}", None))


def test_a_bug_is_not_taken_for_the_networks_fault() -> None:
    with pytest.raises(ZeroDivisionError):
        push(ZeroDivisionError())


def test_no_detail_tells_a_secret() -> None:
    answers: list[Callable[[], c.Answer]] = [
        lambda: sealed(None, 4001, by=OTHERS),
        lambda: sealed({"Status": "x"}),
        lambda: b"garbage",
        lambda: httpx.ReadTimeout("slow"),
    ]
    for answer in answers:
        detail = push(answer()).detail
        assert c.SECRET not in detail
        assert TOKEN.reveal() not in detail
