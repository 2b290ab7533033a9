"""The platform's access token: fetched on demand, once for all who wait, renewed before it ends."""

import asyncio
import logging
from collections.abc import Callable

import httpx

from connectors.delivery.push import Caller, HttpStatusRefused
from connectors.protocol import query_token, wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import Retryable
from connectors.protocol.ret_codes import RetCode, describe

log = logging.getLogger(__name__)

#: A token is renewed so long before it ends, so that none ends on its way.
_EARLY_S = 30.0


class TokenRefused(Exception):
    """query_token failed; says why, without secrets. Worth another try after a pause."""


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
        self._refusal = ""

    async def token(self) -> Secret:
        """A token that is good for a while. Raises TokenRefused.

        All who wait meanwhile share one request, and its failure too: with a thousand lanes waiting, a platform
        that is away, or a wrong secret, is asked once and not a thousand times.
        """
        refusals = self.refusals
        async with self._renewing:
            if self._token is None or self._monotonic() >= self._good_until:
                if self.refusals != refusals:
                    raise TokenRefused(self._refusal)
                await self._renew()
            assert self._token is not None
            return self._token

    async def _renew(self) -> None:
        try:
            self._token, available_s = await self._fetch()
        except TokenRefused as error:
            self.refusals += 1
            self._refusal = str(error)
            raise
        self._good_until = self._monotonic() + max(available_s - _EARLY_S, available_s / 2)
        self.fetched += 1

    def refused(self, token: Secret) -> None:
        """The platform did not accept this token: the next who asks fetches another."""
        if token is self._token:
            self._token = None

    async def _fetch(self) -> tuple[Secret, int]:
        payload = wire_json.encode(query_token.request_payload(self._credentials))
        try:
            answer = await self._caller.call(query_token.INTERFACE, payload, None)
            if answer.ret != RetCode.OK:
                raise TokenRefused(f"{describe(answer.ret)}: {answer.msg}")
            grant = query_token.read_response(wire_json.decode(answer.payload))
        except (httpx.HTTPError, HttpStatusRefused, Retryable, TimeoutError) as error:
            raise TokenRefused(f"{type(error).__name__}: {error}") from error
        if not grant.succeeded:
            raise TokenRefused(f"SuccStat 1, FailReason {grant.fail_reason}")
        log.info("a token for %d s", grant.available_s)
        return grant.access_token, grant.available_s
