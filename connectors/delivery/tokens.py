"""The platform's access token: fetched on demand, once for all who wait, renewed before it ends."""

import asyncio
import logging
from collections.abc import Callable

import httpx

from connectors.delivery.outcomes import Sign
from connectors.delivery.push import Caller, HttpStatusRefused
from connectors.protocol import query_token, wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import Retryable
from connectors.protocol.ret_codes import RetCode, describe

log = logging.getLogger(__name__)

#: A token is renewed so long before it ends, so that none ends on its way.
_EARLY_S = 30.0


class TokenRefused(Exception):
    """query_token failed; says why, without secrets. `sign` is what it says of the platform, `ret` its Ret if any,
    `is_anothers` whether it was another who had asked."""

    def __init__(self, reason: str, sign: Sign, ret: int | None = None, *, is_anothers: bool = False) -> None:
        super().__init__(reason)
        self.sign = sign
        self.ret = ret
        self.is_anothers = is_anothers


class TokenKeeper:
    """Keeps one platform's token (Beijing V1.1 §1.1.16). `monotonic` is a clock in seconds."""

    def __init__(self, caller: Caller, credentials: Credentials, monotonic: Callable[[], float]) -> None:
        self._caller = caller
        self._credentials = credentials
        self._monotonic = monotonic
        self._token: Secret | None = None
        self._good_until = 0.0
        self._renewing = asyncio.Lock()
        self.fetched = 0
        self.refusals = 0
        self._refusal = TokenRefused("", Sign.UNREACHABLE)

    @property
    def at_hand(self) -> Secret | None:
        """The token, if it is good for a while."""
        return self._token if self._monotonic() < self._good_until else None

    async def token(self) -> Secret:
        """A token that is good for a while. Raises TokenRefused.

        All who wait meanwhile share one request, and its failure too: with a thousand lanes waiting, a platform
        that is away, or a wrong secret, is asked once and not a thousand times.
        """
        refusals = self.refusals
        async with self._renewing:
            token = self.at_hand
            if token is None:
                if self.refusals != refusals:
                    known = self._refusal
                    raise TokenRefused(str(known), known.sign, known.ret, is_anothers=True)
                token = await self._renew()
            return token

    async def _renew(self) -> Secret:
        try:
            token, available_s = await self._fetch()
        except TokenRefused as error:
            self.refusals += 1
            self._refusal = error
            raise
        self._token = token
        self._good_until = self._monotonic() + max(available_s - _EARLY_S, available_s / 2)
        self.fetched += 1
        return token

    def refused(self, token: Secret) -> None:
        """The platform did not accept this token: the next who asks fetches another."""
        if token is self._token:
            self._token = None

    async def _fetch(self) -> tuple[Secret, int]:
        payload = wire_json.encode(query_token.request_payload(self._credentials))
        try:
            answer = await self._caller.call(query_token.INTERFACE, payload, None)
            if answer.ret != RetCode.OK:
                raise _refused(answer.ret, self._caller.without_secrets(answer.msg))
            grant = query_token.read_response(wire_json.decode(answer.payload))
        except (httpx.HTTPError, HttpStatusRefused) as error:
            raise TokenRefused(f"{type(error).__name__}: {error}", Sign.UNREACHABLE) from error
        except Retryable as error:
            raise TokenRefused(f"{type(error).__name__}: {error}", Sign.UNRELIABLE) from error
        if not grant.succeeded:
            # An unknown operator or a wrong secret does not mend itself.
            raise TokenRefused(f"SuccStat 1, FailReason {grant.fail_reason}", Sign.NOT_ADMITTED)
        log.info("a token for %d s", grant.available_s)
        return grant.access_token, grant.available_s


def _refused(ret: int, msg: str) -> TokenRefused:
    # Whoever asks for a token is refused for what he is: busy platforms aside, people must look at it.
    busy = ret in (RetCode.BUSY, RetCode.SYSTEM_ERROR)
    reason = f"Ret {ret}, {describe(ret)}"
    return TokenRefused(f"{reason}: {msg}" if msg else reason, Sign.BUSY if busy else Sign.NOT_ADMITTED, ret)
