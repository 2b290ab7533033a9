"""Health, readiness and metrics of a service, on a port of their own that nobody else reaches."""

from collections.abc import Callable

from connectors.connection import Reply
from connectors.server import Message, Receive, Send

_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class AdminApp:
    """`/healthz` is 200 while the process lives, `/readyz` while it does its work (503 before it can, and when it
    is ending), `/metrics` are Prometheus'."""

    def __init__(self, metrics: Callable[[], bytes], is_ready: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._is_ready = is_ready

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        status, body = self._answer(scope["path"])
        headers = [
            (b"content-type", _TYPE),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def malformed(self) -> Reply:
        """The answer to what is not HTTP/1.1."""
        return Reply(400, _TYPE, b"no request of HTTP/1.1\n")

    def _answer(self, path: str) -> tuple[int, bytes]:
        if path == "/healthz":
            return 200, b"alive\n"
        if path == "/readyz":
            return (200, b"ready\n") if self._is_ready() else (503, b"not ready\n")
        if path == "/metrics":
            return 200, self._metrics()
        return 404, b"there are /healthz, /readyz and /metrics\n"
