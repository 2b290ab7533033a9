"""One push to a platform: seal, post, open, say how it ended. What follows is decided by `outcomes` and the lanes."""

from collections import deque
from collections.abc import Callable, Mapping

import httpx
import msgspec

from connectors.delivery.known_answers import KnownAnswers
from connectors.delivery.outcomes import Sign
from connectors.interfaces.outcome import Verdict
from connectors.interfaces.registry import Interface
from connectors.platform import Platform, Target
from connectors.protocol import wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.envelope import OpenedResponse, open_response, seal_request
from connectors.protocol.errors import BadSignature, Retryable
from connectors.protocol.fields import find
from connectors.protocol.ret_codes import RetCode, describe
from connectors.protocol.sequence import Sequence
from schemas.records.derived import ChargeProgress, Order, StatusChange

#: A platform's answer is a few hundred bytes; more than this is no answer.
ANSWER_MAX_BYTES = 1_048_576

#: So much of what a platform says is kept, in characters.
DETAIL_MAX = 300

_HEADERS = httpx.Headers({"Content-Type": "application/json;charset=utf-8"})

#: Of these a platform's answers are the same bytes again and again. An order is answered once.
_ANSWERED_ALIKE = (StatusChange, ChargeProgress)

_SIGNS = {
    Verdict.DONE: Sign.TAKEN,
    Verdict.IGNORED: Sign.IGNORED,
    Verdict.REFUSED: Sign.REFUSED,
    Verdict.DISPUTED: Sign.CONTESTED,
    Verdict.CUSTOM: Sign.CONTESTED,
}


class Reply(msgspec.Struct, frozen=True):
    """How one attempt ended. `detail` says why it was not taken, without secrets; `ret` and `http_status` are None
    where there was none; `code` is the business result's own number (ConfirmResult, FailReason, Status)."""

    sign: Sign
    detail: str = ""
    ret: int | None = None
    http_status: int | None = None
    code: int = 0


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
        self._urls: dict[str, httpx.URL] = {}
        self._known: dict[str, KnownAnswers[Reply]] = {}
        self._token: Secret | None = None
        self._authorized = _HEADERS
        #: The token in use and the one before.
        self._shown: deque[Secret] = deque(maxlen=2)

    async def call(self, interface: str, payload: bytes, token: Secret | None) -> OpenedResponse:
        """One request and its opened answer.

        Raises httpx.HTTPError, HttpStatusRefused and Retryable.
        """
        return open_response(await self._post(interface, payload, token), self._credentials)

    async def push(self, interface: Interface, payload: bytes, token: Secret) -> Reply:
        """One attempt; never raises for what a platform or a network can do."""
        reply = await self._push(interface, payload, token)
        if not reply.detail:
            return reply
        return msgspec.structs.replace(reply, detail=self.without_secrets(reply.detail))

    async def _push(self, interface: Interface, payload: bytes, token: Secret) -> Reply:
        try:
            body = await self._post(interface.name, payload, token)
            known = self._known.get(interface.name)
            reply = known.find(body) if known is not None else None
            if reply is None:
                reply = read(interface, open_response(body, self._credentials), payload)
                if reply.sign is Sign.TAKEN and interface.record in _ANSWERED_ALIKE:
                    self._known.setdefault(interface.name, KnownAnswers()).add(body, reply)
            return reply
        except HttpStatusRefused as error:
            return Reply(Sign.UNREACHABLE, str(error), http_status=error.status)
        except httpx.HTTPError as error:
            return Reply(Sign.UNREACHABLE, f"{type(error).__name__}: {error}")
        except BadSignature as error:
            hint = (
                "; it claims Ret 4001: is our SigSecret theirs?" if error.claimed_ret == RetCode.BAD_SIGNATURE else ""
            )
            return Reply(Sign.UNRELIABLE, str(error) + hint, error.claimed_ret, httpx.codes.OK)
        except Retryable as error:
            return Reply(Sign.UNRELIABLE, f"{type(error).__name__}: {error}", None, httpx.codes.OK)

    async def _post(self, interface: str, payload: bytes, token: Secret | None) -> bytes:
        stamp = self._sequence.next(self._now_ms())
        body = seal_request(payload, self._credentials, stamp)
        url = self._urls.get(interface)
        if url is None:
            url = self._urls[interface] = httpx.URL(self._platform.url(self._target, interface))
        headers = _HEADERS if token is None else self._headers(token)
        # Straight to the transport, which keeps the time-outs: httpx's client would add cookies, redirects and hooks
        # that nobody needs.
        response = await self._transport.handle_async_request(
            httpx.Request("POST", url, headers=headers, stream=httpx.ByteStream(body))
        )
        content = await _read_whole(response)
        if response.status_code != httpx.codes.OK:
            raise HttpStatusRefused(response.status_code)
        if len(content) > ANSWER_MAX_BYTES:
            raise Retryable(f"the answer has {len(content)} bytes")
        return content

    def _headers(self, token: Secret) -> httpx.Headers:
        """Made once a token: httpx takes as long for it as the signature does."""
        if token is not self._token:
            self._token = token
            self._authorized = httpx.Headers([*_HEADERS.raw, (b"Authorization", b"Bearer " + token.encoded)])
            if token not in self._shown:
                self._shown.append(token)
        return self._authorized

    def without_secrets(self, detail: str) -> str:
        """What a platform says, which may repeat what we sent, in one line; at most DETAIL_MAX characters of it."""
        known = self._credentials
        secrets = (*self._shown, known.operator_secret, known.data_secret, known.data_secret_iv, known.sig_secret)
        # The longest first: one may begin another.
        for secret in sorted(filter(None, secrets), key=lambda secret: -len(secret.encoded)):
            detail = detail.replace(secret.reveal(), "***")
        return "".join(each if each.isprintable() else " " for each in detail[:DETAIL_MAX])


async def _read_whole(response: httpx.Response) -> bytes:
    """What a transport has read already is taken as it is: httpx's own reading costs as much as the decryption."""
    if isinstance(response.stream, httpx.ByteStream):
        return b"".join(response.stream)
    return await response.aread()


def read(interface: Interface, answer: OpenedResponse, payload: bytes) -> Reply:
    """How an opened answer says that the push of `payload` ended."""
    ret, ok = answer.ret, int(httpx.codes.OK)
    if ret != RetCode.OK:
        detail = f"{describe(ret)}: {answer.msg}" if answer.msg else describe(ret)
        return Reply(_sign_of_error(answer), f"Ret {ret}, {detail}", ret, ok)
    try:
        response = wire_json.decode(answer.payload)
        if interface.record is Order and _is_of_another(response, payload):
            return Reply(Sign.UNRELIABLE, "the answer is about another order", ret, ok)
        outcome = interface.outcome(response)
    except Retryable as error:
        return Reply(Sign.UNRELIABLE, f"{type(error).__name__}: {error}", ret, ok)
    sign = _SIGNS[outcome.verdict]
    detail = "" if sign is Sign.TAKEN else f"{outcome.verdict.value} with code {outcome.code}"
    return Reply(sign, detail, ret, ok, outcome.code)


def _is_of_another(response: Mapping[str, object], payload: bytes) -> bool:
    """Whether it names another charge than was asked about: what comes late on a kept connection is such an answer, and
    would confirm an order that the platform does not have. One that names none is taken."""
    theirs, ours = find(response, "StartChargeSeq"), find(wire_json.decode(payload), "StartChargeSeq")
    return isinstance(theirs, str) and isinstance(ours, str) and theirs not in ("", ours)


def _sign_of_error(answer: OpenedResponse) -> Sign:
    if answer.ret == RetCode.BAD_TOKEN:
        return Sign.BAD_TOKEN
    if answer.ret in (RetCode.BAD_SIGNATURE, RetCode.BAD_REQUEST):
        return Sign.NOT_ADMITTED
    if answer.ret == RetCode.BAD_PARAMETERS:
        # Without a signature anybody could have said so: no record is given up for it.
        return Sign.POISON if answer.signed else Sign.UNRELIABLE
    return Sign.BUSY


class HttpStatusRefused(Exception):
    """The platform answered with an HTTP status other than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
