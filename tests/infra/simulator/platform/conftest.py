"""A platform in a thread, an operator's side talking to it, and a clock both share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.simulator.platform.threaded import PlatformThread
from tests.infra.simulator.platform.manual_clock import ManualClock
from tests.infra.simulator.platform.operator_side import OperatorSide


@pytest.fixture
def clock() -> ManualClock:
    """The platform's and the operator's time."""
    return ManualClock()


@pytest.fixture
def city(clock: ManualClock) -> Iterator[PlatformThread]:
    """Beijing with the public test secrets."""
    with PlatformThread(clock=clock) as started:
        yield started


@pytest.fixture
def side(city: PlatformThread, clock: ManualClock) -> Iterator[OperatorSide]:
    """The operator the platform knows."""
    made = OperatorSide(city.base_url, city.platform.settings, clock)
    yield made
    made.close()
