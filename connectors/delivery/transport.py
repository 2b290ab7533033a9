"""The HTTP transport beneath httpx: a thin layer over pyreqwest, since httpx's own pool costs twenty times as much."""

from datetime import timedelta

import httpx
from pyreqwest import exceptions
from pyreqwest.client import Client, ClientBuilder

from connectors.policies import Timeouts

#: A connection that nobody has used for so long is closed; a pause between two pushes to a small city is longer than
#: most servers wait.
_IDLE_S = 60


class ReqwestTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests through one pyreqwest client with kept connections, HTTP/1.1, no redirects, no cookies.

    Answers are read whole, up to `answer_max_bytes`. Raises httpx's exceptions, never pyreqwest's.
    """

    def __init__(self, timeouts: Timeouts, connections: int, answer_max_bytes: int) -> None:
        self._timeouts = timeouts
        self._connections = connections
        self._answer_max_bytes = answer_max_bytes
        self._made: Client | None = None

    @property
    def _client(self) -> Client:
        if self._made is None:
            total = timedelta(seconds=self._timeouts.total_s)
            self._made = (
                ClientBuilder()
                .http1_only()
                .no_proxy()
                .user_agent("evcs-streams")
                .gzip(False)
                .brotli(False)
                .zstd(False)
                .deflate(False)
                .follow_redirects(False)
                .max_connections(self._connections)
                .pool_max_idle_per_host(self._connections)
                .pool_idle_timeout(timedelta(seconds=_IDLE_S))
                .connect_timeout(timedelta(seconds=self._timeouts.connect_s))
                .read_timeout(timedelta(seconds=self._timeouts.read_s))
                .pool_timeout(total)
                .timeout(total)
                .build()
            )
        return self._made

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request and its whole answer."""
        limit = self._answer_max_bytes
        builder = self._client.request(request.method, str(request.url)).headers(request.headers.multi_items())
        try:
            async with builder.body_bytes(request.read()).build_streamed() as answer:
                reader = answer.body_reader
                content = b""
                while len(content) <= limit and (chunk := await reader.read(limit + 1 - len(content))) is not None:
                    content += chunk
                return httpx.Response(answer.status, stream=httpx.ByteStream(content), request=request)
        except exceptions.RequestTimeoutError as error:
            raise httpx.TimeoutException(error.message, request=request) from error
        except exceptions.ConnectError as error:
            raise httpx.ConnectError(error.message, request=request) from error
        except (exceptions.PyreqwestError, ValueError, OSError) as error:
            raise httpx.TransportError(f"{type(error).__name__}: {error}", request=request) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._made is not None:
            await self._made.close()
            self._made = None
