"""One HTTP exchange with the operator: posts a sealed question, reads the answer, measures how long that took.

The one module of the calling side that knows aiohttp as a client; none of its errors leaves here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import aiohttp

from infra.simulator.platform.errors import TransportFailed
from infra.simulator.platform.judge import Answer

CONTENT_TYPE = "application/json;charset=utf-8"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""A page of a hundred of the largest stations has some megabytes."""
CHUNK_BYTES = 64 * 1024
HTTP_OK = 200


class Exchange:
    """Connections that are kept, within one event loop; made by the first post, and again after `close`."""

    def __init__(self, timeout_s: float, stopwatch: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._stopwatch = stopwatch
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, interface: str, url: str, envelope: Mapping[str, str], token: str) -> Answer:
        """The answer, whose HTTP status was 200; raises TransportFailed. Without a token none is shown."""
        headers = {"Content-Type": CONTENT_TYPE, **({"Authorization": f"Bearer {token}"} if token else {})}
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        began = self._stopwatch()
        try:
            posted = self._session.post(url, data=json.dumps(envelope), headers=headers, allow_redirects=False)
            async with posted as response:
                if response.status != HTTP_OK:
                    raise TransportFailed(interface, f"HTTP status {response.status}", response.status)
                body = await _read(interface, response)
        except TimeoutError as error:
            raise TransportFailed(interface, f"no answer within {self._timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportFailed(interface, str(error) or type(error).__name__) from error
        return Answer(response.headers.get("Content-Type", ""), body, self._stopwatch() - began)


async def _read(interface: str, response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise TransportFailed(interface, f"the answer has more than {MAX_ANSWER_BYTES} bytes", response.status)
    return bytes(body)
