"""The token: one request for all who wait, renewed before its end, fetched anew when it is refused."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import httpx
import pytest

from connectors.delivery.outcomes import Sign
from connectors.delivery.tokens import TokenKeeper, TokenRefused
from connectors.protocol.credentials import Credentials, Secret
from tests.connectors.delivery import city as c
from tests.connectors.delivery.city import CREDENTIALS, OTHERS, City, sealed, unsigned

WAITING = 50


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """Holds every asking for a token until it is opened, then answers each with the next of its answers."""

    def __init__(self, *answers: c.Answer) -> None:
        self.answers = list(answers)
        self.open = asyncio.Event()

    async def __call__(self, _: c.Call) -> c.Answer:
        await self.open.wait()
        return self.answers.pop(0) if self.answers else None


def run(
    scenario: Callable[[TokenKeeper, City, Clock], Awaitable[None]],
    script: c.Script | None = None,
    token_s: int = 7200,
) -> City:
    city, clock = City(script, token_s), Clock()

    async def go() -> None:
        await scenario(TokenKeeper(city.caller(), CREDENTIALS, clock), city, clock)

    asyncio.run(go())
    return city


def granted(by: Credentials = CREDENTIALS, **more: object) -> bytes:
    """A good answer but for what is given; None leaves a field out."""
    answer = {"SuccStat": 0, "AccessToken": "x", "TokenAvailableTime": 9} | more
    return sealed({name: value for name, value in answer.items() if value is not None}, by=by)


async def settle() -> None:
    """Lets every task go as far as it can."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.mark.parametrize("token", ["YWJj\r\nZGVm", "a b", "a\tb", "令牌", "a\x7f"])
def test_a_token_that_no_header_can_show_is_refused_and_asked_for_again(token: str) -> None:
    answers = [granted(AccessToken=token), None]

    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        with pytest.raises(TokenRefused, match="AccessToken: has what no header may have") as caught:
            await keeper.token()
        assert caught.value.sign is Sign.UNRELIABLE
        assert await keeper.token() == Secret("token-1")

    run(scenario, lambda _: answers.pop(0))


def test_what_is_asked() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        assert await keeper.token() == Secret("token-1")

    (call,) = run(scenario).calls
    assert call.interface == c.TOKEN
    assert call.payload == {"OperatorID": "123456789", "OperatorSecret": c.SECRET}


def test_nothing_is_asked_before_it_is_needed() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        await settle()
        assert keeper.fetched == 0

    assert run(scenario).calls == []


def test_fifty_who_wait_share_one_request() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        assert isinstance(city.script, Gate)
        waiting = [asyncio.create_task(keeper.token()) for _ in range(WAITING)]
        await settle()
        assert len(city.calls) == 1
        city.script.open.set()
        assert set(await asyncio.gather(*waiting)) == {Secret("token-1")}
        assert keeper.fetched == 1

    assert len(run(scenario, Gate()).calls) == 1


def test_fifty_who_wait_share_a_failure_and_the_next_try_works() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        assert isinstance(city.script, Gate)
        waiting = [asyncio.create_task(keeper.token()) for _ in range(WAITING)]
        await settle()
        city.script.open.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [TokenRefused] * WAITING
        told = {(str(result), result.sign, result.ret) for result in results if isinstance(result, TokenRefused)}
        assert told == {("ConnectError: refused", Sign.UNREACHABLE, None)}
        # Each may be raised, and keep its traceback, on its own.
        assert len({id(result) for result in results}) == WAITING
        assert [result.is_anothers for result in results if isinstance(result, TokenRefused)].count(False) == 1
        assert len(city.calls) == 1
        assert await keeper.token() == Secret("token-1")

    assert len(run(scenario, Gate(httpx.ConnectError("refused"))).calls) == 2


def test_the_request_goes_on_when_the_one_who_began_it_is_cancelled() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        assert isinstance(city.script, Gate)
        first = asyncio.create_task(keeper.token())
        await settle()
        second = asyncio.create_task(keeper.token())
        await settle()
        first.cancel()
        await settle()
        city.script.open.set()
        assert await second

    run(scenario, Gate())


@pytest.mark.parametrize(
    ("token_s", "good_s"),
    [
        (7200, 7170),
        (120, 90),
        # Of a short one, the last half is left unused.
        (40, 20),
        (1, 0.5),
    ],
)
def test_renewed_before_its_end(token_s: int, good_s: float) -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        assert await keeper.token() == Secret("token-1")
        clock.now += good_s - 0.01
        assert await keeper.token() == Secret("token-1")
        clock.now += 0.01
        assert await keeper.token() == Secret("token-2")
        clock.now += good_s - 0.01
        assert await keeper.token() == Secret("token-2")

    assert len(run(scenario, token_s=token_s).calls) == 2


def test_a_refused_token_is_fetched_anew_once() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        tokens = await asyncio.gather(*(keeper.token() for _ in range(WAITING)))
        # All fifty pushes went out with it, so all fifty are refused.
        for token in tokens:
            keeper.refused(token)
        assert set(await asyncio.gather(*(keeper.token() for _ in range(WAITING)))) == {Secret("token-2")}
        for token in tokens:
            keeper.refused(token)
        assert await keeper.token() == Secret("token-2")

    assert len(run(scenario).calls) == 2


def test_a_platform_that_grants_the_same_token_again() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        first = await keeper.token()
        keeper.refused(first)
        second = await keeper.token()
        assert second == first
        # The late refusal of the first asking is no word about the second.
        keeper.refused(first)
        await keeper.token()
        assert len(city.calls) == 2
        keeper.refused(second)
        await keeper.token()
        assert len(city.calls) == 3

    run(scenario, lambda _: City().grant("always"))


FAILURES: list[tuple[c.Answer, str, Sign, int | None]] = [
    (httpx.ConnectError("refused"), "ConnectError: refused", Sign.UNREACHABLE, None),
    (httpx.ReadTimeout("slow"), "ReadTimeout: slow", Sign.UNREACHABLE, None),
    (500, "HTTP 500", Sign.UNREACHABLE, None),
    (429, "HTTP 429", Sign.UNREACHABLE, None),
    (b"garbage", "MalformedEnvelope", Sign.UNRELIABLE, None),
    (sealed({}), "SuccStat: is missing", Sign.UNRELIABLE, None),
    (granted(AccessToken=""), "AccessToken: is empty", Sign.UNRELIABLE, None),
    (granted(TokenAvailableTime=0), "TokenAvailableTime: is not positive", Sign.UNRELIABLE, None),
    (granted(TokenAvailableTime=None), "TokenAvailableTime: is missing", Sign.UNRELIABLE, None),
    (granted(by=OTHERS), "signature", Sign.UNRELIABLE, None),
    # What we are is refused: it does not mend itself.
    (sealed({"SuccStat": 1, "FailReason": 1}), "SuccStat 1, FailReason 1", Sign.NOT_ADMITTED, None),
    (sealed({"SuccStat": 1, "FailReason": 2}), "SuccStat 1, FailReason 2", Sign.NOT_ADMITTED, None),
    (sealed(None, 4001), "Ret 4001, 签名错误", Sign.NOT_ADMITTED, 4001),
    (sealed(None, 4002), "Ret 4002, Token错误", Sign.NOT_ADMITTED, 4002),
    (unsigned(sealed(None, 4003)), "Ret 4003, POST参数不合法", Sign.NOT_ADMITTED, 4003),
    (sealed(None, 4004, "what"), "Ret 4004, 请求的业务参数不合法: what", Sign.NOT_ADMITTED, 4004),
    (sealed(None, -1, "busy"), "Ret -1, 系统繁忙，此时请求方稍后重试: busy", Sign.BUSY, -1),
    (sealed(None, 500), "Ret 500, 系统错误", Sign.BUSY, 500),
    (sealed(None, 500, f"you sent {c.SECRET}"), "Ret 500, 系统错误: you sent ***", Sign.BUSY, 500),
    (sealed(None, 500, "x" * 280 + c.SECRET + "x" * 5000), "Ret 500, 系统错误: xxx", Sign.BUSY, 500),
]


@pytest.mark.parametrize(("answer", "reason", "sign", "ret"), FAILURES)
def test_a_failure_says_why_and_the_next_try_works(
    answer: c.Answer, reason: str, sign: Sign, ret: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        with pytest.raises(TokenRefused) as caught:
            await keeper.token()
        assert reason in str(caught.value)
        assert (caught.value.sign, caught.value.ret) == (sign, ret)
        assert c.SECRET[:6] not in str(caught.value)
        assert len(str(caught.value)) < 400
        assert not str(caught.value).endswith(": ")
        assert (keeper.refusals, keeper.fetched) == (1, 0)
        city.script = None
        assert await keeper.token() == Secret("token-1")

    with caplog.at_level(logging.DEBUG):
        run(scenario, lambda _: answer)
    assert c.SECRET not in caplog.text
    assert "token-1" not in caplog.text


def test_a_failed_renewal_is_tried_again() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        await keeper.token()
        clock.now += 7170
        city.script = lambda _: 500
        for _ in range(2):
            with pytest.raises(TokenRefused):
                await keeper.token()
        city.script = None
        assert await keeper.token() == Secret("token-2")

    run(scenario)


def test_a_bug_is_not_taken_for_a_refusal() -> None:
    async def scenario(keeper: TokenKeeper, city: City, clock: Clock) -> None:
        with pytest.raises(ZeroDivisionError):
            await keeper.token()
        city.script = None
        assert await keeper.token()

    run(scenario, lambda _: ZeroDivisionError())
