"""How an injected fault looks to the sender: late, never, cut off, or an answer that is wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import struct

import msgspec
from aiohttp import web

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.faults import RETS, Fault, FaultKind

HOLD_S = 600.0
"""How long a request that is never answered is held at most, if its sender does not give up."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with zero seconds: closing sends RST instead of FIN."""
NOT_CIPHERTEXT = base64.b64encode(b"not a whole number of blocks").decode("ascii")
JSON_HEADERS = {"Content-Type": "application/json;charset=utf-8"}


class Spoiler:
    """Spoils answers between `begin` and `end`, which belong to one event loop; `end` lets go of whom it holds."""

    def __init__(self, crypto: Crypto) -> None:
        self._crypto = crypto
        self._ended = asyncio.Event()

    def begin(self) -> None:
        """Be ready to hold requests."""
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Let go of held requests."""
        self._ended.set()

    async def pause(self, seconds: float) -> None:
        """Hold a request for so long, or until the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def spoil(self, request: web.BaseRequest, fault: Fault, good: web.Response | None) -> web.StreamResponse:
        """The spoilt answer; `good` is the answer to the processed push, None if it was not processed."""
        match fault.kind:
            case FaultKind.SLOW:
                await self.pause(fault.delay_s)
                return good or self._ret(-1, "")
            case FaultKind.TIMEOUT:
                await self.pause(HOLD_S)
                return self._cut(request)
            case FaultKind.RESET:
                return self._cut(request)
            case FaultKind.HTTP_500:
                return web.Response(status=500, text="Internal Server Error")
            case FaultKind.GARBAGE:
                return web.Response(text="<html><body>It works!</body></html>", content_type="text/html")
            case FaultKind.BAD_SIGNATURE | FaultKind.UNDECRYPTABLE:
                return self._corrupt(fault.kind, good)
        return self._ret(RETS[fault.kind], fault.kind)

    def _corrupt(self, kind: FaultKind, good: web.Response | None) -> web.Response:
        envelope = self._crypto.seal_response(0, "", "{}")
        if good is not None and isinstance(good.body, bytes):
            envelope = msgspec.json.decode(good.body, type=dict[str, str | int])
        ret, msg = int(envelope["Ret"]), str(envelope["Msg"])
        if kind is FaultKind.UNDECRYPTABLE:
            envelope["Data"] = NOT_CIPHERTEXT
            envelope["Sig"] = self._crypto.sign_response(ret, msg, NOT_CIPHERTEXT)
        else:
            envelope["Sig"] = str(envelope["Sig"])[::-1]
        return web.Response(body=msgspec.json.encode(envelope), headers=JSON_HEADERS)

    def _ret(self, ret: int, msg: str) -> web.Response:
        envelope = self._crypto.seal_response(ret, msg, None)
        return web.Response(body=msgspec.json.encode(envelope), headers=JSON_HEADERS)

    @staticmethod
    def _cut(request: web.BaseRequest) -> web.Response:
        transport = request.transport
        if transport is not None:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            transport.abort()
        return web.Response()
