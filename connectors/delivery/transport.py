"""The HTTP transport beneath httpx: a thin layer over aiohttp, since httpx's own pool costs twenty times as much."""

import aiohttp
import httpx

from connectors.policies import Timeouts


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests through one aiohttp session with kept connections.

    Answers are read whole, up to `answer_max_bytes`. Raises httpx's exceptions, never aiohttp's.
    """

    def __init__(self, timeouts: Timeouts, connections: int, answer_max_bytes: int) -> None:
        self._timeouts = aiohttp.ClientTimeout(
            total=timeouts.total_s, sock_connect=timeouts.connect_s, sock_read=timeouts.read_s
        )
        self._connections = connections
        self._answer_max_bytes = answer_max_bytes
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request and its whole answer."""
        session = self._session
        if session is None:
            session = self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=self._timeouts,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        try:
            async with session.request(
                request.method,
                str(request.url),
                data=request.content,
                headers=request.headers.items(),
                allow_redirects=False,
            ) as answer:
                content = await answer.content.read(self._answer_max_bytes + 1)
                while len(content) <= self._answer_max_bytes and not answer.content.at_eof():
                    content += await answer.content.read(self._answer_max_bytes + 1 - len(content))
                return httpx.Response(answer.status, content=content, request=request)
        except (TimeoutError, aiohttp.ServerTimeoutError) as error:
            raise httpx.TimeoutException(str(error) or "timed out", request=request) from error
        except aiohttp.ClientConnectorError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise httpx.TransportError(f"{type(error).__name__}: {error}", request=request) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
