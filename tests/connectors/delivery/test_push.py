"""One push: every way a platform can answer, and what that is a sign of."""

import asyncio
import json

import httpx
import pytest

from connectors.delivery.outcomes import Sign
from connectors.delivery.push import ANSWER_MAX_BYTES, DETAIL_MAX, HttpStatusRefused, Reply
from connectors.interfaces.registry import interfaces
from connectors.protocol import wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.envelope import OpenedResponse, open_response
from connectors.protocol.errors import Retryable
from tests.connectors.delivery import city as c
from tests.connectors.delivery.city import CREDENTIALS, OTHERS, City, sealed, unsigned

PAYLOAD = b'{"ConnectorStatusInfo":{"ConnectorID":"1","Status":1}}'
TOKEN = Secret("the-token")


def push(answer: c.Answer, interface: str = c.STATUS, by: Credentials = CREDENTIALS) -> Reply:
    city = City(lambda _: answer, by=by)
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
    assert push(sealed(c.GOOD[interface]), interface) == Reply(Sign.TAKEN, "", 0, 200)


@pytest.mark.parametrize(
    ("interface", "payload", "sign", "detail", "code"),
    [
        (c.STATUS, {"Status": 1}, Sign.IGNORED, "IGNORED with code 1", 1),
        (c.STATUS, {"Status": 7}, Sign.REFUSED, "REFUSED with code 7", 7),
        (c.START, {"SuccStat": 1, "FailReason": 1}, Sign.REFUSED, "REFUSED with code 1", 1),
        (c.PROGRESS, {"SuccStat": 1}, Sign.REFUSED, "REFUSED with code 1", 1),
        (c.STOP, {"SuccStat": 1, "FailReason": 9}, Sign.REFUSED, "REFUSED with code 9", 9),
        (c.ORDER, {"ConfirmResult": 1}, Sign.CONTESTED, "DISPUTED with code 1", 1),
        (c.ORDER, {"ConfirmResult": 7}, Sign.CONTESTED, "CUSTOM with code 7", 7),
        (c.BONUS, {"ConfirmResult": 1}, Sign.CONTESTED, "DISPUTED with code 1", 1),
        (c.BONUS, {"ConfirmResult": 99}, Sign.CONTESTED, "CUSTOM with code 99", 99),
    ],
)
def test_ret_0_with_a_business_result(
    interface: str, payload: dict[str, object], sign: Sign, detail: str, code: int
) -> None:
    assert push(sealed(payload), interface) == Reply(sign, detail, 0, 200, code)


@pytest.mark.parametrize(
    ("ret", "sign"),
    [
        (-1, Sign.BUSY),
        (500, Sign.BUSY),
        (4001, Sign.NOT_ADMITTED),
        (4002, Sign.BAD_TOKEN),
        (4003, Sign.NOT_ADMITTED),
        (4004, Sign.POISON),
        (4999, Sign.BUSY),
        (1, Sign.BUSY),
    ],
)
@pytest.mark.parametrize("payload", [None, {}])
def test_a_signed_error(ret: int, payload: dict[str, object] | None, sign: Sign) -> None:
    reply = push(sealed(payload, ret, "because"))
    assert (reply.sign, reply.ret, reply.http_status) == (sign, ret, 200)
    assert reply.detail.startswith(f"Ret {ret}, ")
    assert reply.detail.endswith(": because")


@pytest.mark.parametrize(
    ("ret", "sign"),
    [
        (-1, Sign.BUSY),
        (500, Sign.BUSY),
        (4001, Sign.NOT_ADMITTED),
        (4002, Sign.BAD_TOKEN),
        (4003, Sign.NOT_ADMITTED),
        # Anybody could have said so: a record is not given up for it.
        (4004, Sign.UNRELIABLE),
    ],
)
def test_an_unsigned_error(ret: int, sign: Sign) -> None:
    reply = push(unsigned(sealed(None, ret)))
    assert (reply.sign, reply.ret) == (sign, ret)


@pytest.mark.parametrize("ret", [0, -1, 500, 4001, 4002, 4003, 4004])
def test_a_bad_signature_leaves_the_outcome_unknown(ret: int) -> None:
    reply = push(sealed({"Status": 0} if ret == 0 else None, ret, by=OTHERS))
    assert (reply.sign, reply.ret, reply.http_status) == (Sign.UNRELIABLE, ret, 200)
    assert "signature" in reply.detail
    # A platform that refuses our SigSecret signs with another one.
    assert ("is our SigSecret theirs?" in reply.detail) == (ret == 4001)


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
    reply = push(body)
    assert (reply.sign, reply.http_status) == (Sign.UNRELIABLE, 200)
    assert reply.detail


def test_a_signed_answer_that_does_not_decrypt() -> None:
    sig = CREDENTIALS.signer.sign("0AAAA")
    reply = push(json.dumps({"Ret": 0, "Msg": "", "Data": "AAAA", "Sig": sig}).encode())
    assert reply.sign is Sign.UNRELIABLE
    assert "Undecryptable" in reply.detail


def test_a_number_of_confirmation_out_of_range() -> None:
    assert push(sealed({"ConfirmResult": 100}), c.ORDER).sign is Sign.UNRELIABLE


@pytest.mark.parametrize("status", [500, 502, 503, 429, 404, 301, 302, 204, 400, 401])
def test_an_http_status(status: int) -> None:
    assert push(status) == Reply(Sign.UNREACHABLE, f"HTTP {status}", None, status)


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
    assert push(error) == Reply(Sign.UNREACHABLE, f"{type(error).__name__}: {error}")


def test_an_answer_too_large_to_be_one() -> None:
    reply = push(b" " * (ANSWER_MAX_BYTES + 1) + sealed({"Status": 0}))
    assert reply.sign is Sign.UNRELIABLE
    assert "bytes" in reply.detail


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


APART = Credentials("123456789", *map(Secret, ("the-operators", "1234567890abcdef", "fedcba0987654321", "the-sig")))
SECRETS = ("the-token", "the-operators", "1234567890abcdef", "fedcba0987654321", "the-sig")


def test_what_a_platform_repeats_is_masked() -> None:
    reply = push(sealed(None, 500, "you sent " + " ".join(SECRETS), by=APART), by=APART)
    assert reply.detail == "Ret 500, 系统错误: you sent *** *** *** *** ***"


def test_a_secret_at_the_end_of_what_is_kept_is_not_kept_in_part() -> None:
    for length in range(DETAIL_MAX - 60, DETAIL_MAX):
        reply = push(sealed(None, 500, "x" * length + "the-token", by=APART), by=APART)
        assert len(reply.detail) <= DETAIL_MAX
        assert "the" not in reply.detail


def test_a_secret_that_begins_another_is_masked_with_it() -> None:
    by = Credentials("123456789", *map(Secret, ("ABCDEFGH", "ABCDEFGHijklMNOP", "fedcba0987654321", "the-sig")))
    assert push(sealed(None, 500, "ABCDEFGHijklMNOP, ABCDEFGH", by=by), by=by).detail.endswith(": ***, ***")


def test_what_a_platform_says_is_one_line() -> None:
    reply = push(sealed(None, 500, "evil\n2026-11-26 ERROR forged\x1b[31m\u2028\r好"))
    assert reply.detail == "Ret 500, 系统错误: evil 2026-11-26 ERROR forged [31m  好"


def test_the_token_before_is_masked_too() -> None:
    city = City(lambda _: sealed(None, 500, "first second third"))
    caller = city.caller()

    async def both() -> Reply:
        for token in ("first", "second", "third"):
            reply = await caller.push(interfaces()[c.STATUS], PAYLOAD, Secret(token))
        return reply

    assert asyncio.run(both()).detail.endswith(": first *** ***")


@pytest.mark.parametrize(
    "answer", [sealed(None, 4001, by=OTHERS), sealed({"Status": "x"}), b"garbage", httpx.ReadTimeout("slow")]
)
def test_no_detail_tells_a_secret(answer: c.Answer) -> None:
    detail = push(answer).detail
    assert c.SECRET not in detail
    assert TOKEN.reveal() not in detail


class TestAnswersThatAreKnown:
    """Once an answer was opened, the same bytes are not opened again; nothing else is taken without its signature."""

    @staticmethod
    def pushes(*answers: tuple[str, c.Answer], by: Credentials = CREDENTIALS) -> tuple[list[Reply], int]:
        """The replies to pushes of these interfaces that are answered so, and how many of them were opened."""
        answer = (what for _, what in answers)
        opened: list[bytes] = []

        def noted(body: bytes, credentials: Credentials) -> OpenedResponse:
            opened.append(body)
            return open_response(body, credentials)

        async def all_of_them() -> list[Reply]:
            caller = City(lambda _: next(answer), by=by).caller()
            return [await caller.push(interfaces()[name], PAYLOAD, TOKEN) for name, _ in answers]

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("connectors.delivery.push.open_response", noted)
            return asyncio.run(all_of_them()), len(opened)

    @pytest.mark.parametrize("interface", [c.STATUS, c.PROGRESS])
    def test_once(self, interface: str) -> None:
        good = sealed(c.GOOD[interface])
        replies, opened = self.pushes(*[(interface, good)] * 3)
        assert replies == [Reply(Sign.TAKEN, "", 0, 200)] * 3
        assert opened == 1

    @pytest.mark.parametrize("interface", [c.START, c.STOP, c.ORDER, c.BONUS])
    def test_what_is_answered_once_is_always_opened(self, interface: str) -> None:
        assert self.pushes(*[(interface, sealed(c.GOOD[interface]))] * 2)[1] == 2

    @pytest.mark.parametrize("answer", [sealed({"Status": 1}), sealed(None, 500), sealed({"Status": 7}), b"garbage"])
    def test_what_was_not_taken_is_always_opened(self, answer: bytes) -> None:
        replies, opened = self.pushes((c.STATUS, answer), (c.STATUS, answer))
        assert opened == 2
        assert replies[0] == replies[1]
        assert replies[0].sign is not Sign.TAKEN

    def test_an_interface_knows_nothing_of_another(self) -> None:
        """The same bytes are good for one, and no answer for the other."""
        good = sealed(c.GOOD[c.PROGRESS])
        replies, opened = self.pushes((c.PROGRESS, good), (c.STATUS, good))
        assert [reply.sign for reply in replies] == [Sign.TAKEN, Sign.UNRELIABLE]
        assert opened == 2

    def test_one_that_is_signed_by_another_is_refused_as_ever(self) -> None:
        replies, _ = self.pushes((c.STATUS, sealed(c.GOOD[c.STATUS])), (c.STATUS, sealed(c.GOOD[c.STATUS], by=OTHERS)))
        assert [reply.sign for reply in replies] == [Sign.TAKEN, Sign.UNRELIABLE]


@pytest.mark.parametrize("interface", [c.ORDER, c.BONUS])
@pytest.mark.parametrize(
    ("named", "sign"),
    [
        ("A" * 27, Sign.TAKEN),
        ("", Sign.TAKEN),
        (None, Sign.TAKEN),
        (7, Sign.TAKEN),
        ("B" * 27, Sign.UNRELIABLE),
        ("A" * 26, Sign.UNRELIABLE),
    ],
)
def test_an_answer_about_another_order_confirms_none(interface: str, named: object, sign: Sign) -> None:
    answer = sealed({"StartChargeSeq": named, "ConfirmResult": 0})
    payload = wire_json.encode({"StartChargeSeq": "A" * 27})
    reply = asyncio.run(City(lambda _: answer).caller().push(interfaces()[interface], payload, TOKEN))
    assert reply.sign is sign
    assert ("another order" in reply.detail) == (sign is not Sign.TAKEN)
