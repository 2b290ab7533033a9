"""Hostile calls, straight to the application: whatever comes, an answer is JSON of the standard, signed, without a
secret, and no command is given that nobody may give. Some are chosen by hypothesis, which shrinks what fails; most by a
seeded generator, which is quicker."""

import asyncio
import gc
import json
import logging
import sys
from collections import Counter, deque
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.connectors.gateway.hostile_calls import INTERFACES, Request, ask, good_payload, sealed_request
from tests.connectors.gateway.hostile_damage import hostile_request
from tests.connectors.gateway.hostile_rules import RETS, Log, assert_hushed, assert_started_once, check
from tests.connectors.gateway.hostile_texts import ODD_LITERALS, ODD_VALUES
from tests.connectors.gateway.hostile_world import BEIJING, PLATFORMS, World, label_sets, make_world

#: Together more than a hundred thousand calls; without --thorough those of the first.
SEEDS, CALLS = range(4), 26_000

#: Until every kind of call has been made and what is remembered of them has its size.
WARM = 8_000


@pytest.fixture
def log() -> Iterator[Log]:
    """Everything that is logged meanwhile."""
    handler, root = Log(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)
    logging.getLogger("asyncio").setLevel(logging.NOTSET)


async def put(world: World, request: Request) -> tuple[int, int] | None:
    """One call, and every rule; its HTTP status and Ret."""
    before = len(world.sender.sent)
    try:
        answer = await ask(world.app, request)
        if answer is not None:
            return answer.status, check(request, answer, world, before)
        assert request.leaves
        assert len(world.sender.sent) == before
    except AssertionError as failed:
        failed.add_note(repr(request))
        raise
    return None


def assert_nothing_shows(world: World, log: Log) -> None:
    """In the log, which has nothing to tell, and in the metrics, which have no labels of a caller's making."""
    assert log.lines == []
    assert_started_once(world.sender.sent)
    metrics = world.metrics.text().decode()
    assert_hushed(metrics)
    assert not [token for secrets in PLATFORMS.values() if (token := world.token(secrets)) in metrics]
    interfaces, platforms = len(INTERFACES) + 1, len(PLATFORMS) + 1
    buckets = 15
    assert len(label_sets(world.metrics)) <= interfaces * (platforms * len(RETS) * 2 + buckets) + 10


async def rush(world: World, seed: int, calls: int, warm: int) -> tuple[Counter[tuple[int, int] | None], list[int]]:
    """So many calls one after the other, some of them repeated; how they were answered, and how many blocks of memory
    were in use after `warm` of them and at the end."""
    rng, said, answers = Random(seed), deque[Request](maxlen=50), Counter[tuple[int, int] | None]()
    blocks: list[int] = []
    for number in range(calls + 1):
        if number in (warm, calls):
            gc.collect()
            blocks.append(sys.getallocatedblocks())
        request = hostile_request(rng, world, said)
        answers[await put(world, request)] += 1
        if len(request.body) < 4_000:
            said.append(request)
        world.clock.now_s += rng.choice((0, 0.005, 0.02))
    return answers, blocks


def test_hostile_calls_that_hypothesis_chooses(log: Log) -> None:
    world = make_world()
    with asyncio.Runner() as runner:

        @settings(max_examples=500)
        @given(st.randoms(use_true_random=False))
        def run(rng: Random) -> None:
            runner.run(put(world, hostile_request(rng, world)))

        run()
    assert_nothing_shows(world, log)


def test_every_field_of_every_interface_with_every_odd_value(log: Log) -> None:
    world = make_world()
    odd = [*ODD_LITERALS, *map(json.dumps, ODD_VALUES)]

    async def put_all() -> Counter[tuple[int, int] | None]:
        answers = Counter[tuple[int, int] | None]()
        for interface in INTERFACES:
            good = good_payload(interface, BEIJING, Random(1))
            for name, literal in product(good, odd):
                text = json.dumps({**good, name: "ODD"}).replace('"ODD"', literal)
                answers[await put(world, sealed_request(world, BEIJING, interface, text.encode()))] += 1
        return answers

    answers = asyncio.run(put_all())
    assert_nothing_shows(world, log)
    assert {answer for answer in answers if answer} == {(200, 0), (200, 4004)}


def test_some_thousand_hostile_calls(log: Log) -> None:
    world = make_world(replay_window_s=30, per_second=30)
    answers, _ = asyncio.run(rush(world, seed=0, calls=3_000, warm=0))
    assert_nothing_shows(world, log)
    # Every check has been reached, and passed.
    assert {ret for answer in answers if answer for ret in answer} == RETS | {200, 404, 405, 413}
    assert answers[200, 0] > 500
    assert world.sender.sent


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in SEEDS[1:])])
def test_hostile_calls_leave_no_memory_behind(seed: int, log: Log) -> None:
    world = make_world(replay_window_s=30, per_second=30)
    answers, (before, after) = asyncio.run(rush(world, seed=seed + 1, calls=CALLS, warm=WARM))
    assert answers.total() == CALLS + 1
    assert_nothing_shows(world, log)
    # One object kept of each call would be more than this; what is kept of commands is less.
    assert after - before < (CALLS - WARM) / 4
