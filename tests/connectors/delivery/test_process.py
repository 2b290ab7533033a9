"""How often a platform's delivery that fails begins again, in virtual time."""

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest
from confluent_kafka import Producer

from connectors.delivery import process
from connectors.delivery.parts import PlatformLanes
from tests.connectors.delivery import city as c
from tests.connectors.delivery.virtual_time import now_s, run


def begins_at(monkeypatch: pytest.MonkeyPatch, lives_s: list[float]) -> list[float]:
    """When each of the deliveries begins that fail after so long, and the one behind them."""
    began: list[float] = []
    left = iter(lives_s)

    async def scenario() -> None:
        stopping = asyncio.Event()

        class Failing:
            def __init__(self, *_: Any, **__: Any) -> None:
                began.append(now_s())

            async def run(self) -> None:
                life_s = next(left, None)
                if life_s is None:
                    stopping.set()
                    return
                await asyncio.sleep(life_s)
                raise ValueError("a fault of ours")

            def stop(self) -> None:
                """It has ended."""

        monkeypatch.setattr(process, "Delivery", Failing)
        await process._kept_running(c.settings(), PlatformLanes(), cast(Producer, None), lambda: 0, stopping)

    run(scenario)
    return began


def test_pauses_grow_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert begins_at(monkeypatch, [0.0] * 6) == [0, 1, 6, 21, 81, 141, 201]


def test_what_ran_for_long_begins_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    began = begins_at(monkeypatch, [0.0, 0.0, 0.0, 599.0, 601.0, 0.0])
    assert [later - earlier for earlier, later in pairwise(began)] == [1, 5, 15, 659, 602, 5]
