"""The ASGI application: finds what a path serves, reads a body within its limits, and hands it to the reception."""

import time
from collections.abc import Mapping

from connectors.connection import Reply
from connectors.gateway.reception import Reception, Route, Sealed
from connectors.gateway.refusals import Refused
from connectors.protocol.ret_codes import RetCode
from connectors.server import Message, Receive, Send

#: The largest call of the standard names 50 stations: some 2 KB, sealed.
BODY_MAX = 64 * 1024

#: Of a body that is too large so much is read all the same: one who is still sending does not hear a refusal.
HEARD_OUT_MAX = 1024 * 1024

#: A body that is not here by then is not waited for, s. The server wakes who waits for one, to look at the clock.
BODY_S = 10.0

#: An answer is written in parts of so many bytes, so that no more of it lies in a connection that is slow.
PART = 64 * 1024

#: What is counted where no interface is called.
NOWHERE = "-"

_TYPE = b"application/json;charset=utf-8"


class Gone(Exception):
    """The caller has left."""


class GatewayApp:
    """Serves the platforms, by path. POST only."""

    def __init__(self, reception: Reception, routes: Mapping[str, Route]) -> None:
        self._reception = reception
        self._routes = routes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        try:
            await _respond(send, await self._answer(scope, receive), post_only=scope["method"] != "POST")
        except Gone:
            return

    def malformed(self) -> Reply:
        """The answer to what is not HTTP/1.1."""
        sealed = self._reception.refuse(NOWHERE, Refused(RetCode.BAD_REQUEST, "no request of HTTP/1.1", 400))
        return Reply(sealed.http_status, _TYPE, sealed.body)

    async def _answer(self, scope: Message, receive: Receive) -> Sealed:
        route = self._routes.get(scope["path"])
        interface = NOWHERE if route is None else route.interface
        try:
            # Before all else, since what is left of a request would hold its connection.
            body = await _body(receive)
            if route is None:
                raise Refused(RetCode.BAD_REQUEST, "no such interface", 404)
            if scope["method"] != "POST":
                raise Refused(RetCode.BAD_REQUEST, "POST only", 405)
        except Refused as refusal:
            return self._reception.refuse(interface, refusal)
        authorization = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
        return await self._reception.answer(route, authorization.decode("latin-1"), body)


async def _body(receive: Receive) -> bytes:
    """Raises Refused for one that is too large or too slow, and Gone."""
    parts: list[bytes] = []
    size, more = 0, True
    began = time.monotonic()
    while more and size <= HEARD_OUT_MAX:
        message = await _received(receive)
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size <= BODY_MAX:
            parts.append(part)
        if more and time.monotonic() - began > BODY_S:
            raise Refused(RetCode.BAD_REQUEST, "the body did not come in time", 408)
    if size > BODY_MAX:
        raise Refused(RetCode.BAD_REQUEST, f"larger than {BODY_MAX} bytes", 413)
    return b"".join(parts)


async def _received(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message


async def _respond(send: Send, sealed: Sealed, post_only: bool) -> None:
    headers = [(b"content-type", _TYPE), (b"content-length", str(len(sealed.body)).encode())]
    if post_only:
        headers.append((b"allow", b"POST"))
    if sealed.http_status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": sealed.http_status, "headers": headers})
    for begin in range(0, len(sealed.body), PART):
        end = begin + PART
        part = sealed.body[begin:end]
        await send({"type": "http.response.body", "body": part, "more_body": end < len(sealed.body)})
