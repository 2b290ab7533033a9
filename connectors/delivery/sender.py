"""Sends one payload to a platform with its token, and with another one where the platform has done away with it. What
follows from the answer is for others to decide."""

import logging
from collections.abc import Callable

import msgspec

from connectors.delivery.outcomes import Sign
from connectors.delivery.push import Caller, Reply
from connectors.delivery.tokens import TokenKeeper, TokenRefused
from connectors.interfaces.registry import Interface
from schemas.records.delivery import Attempt

log = logging.getLogger(__name__)


class Call(msgspec.Struct, frozen=True):
    """One call, ended: when it began (UTC ms) and how long it took (ms)."""

    interface: Interface
    reply: Reply
    started_at: int
    latency_ms: int

    def line(
        self,
        platform: str,
        key: str,
        connector_id: str,
        attempt: int,
        due_at: int,
        outcome: str,
        next_due_at: int | None = None,
    ) -> Attempt:
        """Its line of the ledger."""
        return Attempt(
            platform=platform,
            interface=self.interface.name,
            key=key,
            connector_id=connector_id,
            attempt=attempt,
            due_at=due_at,
            started_at=self.started_at,
            latency_ms=self.latency_ms,
            http_status=self.reply.http_status,
            ret=self.reply.ret,
            outcome=outcome,
            error=self.reply.detail,
            next_due_at=next_due_at,
        )


class NotSent(Exception):
    """There was no token to send it with, and it was another's call that was refused one: of this nothing is known."""


class Sender:
    """Of one platform. `now_ms` is a clock in UTC ms, `monotonic` one in seconds that does not go back."""

    def __init__(
        self,
        platform: str,
        caller: Caller,
        tokens: TokenKeeper,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._platform = platform
        self._caller = caller
        self._tokens = tokens
        self._now_ms = now_ms
        self._monotonic = monotonic
        #: Calls under way.
        self.in_flight = 0

    async def attempt(self, interface: Interface, payload: bytes, on_renewal: Callable[[Call], None]) -> Call:
        """One attempt: a call, and a second one at once where the first was refused for its token only, of which
        `on_renewal` is told. Raises NotSent."""
        call = await self._send(interface, payload)
        if call.reply.sign is not Sign.BAD_TOKEN:
            return call
        on_renewal(call)
        call = await self._send(interface, payload)
        if call.reply.sign is Sign.BAD_TOKEN:
            # A token refused right after its renewal is for people, as a wrong secret is.
            log.error("%s refuses the token that it has just given: %s", self._platform, call.reply.detail)
        return call

    async def _send(self, interface: Interface, payload: bytes) -> Call:
        """One call, ended."""
        started_at, began = self._now_ms(), self._monotonic()
        self.in_flight += 1
        try:
            token = self._tokens.at_hand or await self._tokens.token()
        except TokenRefused as error:
            if error.is_anothers:
                raise NotSent from error
            reply = Reply(error.sign, f"query_token: {error}", error.ret)
        else:
            reply = await self._caller.push(interface, payload, token)
            if reply.sign is Sign.BAD_TOKEN:
                self._tokens.refused(token)
        finally:
            self.in_flight -= 1
        return Call(interface, reply, started_at, round((self._monotonic() - began) * 1000))
