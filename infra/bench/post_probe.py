"""Posts ready-sealed pushes bare, with aiohttp or with httpx as it comes, and says how fast it was.

Arguments: address, client (aiohttp or httpx), pushes, calls in flight.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import httpx

from connectors.interfaces.registry import interfaces
from connectors.platform import load_platforms
from connectors.protocol import wire_json
from connectors.protocol.envelope import seal_request
from connectors.protocol.sequence import Sequence
from infra.bench.delivery_records import CREDENTIALS, PLATFORM, records

_HEADERS = {"Content-Type": "application/json;charset=utf-8", "Authorization": "Bearer token"}

Post = Callable[[str, bytes], Awaitable[None]]


def _sealed(pushes: int) -> list[tuple[str, bytes]]:
    platform, sequence = load_platforms().platforms[PLATFORM], Sequence()
    found = []
    for record in records(pushes):
        (interface,) = platform.pushes(record)
        payload = wire_json.encode(interfaces()[interface.name].payload(record, platform.dialect))
        stamp = sequence.next(time.time_ns() // 1_000_000)
        found.append((interface.name, seal_request(payload, CREDENTIALS, stamp)))
    return found


async def _post_all(post: Post, pushes: list[tuple[str, bytes]], in_flight: int) -> dict[str, float]:
    queue: Iterator[tuple[str, bytes]] = iter(pushes)

    async def work() -> None:
        for name, body in queue:
            await post(name, body)

    await post(*pushes[0])
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"per_s": len(pushes) / elapsed, "cpu_us": cpu * 1e6 / len(pushes)}


async def _aiohttp(address: str, pushes: list[tuple[str, bytes]], in_flight: int) -> dict[str, float]:
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def post(name: str, body: bytes) -> None:
            async with session.post(address + name, data=body, headers=_HEADERS) as answer:
                assert answer.status == httpx.codes.OK
                await answer.read()

        return await _post_all(post, pushes, in_flight)


async def _httpx(address: str, pushes: list[tuple[str, bytes]], in_flight: int) -> dict[str, float]:
    async with httpx.AsyncClient() as client:

        async def post(name: str, body: bytes) -> None:
            answer = await client.post(address + name, content=body, headers=_HEADERS)
            assert answer.status_code == httpx.codes.OK

        return await _post_all(post, pushes, in_flight)


if __name__ == "__main__":
    run = {"aiohttp": _aiohttp, "httpx": _httpx}[sys.argv[2]]
    figures = asyncio.run(run(sys.argv[1], _sealed(int(sys.argv[3])), int(sys.argv[4])))
    print(json.dumps(figures), flush=True)  # noqa: T201
