"""Where energy is split at a tariff boundary depends on the readings around it, not on when they came to be known."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from schemas.records.charge_events import ChargeEvent
from schemas.records.derived import Order
from schemas.records.telemetry import Telemetry
from tests.streams.domain.records import (
    DAY_AND_NIGHT,
    HOUR,
    SECOND,
    Partition,
    beijing,
    charging,
    plugged,
    started,
    station,
    stopped,
)

EIGHT = beijing(8)
Input = Telemetry | ChargeEvent


def at(seconds: float) -> int:
    """So many seconds after the tariff changes at eight."""
    return EIGHT + round(seconds * SECOND)


def give(run: Partition, inputs: Sequence[Input]) -> Partition:
    """Samples at their own times; events at the time of the newest sample before them, whenever they happened."""
    for one in inputs:
        if isinstance(one, Telemetry):
            run.sample(one)
        else:
            run.event(one)
    return run


def order_of(*runs: Partition) -> Order:
    (order,) = [order for run in runs for order in run.of(Order)]
    return order


def split(inputs: Sequence[Input], until: int = at(3600)) -> Order:
    """The order when all comes in this order and the clock then runs on."""
    return order_of(give(Partition(station(DAY_AND_NIGHT)), inputs).run_clock(at(200), until, 10 * SECOND))


#: The register does not grow evenly, so that it matters between which readings a boundary is placed.
UNEVEN = [charging(at(s), wh) for s, wh in ((-43, 2_000), (-33, 2_100), (-23, 6_000), (-13, 6_050), (-3, 9_000))]
BEHIND = [charging(at(s), wh) for s, wh in ((7, 9_100), (17, 15_000))]
START = started(at(-50), 1_000)
STOP = stopped(at(20), 16_000)
OVER = plugged(at(27), 16_000)


def test_the_reference() -> None:
    order = split([START, *UNEVEN, *BEHIND, STOP, OVER])
    assert [str(p.energy_kwh) for p in order.periods] == ["8.03", "6.97"]


@pytest.mark.parametrize("crash_behind", range(1, 11))
def test_a_crash_behind_any_record_with_nothing_read_again(crash_behind: int) -> None:
    inputs: list[Input] = [START, *UNEVEN, *BEHIND, STOP, OVER]
    first = give(Partition(station(DAY_AND_NIGHT)), inputs[:crash_behind])
    second = give(first.restarted(at(20)), inputs[crash_behind:]).run_clock(at(200), at(3600), 10 * SECOND)
    assert order_of(first, second) == split(inputs)


@pytest.mark.parametrize("events_at", range(9))
def test_the_events_come_at_any_point_of_telemetry(events_at: int) -> None:
    samples = [*UNEVEN, *BEHIND, OVER]
    inputs: list[Input] = [*samples[:events_at], START, STOP, *samples[events_at:]]
    run = Partition(station(DAY_AND_NIGHT))
    for one in inputs:
        if isinstance(one, Telemetry):
            run.sample(one)
        else:
            run.event(one, at(25))
    assert order_of(run.run_clock(at(200), at(3600), 10 * SECOND)) == split([START, *samples[:-1], STOP, OVER])


@pytest.mark.parametrize("late", [False, True])
def test_a_start_between_two_samples_with_a_boundary_behind_it(late: bool) -> None:
    begun = started(at(-2), 9_050)
    samples = [charging(at(-5), 9_000), charging(at(5), 12_000), charging(at(15), 15_000)]
    order = split([*samples, begun, STOP, OVER] if late else [begun, *samples, STOP, OVER])
    assert [str(p.energy_kwh) for p in order.periods] == ["0.84", "6.11"]


@pytest.mark.parametrize("late", [False, True])
def test_a_stop_between_two_samples_with_a_boundary_before_it(late: bool) -> None:
    ended = stopped(at(2), 9_060)
    samples = [charging(at(-8), 9_000), charging(at(12), 15_000), plugged(at(22), 15_000)]
    order = split([START, *samples, ended] if late else [START, samples[0], ended, *samples[1:]])
    assert [str(p.energy_kwh) for p in order.periods] == ["8.05", "0.01"]


SILENT: dict[str, Callable[[list[Telemetry]], list[Input]]] = {
    "the stop comes last": lambda samples: [START, *samples, STOP],
    "the stop comes first": lambda samples: [START, STOP, *samples],
    "both events come last": lambda samples: [*samples, START, STOP],
    "the stop comes in between": lambda samples: [START, *samples[:2], STOP, *samples[2:]],
}


@pytest.mark.parametrize("way", SILENT)
@pytest.mark.parametrize("earlier_s", [0, 80, 100])
@pytest.mark.parametrize("samples", [UNEVEN, [*UNEVEN, BEHIND[0]], UNEVEN[:3], UNEVEN[:2]])
def test_samples_that_end_for_good_before_the_stop(way: str, samples: list[Telemetry], earlier_s: int) -> None:
    """The last sample counts although no other one makes it be looked at."""
    samples = [replace(s, sampled_at=s.sampled_at - earlier_s * SECOND) for s in samples]
    inputs = [replace(i, started_at=at(-160)) if i is START else i for i in SILENT[way](samples)]
    run = Partition(station(DAY_AND_NIGHT))
    for one in inputs:
        if isinstance(one, Telemetry):
            run.sample(one)
        else:
            run.event(one, max(at(25), at(20)))
    order = order_of(run.run_clock(at(200), at(200) + HOUR, 10 * SECOND))
    last = samples[-1]
    if last.sampled_at < EIGHT:
        share = (EIGHT - last.sampled_at) / (STOP.stopped_at - last.sampled_at)
        before = last.meter_wh + int((STOP.meter_end_wh - last.meter_wh) * share) - START.meter_start_wh
        assert abs(float(order.periods[0].energy_kwh) * 1000 - before) <= 10
    else:
        assert str(order.periods[0].energy_kwh) == "8.03"
