"""The ASGI application: finds what a path serves, reads a body within its limits, and hands it to the reception."""

import asyncio
from collections.abc import Mapping

from connectors.gateway.reception import Reception, Route, Sealed
from connectors.gateway.refusals import Refused
from connectors.protocol.ret_codes import RetCode
from connectors.server import Message, Receive, Send

#: The largest call of the standard names 50 stations: some 2 KB, sealed.
BODY_MAX = 64 * 1024

#: A body that is not here by then is not waited for, s.
BODY_S = 10.0

#: What is counted where no interface is called.
NOWHERE = "-"

_TYPE = (b"content-type", b"application/json;charset=utf-8")


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

    async def _answer(self, scope: Message, receive: Receive) -> Sealed:
        route = self._routes.get(scope["path"])
        interface = NOWHERE if route is None else route.interface
        try:
            if route is None:
                raise Refused(RetCode.BAD_REQUEST, "no such interface", 404)
            if scope["method"] != "POST":
                raise Refused(RetCode.BAD_REQUEST, "POST only", 405)
            authorization = b""
            for name, value in scope["headers"]:
                if name == b"authorization":
                    authorization = value
            body = await _body(receive)
        except Refused as refusal:
            return self._reception.refuse(interface, refusal)
        return await self._reception.answer(route, authorization.decode("latin-1"), body)


async def _body(receive: Receive) -> bytes:
    message = await _received(receive)
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        try:
            async with asyncio.timeout(BODY_S):
                parts, size = [body], len(body)
                while message.get("more_body") and size <= BODY_MAX:
                    message = await _received(receive)
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                body = b"".join(parts)
        except TimeoutError:
            raise Refused(RetCode.BAD_REQUEST, "the body did not come in time", 408) from None
    if len(body) > BODY_MAX:
        raise Refused(RetCode.BAD_REQUEST, f"larger than {BODY_MAX} bytes", 413)
    return body


async def _received(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message


async def _respond(send: Send, sealed: Sealed, post_only: bool) -> None:
    headers = [_TYPE, (b"content-length", str(len(sealed.body)).encode())]
    if post_only:
        headers.append((b"allow", b"POST"))
    if sealed.http_status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": sealed.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": sealed.body})
