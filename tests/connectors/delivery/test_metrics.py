"""What a delivery process tells of itself, and when it is ready."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Producer

from connectors.delivery import process
from connectors.delivery.breaker import BreakerState
from connectors.delivery.metrics import Metrics
from connectors.delivery.parts import Delivering, Forwarding, Parts, PlatformLanes
from connectors.delivery.tally import Tally
from tests.admin import figures_in
from tests.connectors.delivery import city as c


def delivering(**changes: object) -> Delivering:
    """A platform's lanes at work."""
    standing = {
        "ready": True,
        "partitions": 16,
        "in_flight": 3,
        "held": {"orders": 4, "states": 5},
        "lags": {"orders": 6, "states": 7},
        "breaker_state": BreakerState.OPEN,
    }
    return cast(Delivering, SimpleNamespace(**standing | changes))


def forwarding(**changes: object) -> Forwarding:
    """A router at work."""
    standing = {"ready": True, "partitions": 8, "forwarded": 9, "waiting": 2}
    return cast(Forwarding, SimpleNamespace(**standing | changes))


def all_parts() -> Parts:
    """A process that does everything for one platform."""
    lanes = PlatformLanes(restarts=1, delivery=delivering())
    lanes.tally.confirmed.update({c.STATUS: 3})
    lanes.tally.failures.update({"BUSY": 2})
    lanes.tally.given_up.update({"not_taken": 1})
    for delay_s in (0.02, 0.02, 1.5):
        lanes.tally.delays[c.STATUS].add(delay_s)
    return Parts({"router": forwarding(), "retries": forwarding()}, {"beijing": lanes}, working=True)


def test_the_figures() -> None:
    told = figures_in(Metrics(all_parts()).text().decode())
    for name, value in {
        'forwarded_total{part="router"}': 9,
        'waiting_records{part="retries"}': 2,
        'partitions{part="retries"}': 8,
        f'confirmed_total{{interface="{c.STATUS}",platform="beijing"}}': 3,
        'failures_total{platform="beijing",sign="BUSY"}': 2,
        'given_up_total{platform="beijing",reason="not_taken"}': 1,
        'restarts_total{platform="beijing"}': 1,
        'lane_partitions{platform="beijing"}': 16,
        'in_flight{platform="beijing"}': 3,
        'held_records{lane="orders",platform="beijing"}': 4,
        'lag_records{lane="states",platform="beijing"}': 7,
        'breaker{platform="beijing",state="OPEN"}': 1,
        'breaker{platform="beijing",state="CLOSED"}': 0,
    }.items():
        assert told[f"evcs_delivery_{name}"] == value, name
    assert len([name for name in told if "failures" in name or "given_up" in name]) == 2


def test_the_delays_are_cumulated_as_prometheus_wants_them() -> None:
    told = figures_in(Metrics(all_parts()).text().decode())
    labels = f'interface="{c.STATUS}",platform="beijing"'

    def within(bound: str) -> float:
        [value] = (
            told[name]
            for name in told
            if name.startswith("evcs_delivery_delay_seconds_bucket") and f'le="{bound}"' in name
        )
        return value

    assert [within(bound) for bound in ("0.1", "1.0", "2.0", "3600.0", "+Inf")] == [2, 2, 3, 3, 3]
    assert told[f"evcs_delivery_delay_seconds_count{{{labels}}}"] == 3
    assert told[f"evcs_delivery_delay_seconds_sum{{{labels}}}"] == pytest.approx(1.54)


def test_it_is_ready_once_every_part_is() -> None:
    parts = all_parts()
    assert parts.ready
    parts.working = False
    assert not parts.ready, "before it has all parts, and when it is ending"
    parts.working = True
    parts.forwarders["retries"] = forwarding(ready=False)
    assert not parts.ready
    parts.forwarders["retries"] = forwarding()
    parts.platforms["chengdu"] = PlatformLanes(delivery=delivering(ready=False))
    assert not parts.ready
    parts.platforms["chengdu"].delivery = None
    assert not parts.ready
    parts.platforms["chengdu"].delivery = delivering()
    assert parts.ready


def test_before_there_are_parts() -> None:
    assert not Parts().ready
    assert figures_in(Metrics(Parts()).text().decode()) == {}


def test_lanes_that_begin_anew_go_on_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails after a push, and its successor."""
    stopping, lanes, lives = asyncio.Event(), PlatformLanes(), 0
    parts = Parts(platforms={"beijing": lanes}, working=True)

    class Failing:
        def __init__(self, *_: Any, tally: Tally, **__: Any) -> None:
            self.tally = tally
            assert not parts.ready, "nobody delivers"
            vars(self).update(vars(delivering()))

        async def run(self) -> None:
            nonlocal lives
            lives += 1
            self.tally.confirmed[c.STATUS] += 1
            self.tally.delays[c.STATUS].add(0.5)
            assert parts.ready
            if lives == 1:
                raise ValueError("a fault of ours")
            stopping.set()
            await asyncio.sleep(0)

        def stop(self) -> None:
            """It has ended."""

    monkeypatch.setattr(process, "Delivery", Failing)
    monkeypatch.setattr(process, "_RESTART_S", (0,))
    asyncio.run(process._kept_running(c.settings(), lanes, cast(Producer, None), lambda: 0, stopping))
    told = figures_in(Metrics(parts).text().decode())
    where = f'{{interface="{c.STATUS}",platform="beijing"}}'
    assert told[f"evcs_delivery_confirmed_total{where}"] == 2
    assert told[f"evcs_delivery_delay_seconds_count{where}"] == 2
    assert told['evcs_delivery_restarts_total{platform="beijing"}'] == 1
