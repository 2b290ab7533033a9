"""An answer's body does not wait for the caller's system to acknowledge its head."""

import asyncio
import socket

from connectors.connection import Reply
from connectors.server import Message, Receive, Send, Server, listen, server


def no_delay(serving: Server) -> list[int]:
    """TCP_NODELAY of the server's ends of its connections."""
    sockets = (protocol.transport.get_extra_info("socket") for protocol in serving.server_state.connections)
    return [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in sockets]


class Watching:
    """Notes TCP_NODELAY of the server's ends while it answers."""

    def __init__(self) -> None:
        self.serving = server(self)
        self.found: list[int] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.found.extend(no_delay(self.serving))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    def malformed(self) -> Reply:
        return Reply(400, b"text/plain", b"")


async def seen_by_the_application() -> list[int]:
    """What it sees of one request."""
    app = Watching()
    serving = app.serving
    with listen("127.0.0.1", 0, "PORT") as listener:
        task = asyncio.create_task(serving.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert await reader.read()
        writer.close()
        serving.should_exit = True
        await task
    return app.found


def test_answers_are_sent_at_once() -> None:
    assert asyncio.run(seen_by_the_application()) == [1]
