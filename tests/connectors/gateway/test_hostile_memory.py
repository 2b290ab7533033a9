"""What hostile calls leave in memory: of a call that is over nothing at all, and of what is remembered no more than its
bound."""

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from random import Random

import pytest

from tests.connectors.gateway import hostile_calls as calls
from tests.connectors.gateway.hostile_calls import Request, ask, good_request
from tests.connectors.gateway.hostile_world import BASE, BEIJING, World, make_world

#: Blocks of memory; the least that could be kept of each of 500 calls is more.
FEW = 250

TOKEN = BASE + calls.TOKEN

REFUSED = {
    "no JSON": Request(TOKEN, b"x" * 60_000),
    "no UTF-8": Request(TOKEN, b"\xff" * 60_000),
    "nested": Request(TOKEN, b'{"a":' * 10_000),
    "a key twice": Request(TOKEN, b'{"a":1,"a":2}'),
    "half a character": Request(TOKEN, b'{"a":"\\ud800"}'),
    "nowhere": Request("/", b"x" * 60_000),
    "too large": Request(TOKEN, b"x" * 70_000),
    "gone": Request(TOKEN, b"x" * 60_000, cuts=[30_000], leaves=True),
}


def assert_leaves_nothing(world: World, request: Request) -> None:
    """Nothing waits for the garbage collector, so a body is gone with its answer."""

    async def often() -> int:
        for _ in range(3):
            await ask(world.app, request)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await ask(world.app, request)
            return gc.collect()
        finally:
            gc.enable()

    assert asyncio.run(often()) == 0


@pytest.mark.parametrize("name", REFUSED)
def test_a_stranger_leaves_nothing_behind(name: str) -> None:
    assert_leaves_nothing(make_world(), REFUSED[name])


@pytest.mark.parametrize("token", ["", "expired"])
@pytest.mark.parametrize("interface", calls.INTERFACES)
def test_a_platform_leaves_nothing_behind_whether_it_is_answered_or_refused(interface: str, token: str) -> None:
    world = make_world()
    payload = calls.good_payload(interface, BEIJING, Random(1))
    refused = world.ended_token(BEIJING) if token else None
    assert_leaves_nothing(world, good_request(world, BEIJING, interface, payload, token=refused))


def test_pages_of_ever_other_times_are_forgotten() -> None:
    world = make_world()

    async def pages(first: int, count: int) -> None:
        for number in range(first, first + count):
            since = f"2025-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d} {number // 336 % 24:02d}:00:00"
            payload = {"LastQueryTime": since, "PageNo": 1, "PageSize": 1}
            await ask(world.app, good_request(world, BEIJING, "query_stations_info", payload))

    assert grown(lambda first: pages(first, 500)) < FEW


def test_envelopes_are_remembered_for_their_time_and_no_longer() -> None:
    world = make_world(replay_window_s=10)

    async def replays(first: int) -> None:
        for number in range(first, first + 500):
            world.clock.now_s += 1
            payload = {"EquipAuthSeq": str(number), "ConnectorID": "BJ1-C0"}
            request = good_request(world, BEIJING, "query_equip_auth", payload)
            answer = await ask(world.app, request)
            assert answer is not None and b'"Ret":0,' in answer.body
            sealed = json.loads(request.body)
            for same in (
                sealed,
                {**sealed, "Sig": sealed["Sig"].lower()},
                {"more": 1, **dict(reversed(sealed.items()))},
            ):
                again = await ask(world.app, replace(request, body=calls.encoded(same)))
                assert again is not None and b"been here before" in again.body

    assert grown(replays) < FEW


def grown(run: Callable[[int], Coroutine[None, None, None]]) -> int:
    """Blocks of memory more after 500 more calls."""

    async def measured() -> int:
        await run(0)
        gc.collect()
        before = sys.getallocatedblocks()
        await run(500)
        gc.collect()
        return sys.getallocatedblocks() - before

    return asyncio.run(measured())
