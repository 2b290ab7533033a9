"""The lanes and their breaker: a platform that is away is asked by one call at a time, and nothing is lost by it."""

import asyncio
import logging
from dataclasses import replace

import httpx
import pytest

from connectors.policies import BreakerPolicy, Limits
from schemas.records.derived import Derived
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.bench import Bench, deliver, of
from tests.connectors.delivery.city import sealed

POLICY = BreakerPolicy(consecutive=5, probe_first_s=5, probe_max_s=60, paused_probe_s=60)
CITY = replace(c.BEIJING, breaker=POLICY)
AWAY_S = 300
#: Probes after 5 s, 10, 20, 40, 60, 60, …
PROBES = [5, 15, 35, 75, 135, 195, 255, 315]


def away(call: c.Call) -> c.Answer:
    """No connection for the first five minutes, not even for a token."""
    return httpx.ConnectError("refused") if call.at < AWAY_S else None


def everything(number: int) -> list[Derived]:
    """What there is to tell of a connector and its charge."""
    name = f"C{number}"
    return [
        r.status(name),
        r.start(number, name),
        r.progress(number, name),
        r.stop(number, name),
        r.order(number, name, charge_model=1),
    ]


def test_opens_probes_closes_and_everything_leaves(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(60):
            for record in everything(number):
                bench.put(record)
        await bench.at(1)
        assert bench.lanes.breaker.state == "OPEN"
        await bench.at(AWAY_S - 1)
        assert bench.done == []
        assert bench.lanes.held == 300

    bench = deliver(scenario, away, CITY)
    while_open = sorted({round(call.at) for call in bench.city.calls if 1 < call.at < AWAY_S})
    assert while_open == PROBES[:-1]
    assert len([call for call in bench.city.calls if 1 < call.at < AWAY_S]) == len(PROBES) - 1
    # Nobody is told of it again and again, and at the first probe that is answered all are let go.
    assert bench.lanes.breaker.state == "CLOSED"
    assert bench.city.pushes[-1].at == pytest.approx(PROBES[-1], abs=61)
    assert not (bench.letters or bench.rungs)
    assert bench.lanes.tally.confirmed == dict.fromkeys((c.STATUS, c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS), 60)
    levels = [record.levelno for record in caplog.records if record.levelno >= logging.WARNING]
    assert levels == [logging.ERROR, logging.WARNING]
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert told[0].startswith("beijing is away, only probes go out: 5 failures in a row, the last: query_token: ")
    assert told[1] == "beijing is back"


def test_a_probe_is_one_call_also_of_an_order_for_two_interfaces() -> None:
    """Each climbs its ladder once it has been tried."""
    bench = deliver(
        of(*(r.order(n, "A", charge_model=1) for n in range(10))),
        lambda call: 500 if call.interface != c.TOKEN else None,
        replace(CITY, limits=replace(CITY.limits, orders_in_flight=1)),
    )
    calls = [call.at for call in bench.city.pushes]
    assert calls[:5] == [0] * 5
    assert calls[5:12] == pytest.approx(PROBES[:7], abs=0.4)
    assert len(calls) == len(bench.rungs) == 20


def test_a_slow_probe_is_not_joined_by_another() -> None:
    async def script(call: c.Call) -> c.Answer:
        if call.at >= 1:
            await asyncio.sleep(90)
        return 500 if call.at < AWAY_S and call.interface != c.TOKEN else None

    async def scenario(bench: Bench) -> None:
        for number in range(20):
            bench.put(r.status(f"C{number}"))
            bench.put(r.stop(number, "A"))
        await bench.at(1)
        bench.city.most_at_once = 0
        await bench.at(AWAY_S)
        assert bench.city.most_at_once == 1
        bench.city.script = None

    deliver(scenario, script, CITY)


def test_what_failed_late_is_no_probes_failure() -> None:
    """Many calls hang when the breaker opens; their time-outs come while the platform is probed, and neither let
    another probe go nor make the pauses longer."""

    async def script(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN:
            return None
        if call.at < 1:
            await asyncio.sleep(1 if int(call.connector[1:]) < 5 else 8)
            return 500
        await asyncio.sleep(20)
        return 500 if call.at < 20 else None

    async def scenario(bench: Bench) -> None:
        for number in range(32):
            bench.put(r.status(f"C{number}"))
        await bench.at(1.5)
        assert bench.lanes.breaker.state == "OPEN"
        await bench.at(55)
        # From 6 to 26 s, and 10 s later again.
        assert [call.at for call in bench.city.pushes if call.at > 1] == pytest.approx([6, 36], abs=0.2)
        await bench.at(57)
        assert bench.lanes.breaker.state == "CLOSED"

    deliver(scenario, script, CITY)


def test_a_late_success_closes_it() -> None:
    async def script(call: c.Call) -> c.Answer:
        await asyncio.sleep(0.1)
        if call.connector == "C9" and call.at < 1:
            await asyncio.sleep(1.8)
            return None
        return 500 if call.at < 1 and call.interface == c.STATUS else None

    async def scenario(bench: Bench) -> None:
        for number in range(10):
            bench.put(r.status(f"C{number}"))
        await bench.at(1.9)
        assert bench.lanes.breaker.state == "OPEN"
        await bench.at(2.1)
        assert bench.lanes.breaker.state == "CLOSED"
        await bench.at(2.5)
        assert len(bench.done) == 10

    deliver(scenario, script, CITY)


def test_a_share_of_failures_opens_it_too() -> None:
    shaky = replace(c.BEIJING, breaker=replace(POLICY, consecutive=1000, least=20, failure_share=0.5, window_s=30))
    bench = deliver(
        of(*(r.order(n, f"C{n}") for n in range(40))),
        lambda call: 500 if call.interface == c.BONUS and int(call.connector[1:]) % 2 else None,
        replace(shaky, limits=replace(shaky.limits, orders_in_flight=1)),
    )
    assert len([call for call in bench.city.pushes if call.at < 5]) == 20
    assert len(bench.rungs) == 20


@pytest.mark.parametrize("answer", [sealed(None, 4004), sealed({"SuccStat": 1, "FailReason": 1})])
def test_a_refusal_of_the_record_closes_it(answer: bytes) -> None:
    """The platform is there."""

    async def scenario(bench: Bench) -> None:
        for number in range(10):
            bench.put(r.stop(number, f"C{number}"))
        await bench.at(5.2)
        assert bench.lanes.breaker.state == "CLOSED"
        bench.city.script = None

    def script(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN:
            return None
        return answer if call.at > 1 else 500

    deliver(scenario, script, CITY)


def test_a_platform_that_was_away_and_then_does_not_admit_us() -> None:
    def script(call: c.Call) -> c.Answer:
        if call.interface == c.TOKEN or call.at > 100:
            return None
        return 500 if call.at < 3 else sealed(None, 4001)

    async def scenario(bench: Bench) -> None:
        for number in range(10):
            bench.put(r.status(f"C{number}"))
        await bench.at(3)
        assert bench.lanes.breaker.state == "OPEN"
        await bench.at(6)
        assert bench.lanes.breaker.state == "PAUSED"

    bench = deliver(scenario, script, CITY)
    probes = [call.at for call in bench.city.pushes if 3 < call.at < 125]
    assert probes == pytest.approx([5, 65], abs=0.3)
    assert bench.letters == []


@pytest.mark.parametrize("kind", ["stale", "unreportable"])
def test_a_probe_that_has_nothing_to_say_leaves_it_to_another(kind: str) -> None:
    """Stale progress, and what the standard has no room for, ask the platform nothing."""

    async def scenario(bench: Bench) -> None:
        for number in range(5):
            bench.put(r.order(number, "A"))
        await bench.finish()
        assert bench.lanes.breaker.state == "OPEN"
        for number in range(10, 15):
            if kind == "stale":
                bench.put(r.progress(number, "A"), recorded_at=0)
            else:
                bench.put(r.start(number, "x" * 27))
        bench.put(r.stop(20, "B"))
        await bench.at(5.3)
        assert bench.lanes.breaker.state == "CLOSED"
        assert bench.lanes.held == 0

    bench = deliver(scenario, lambda call: 500 if call.interface == c.BONUS else None, CITY)
    assert bench.city.pushes[-1].interface == c.STOP


def test_what_comes_while_it_is_open_waits_and_the_newest_state_wins() -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(5):
            bench.put(r.status(f"C{number}", 1))
        await bench.at(1.5)
        for status in (2, 3, 4):
            for number in range(5):
                bench.put(r.status(f"C{number}", status))

    bench = deliver(scenario, lambda call: 500 if call.at < 3 else None, CITY)
    told = [call.payload["ConnectorStatusInfo"]["Status"] for call in bench.city.pushes]  # type: ignore[index]
    assert told == [4] * 5


def test_when_it_closes_as_many_leave_at_once_as_may() -> None:
    async def script(call: c.Call) -> c.Answer:
        if call.interface == c.STATUS and call.at < 3:
            return 500
        await asyncio.sleep(1)
        return None

    bench = deliver(of(*(r.status(f"C{number}") for number in range(100))), script, CITY)
    assert bench.city.most_at_once == CITY.limits.states_in_flight
    # The probe, a second each for it and its token, and three rounds and a bit.
    assert bench.city.pushes[-1].at < 5 + 2 + 4


def test_a_paused_platform_is_probed_with_another_record_each_time() -> None:
    """One that it does not admit for long holds nobody else."""

    def script(call: c.Call) -> c.Answer:
        return sealed(None, 4003) if "1".zfill(18) in str(call.payload) and call.at < 300 else None

    async def scenario(bench: Bench) -> None:
        for number in range(1, 8):
            bench.put(r.start(number, f"C{number}"))
        await bench.at(100)
        assert bench.lanes.breaker.state == "PAUSED"
        assert bench.lanes.tally.confirmed == {c.START: 6}

    bench = deliver(scenario, script, replace(CITY, limits=Limits(orders_in_flight=1)))
    assert bench.lanes.tally.confirmed == {c.START: 7}


def test_a_token_that_is_refused_once_counts_once() -> None:
    """Who waited for it has not been sent, and goes with the next token."""

    tokens: list[c.Call] = []

    def script(call: c.Call) -> c.Answer:
        if call.interface != c.TOKEN or len(tokens) == 2:
            return None
        tokens.append(call)
        return 503

    async def scenario(bench: Bench) -> None:
        for number in range(30):
            bench.put(r.order(number, f"C{number}"))
            bench.put(r.status(f"C{number}"))
        await bench.at(1)

    bench = deliver(scenario, script, CITY)
    assert len(tokens) == 2
    assert bench.lanes.tally.failures == {"UNREACHABLE": 2}
    assert len(bench.attempts) == 62 - bench.outcomes.count("LADDER")
    assert bench.lanes.breaker.state == "CLOSED"
