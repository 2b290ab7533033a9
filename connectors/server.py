"""uvicorn as our services need it: it leaves signals alone, listens where it is told, and says what is wrong with a
setting. Connections are guarded by `connection`."""

import asyncio
import contextlib
import functools
import resource
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Generator, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import uvicorn

from connectors import connection
from connectors.connection import Config, GuardedProtocol, MalformedAnswerer
from connectors.errors import MisconfiguredService

#: What an application is given and gives, in ASGI's terms.
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: What is being answered when the process is told to end may take so long, s: longer than a body may be on its way.
ENDING_S = 15

#: A caller that does not take part in the end of TLS is not waited for any longer, s.
TLS_END_S = 5.0

_BACKLOG = 1_024

#: asyncio takes so many from the backlog before any of them is looked at, and closed if it is one too many.
_ACCEPTED_AT_ONCE = 64

#: Descriptors beside the connections': Kafka's clients have one for each broker.
_OTHER_FILES = 256

_CERTIFICATE, _KEY = "EVCS_GATEWAY_TLS_CERTIFICATE", "EVCS_GATEWAY_TLS_KEY"

#: What OpenSSL says, and what it means.
_REASONS = {"KEY_VALUES_MISMATCH": "the key is not the certificate's"}


class App(MalformedAnswerer, Protocol):
    """What is served."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        ...


class Server(uvicorn.Server):
    """Serves one application on the sockets it is given until `should_exit`."""

    async def startup(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """uvicorn's own leaves a caller a minute for TLS's handshake, and is not to be told."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        protocol = functools.partial(GuardedProtocol, self.config, self.server_state, self.lifespan.state)
        tls = self.config.ssl
        self.servers = [
            await loop.create_server(
                protocol,
                sock=one,
                ssl=tls,
                backlog=_ACCEPTED_AT_ONCE,
                ssl_handshake_timeout=connection.HEAD_S if tls else None,
                ssl_shutdown_timeout=TLS_END_S if tls else None,
            )
            for one in sockets or ()
        ]
        for one in sockets or ():
            one.listen(_BACKLOG)
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The process has its own."""
        yield


def server(app: App, tls: ssl.SSLContext | None = None) -> Server:
    """A server for this application; a TLS context of our own, since it tells what is wrong with its files."""
    config = Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=connection.REST_S,
        timeout_graceful_shutdown=ENDING_S,
    )
    config.answerer = app
    config.connections_max = _connections_max()
    config.load()
    config.ssl = tls
    return Server(config)


def raise_file_limit() -> None:
    """Takes the descriptors that all connections need, as far as the process may have them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = connection.CONNECTIONS_MAX + _OTHER_FILES
    if _files_max() < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _files_max() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _connections_max() -> int:
    files = _files_max()
    return min(connection.CONNECTIONS_MAX, max(files - _OTHER_FILES, files // 2))


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket. Raises MisconfiguredService, which names the setting and what to do."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # Python adds the address, which is there already.
        reason = (error.strerror or str(error)).partition(" (while attempting")[0]
        raise MisconfiguredService(f"can't listen on {host}:{port}: {reason}. Choose another with {variable}") from None


def tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """TLS with these files; None without any. Raises MisconfiguredService, which says what is wrong with which."""
    if not certificate:
        return None
    _require_pem(_CERTIFICATE, certificate, "certificate", b"CERTIFICATE-----")
    _require_pem(_KEY, key, "private key", b"PRIVATE KEY-----")

    def password() -> str:
        # OpenSSL would ask on the terminal.
        raise MisconfiguredService(f"{_KEY} is {key}: it is encrypted, and there is nobody to ask for its password")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password)
    except ssl.SSLError as error:
        reason = _REASONS.get(error.reason, f"{error.reason or error}")
        raise MisconfiguredService(f"{_CERTIFICATE} is {certificate} and {_KEY} is {key}: {reason}") from None
    return context


def _require_pem(variable: str, file: str, what: str, mark: bytes) -> None:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise MisconfiguredService(f"{variable} is {file}: {error.strerror}") from None
    if mark not in content:
        raise MisconfiguredService(f"{variable} is {file}: there is no {what} in it, as PEM has it")
