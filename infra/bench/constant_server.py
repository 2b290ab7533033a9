"""The limit of `evcs bench gateway`: an application that reads a call's body and always gives the same answer, on the
gateway's own server, in a process of its own. Argument: the file with the answer. Prints where it listens, and ends
with stdin."""

import asyncio
import json
import sys
from pathlib import Path

from connectors.connection import Reply
from connectors.server import Message, Receive, Send, listen, server


class ConstantApp:
    """Nothing is looked at."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = [
            (b"content-type", b"application/json;charset=utf-8"),
            (b"content-length", str(len(self._body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})

    def malformed(self) -> Reply:
        """Nobody sends such."""
        return Reply(400, b"text/plain", b"")


async def _main(body: bytes) -> None:
    with listen("127.0.0.1", 0, "") as listener:
        serving = server(ConstantApp(body))
        task = asyncio.create_task(serving.serve([listener]))
        print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)  # noqa: T201
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        serving.should_exit = True
        await task


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]).read_bytes()))
