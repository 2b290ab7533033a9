"""uvicorn as our services need it: it leaves signals alone, and a caller that does not send its request in time, or
does not take its answer, holds nothing."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectors.errors import MisconfiguredService

#: What an application is given and gives, in ASGI's terms.
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: A connection must have sent a request's head within this, s; between two requests it may rest for longer.
HEAD_S = 10.0
REST_S = 65

#: Connections at once; more are closed at once.
CONNECTIONS_MAX = 4_096

#: What is being answered when the process is told to end may take so long, s.
_ENDING_S = 10

_BACKLOG = 1_024


class GuardedProtocol(HttpToolsProtocol):
    """Closes connections that keep us waiting for a request's head, and those that are too many."""

    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection."""
        super().connection_made(transport)
        # asyncio does so for sockets that say they are TCP's, which `socket.create_server` leaves open. The head
        # and the body of an answer are two writes: the body would wait until the head is acknowledged, 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._head_here()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first bytes of a request."""
        super().on_message_begin()
        if self._head_due is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The whole head of a request."""
        self._head_here()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_S, self.transport.abort)

    def _head_here(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None


class Server(uvicorn.Server):
    """Serves one application on one socket until `should_exit`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The process has its own."""
        yield


def server(app: Any, tls: ssl.SSLContext | None = None) -> Server:
    """A server for this application; a TLS context of our own, since it tells what is wrong with its files."""
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=REST_S,
        timeout_graceful_shutdown=_ENDING_S,
        backlog=_BACKLOG,
    )
    config.load()
    config.ssl = tls
    return Server(config)


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket. Raises MisconfiguredService, which names the setting and what to do."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MisconfiguredService(f"can't listen on {host}:{port}: {reason}. Choose another with {variable}") from None


def tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """TLS with these files; None without any. Raises MisconfiguredService."""
    if not certificate:
        return None
    for variable, file in (("EVCS_GATEWAY_TLS_CERTIFICATE", certificate), ("EVCS_GATEWAY_TLS_KEY", key)):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise MisconfiguredService(f"{variable} is {file}: {error.strerror}") from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise MisconfiguredService(
            f"EVCS_GATEWAY_TLS_CERTIFICATE and EVCS_GATEWAY_TLS_KEY can't be used: {error.reason or error}"
        ) from None
    return context
