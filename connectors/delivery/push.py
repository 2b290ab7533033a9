"""One push to a platform: seal, post, open, judge. What to do about a failure is the lane's decision."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import httpx

from connectors.interfaces.outcome import Outcome, Verdict
from connectors.interfaces.registry import Interface
from connectors.platform import Platform, Target
from connectors.protocol import wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.envelope import OpenedResponse, open_response, seal_request
from connectors.protocol.errors import BadSignature, Retryable
from connectors.protocol.ret_codes import RetCode, describe
from connectors.protocol.sequence import Sequence

#: A platform's answer is a few hundred bytes; more than this is no answer.
ANSWER_MAX_BYTES = 1_048_576


class Result(StrEnum):
    """How a push fared, in terms of what must follow."""

    DONE = "DONE"
    #: Send it again, after a pause.
    RETRY = "RETRY"
    #: The token is not valid (any more): renew it and send again.
    RENEW_TOKEN = "RENEW_TOKEN"  # noqa: S105
    #: Our configuration or account is at fault (4001, 4003): send it again, and tell people.
    ALERT = "ALERT"
    #: The platform will never take it (4004): dead-letter it.
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt's result; `detail` says why, without secrets. `ret` is None when there was no answer."""

    result: Result
    detail: str = ""
    ret: int | None = None
    outcome: Outcome | None = None


class Caller:
    """Posts sealed requests to one platform. `now_ms` is the wall clock in UTC ms."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        platform: Platform,
        target: Target,
        credentials: Credentials,
        now_ms: Callable[[], int],
    ) -> None:
        self._transport = transport
        self._platform = platform
        self._target = target
        self._credentials = credentials
        self._now_ms = now_ms
        self._sequence = Sequence()

    async def call(self, interface: str, payload: bytes, token: Secret | None) -> OpenedResponse:
        """One request and its opened answer.

        Raises httpx.HTTPError, TimeoutError (the whole call took too long), HttpStatusRefused and Retryable.
        """
        stamp = self._sequence.next(self._now_ms())
        body = seal_request(payload, self._credentials, stamp)
        headers = {"Content-Type": "application/json;charset=utf-8"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        url = self._platform.url(self._target, interface)
        async with asyncio.timeout(self._platform.timeouts.total_s):
            # Straight to the transport: httpx's client would add cookies, redirects and hooks that nobody needs.
            response = await self._transport.handle_async_request(
                httpx.Request("POST", url, content=body, headers=headers)
            )
            await response.aread()
        if response.status_code != httpx.codes.OK:
            raise HttpStatusRefused(response.status_code)
        if len(response.content) > ANSWER_MAX_BYTES:
            raise Retryable(f"the answer has {len(response.content)} bytes")
        return open_response(response.content, self._credentials)

    async def push(self, interface: Interface, payload: bytes, token: Secret) -> Attempt:
        """One attempt; never raises for what a platform or a network can do."""
        try:
            answer = await self.call(interface.name, payload, token)
        except TimeoutError:
            return Attempt(Result.RETRY, f"no answer within {self._platform.timeouts.total_s} s")
        except (httpx.HTTPError, HttpStatusRefused) as error:
            return Attempt(Result.RETRY, f"{type(error).__name__}: {error}")
        except BadSignature as error:
            return Attempt(Result.RETRY, str(error), error.claimed_ret)
        except Retryable as error:
            return Attempt(Result.RETRY, f"{type(error).__name__}: {error}")
        return judge(interface, answer)


def judge(interface: Interface, answer: OpenedResponse) -> Attempt:
    """What an opened answer means (the error policy by Ret code and business result)."""
    ret = answer.ret
    if ret == RetCode.OK:
        try:
            outcome = interface.outcome(wire_json.decode(answer.payload))
        except Retryable as error:
            return Attempt(Result.RETRY, f"{type(error).__name__}: {error}", ret)
        if outcome.verdict is Verdict.REFUSED:
            return Attempt(Result.RETRY, f"refused with reason {outcome.code}", ret, outcome)
        return Attempt(Result.DONE, outcome.verdict.value, ret, outcome)
    detail = f"{describe(ret)}: {answer.msg}" if answer.msg else describe(ret)
    if ret == RetCode.BAD_TOKEN:
        return Attempt(Result.RENEW_TOKEN, detail, ret)
    if ret == RetCode.BAD_PARAMETERS and answer.signed:
        return Attempt(Result.REJECTED, detail, ret)
    if ret in (RetCode.BAD_SIGNATURE, RetCode.BAD_REQUEST):
        return Attempt(Result.ALERT, detail, ret)
    return Attempt(Result.RETRY, detail, ret)


class HttpStatusRefused(Exception):
    """The platform answered with an HTTP status other than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
