"""Takes a call and gives its sealed answer, whatever the call is: every answer is signed, and none says more than it
must."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from connectors.gateway.answers import Answers
from connectors.gateway.checks import Call, open_call, read_envelope, verify
from connectors.gateway.metrics import NOBODY, Metrics
from connectors.gateway.peer import Peer
from connectors.gateway.refusals import Refused, refused
from connectors.protocol import query_token, wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.envelope import seal_response, seal_response_in_pieces
from connectors.protocol.errors import BadPayload, Unreportable
from connectors.protocol.ret_codes import RetCode

log = logging.getLogger(__name__)

#: Longer payloads are sealed in pieces: a page of a thousand stations takes 30 ms, in which others would wait.
_LONG = 128 * 1024


class Sealed(NamedTuple):
    """An answer as it goes out."""

    http_status: int
    body: bytes


class Route(NamedTuple):
    """What is served under one path: an interface, and to whom, by OperatorID."""

    interface: str
    peers: Mapping[str, Peer]


def stranger_credentials() -> Credentials:
    """Secrets that nobody has: what is sealed with them looks like any other answer."""
    secret = os.urandom(8).hex()
    return Credentials("", Secret(secret), Secret(secret), Secret(secret[::-1]), Secret(os.urandom(16).hex()))


async def _sealed(peer: Peer, payload: bytes) -> Sealed:
    """A long one is sealed in pieces, and others are served in between."""
    if len(payload) <= _LONG:
        return Sealed(200, seal_response(payload, peer.credentials))
    sealing = seal_response_in_pieces(payload, peer.credentials)
    while True:
        try:
            next(sealing)
        except StopIteration as done:
            return Sealed(200, done.value)
        await asyncio.sleep(0)


class Reception:
    """All platforms of an instance. `is_ready` tells whether the views, which all but a token needs, have caught up."""

    def __init__(
        self,
        answers: Mapping[str, Answers],
        metrics: Metrics,
        is_ready: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._answers = answers
        self._metrics = metrics
        self._is_ready = is_ready
        self._clock = clock
        self._stranger = stranger_credentials()

    async def answer(self, route: Route, authorization: str, body: bytes) -> Sealed:
        """The answer to a body of allowed size. Never raises."""
        began = time.perf_counter()
        call = Call(route.interface, authorization, body)
        peer: Peer | None = None
        try:
            envelope = read_envelope(body)
            named = route.peers.get(envelope.operator_id)
            # One whose signature is wrong is answered as the one whose name it used.
            peer = named
            peer = verify(envelope, named, self._stranger)
            asked = open_call(call, envelope, peer, self._clock())
            if not self._is_ready() and route.interface != query_token.INTERFACE:
                raise Refused(RetCode.BUSY, "starting")
            payload = wire_json.encode(await self._answers[peer.name].by_interface[route.interface](asked))
            ret, sealed = RetCode.OK, await _sealed(peer, payload)
        except Exception as error:
            # It is not kept: through its frames it holds the body, which would wait for the garbage collector.
            ret, sealed = self._refused(peer, route.interface, error)
        self._note(peer, route.interface, ret, time.perf_counter() - began)
        return sealed

    def refuse(self, interface: str, refusal: Refused) -> Sealed:
        """The answer to what is no call at all: too large, not POST, nowhere."""
        self._note(None, interface, refusal.ret, 0.0)
        return self._sealed(None, refusal)

    def _refused(self, peer: Peer | None, interface: str, error: Exception) -> tuple[RetCode, Sealed]:
        match error:
            case Refused():
                refusal = error
            case BadPayload():
                refusal = refused(error)
            case Unreportable():
                log.error("%s can't be answered: %s", interface, error)
                refusal = Refused(RetCode.SYSTEM_ERROR)
            case _:
                log.exception("%s has failed", interface)
                refusal = Refused(RetCode.SYSTEM_ERROR)
        return refusal.ret, self._sealed(peer, refusal)

    def _sealed(self, peer: Peer | None, refusal: Refused) -> Sealed:
        credentials = self._stranger if peer is None else peer.credentials
        return Sealed(refusal.http_status, seal_response(b"", credentials, refusal.ret, refusal.msg))

    def _note(self, peer: Peer | None, interface: str, ret: int, seconds: float) -> None:
        policy = None if peer is None else peer.platform.interfaces.get(interface)
        name = NOBODY if peer is None else peer.name
        self._metrics.answered(name, interface, ret, seconds, None if policy is None else policy.deadline_s)
