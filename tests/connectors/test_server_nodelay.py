"""An answer's body does not wait for the caller's system to acknowledge its head."""

import asyncio
import socket

from connectors.server import Message, Receive, Send, Server, listen, server


def no_delay(serving: Server) -> list[int]:
    """TCP_NODELAY of the server's ends of its connections."""
    sockets = (protocol.transport.get_extra_info("socket") for protocol in serving.server_state.connections)
    return [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in sockets]


async def seen_by_the_application() -> list[int]:
    """The same while a request is being answered."""
    found: list[int] = []

    async def app(_scope: Message, _receive: Receive, send: Send) -> None:
        found.extend(no_delay(serving))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    serving = server(app)
    with listen("127.0.0.1", 0, "PORT") as listener:
        task = asyncio.create_task(serving.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert await reader.read()
        writer.close()
        serving.should_exit = True
        await task
    return found


def test_answers_are_sent_at_once() -> None:
    assert asyncio.run(seen_by_the_application()) == [1]
