"""What a platform is answered of a charge is what the streams would push of it from the same state."""

from hypothesis import given, settings

from connectors.gateway.charges import Charges
from connectors.gateway.views.sight import Sight
from connectors.interfaces import equip_charge_status
from connectors.interfaces.dialect import STANDARD
from connectors.policies import Scope
from schemas.records.derived import ChargeProgress
from tests.connectors.gateway.house import House, a_station
from tests.streams.domain.records import (
    DAY_AND_NIGHT,
    MINUTE,
    SECOND,
    SEQ,
    Partition,
    beijing,
    charging,
    plugged,
    sample,
    started,
    stopped,
)
from tests.streams.domain.scenarios import Scenario, scenarios

#: So that a tariff period ends at 22:00, in the middle.
BEGIN = beijing(21, 55)


def answered(run: Partition) -> dict[str, object]:
    house = House()
    house.follow(run)
    found = Charges(Sight(Scope(), house.views), house.views, "city").status(SEQ, STANDARD, BEGIN)
    assert found is not None
    return found


def pushed(run: Partition) -> dict[str, object]:
    return equip_charge_status.payload(run.of(ChargeProgress)[-1], STANDARD)


def charge(*, rebased: bool = False) -> Partition:
    """One that has begun, whose register may jump back."""
    run = Partition(a_station(tariff=DAY_AND_NIGHT)).sample(sample(BEGIN - SECOND)).event(started(BEGIN))
    run.sample(charging(BEGIN))
    if rebased:
        run.sample(charging(BEGIN + SECOND, 1_000_050), charging(BEGIN + 2 * SECOND, 500))
    return run


def test_at_the_start() -> None:
    run = charge()
    assert answered(run) == pushed(run)


def test_at_every_push_across_a_tariff_boundary() -> None:
    run, pushes = charge(), 0
    for at in range(10, 601, 10):
        before = len(run.of(ChargeProgress))
        run.sample(charging(BEGIN + at * SECOND, 1_000_000 + 97 * at, soc_pct=at // 10, current_a=at / 7))
        if len(run.of(ChargeProgress)) > before:
            pushes += 1
            assert answered(run) == pushed(run)
    assert pushes == 12
    assert answered(run)["SumPeriod"] == 2


def test_with_a_register_that_jumped_back() -> None:
    run = charge(rebased=True)
    for at in range(60, 601, 60):
        run.sample(charging(BEGIN + at * SECOND, 500 + 97 * at))
        assert answered(run) == pushed(run)


def test_without_the_start_event() -> None:
    run = Partition(a_station(tariff=DAY_AND_NIGHT))
    for at in range(0, 600, 50):
        run.sample(charging(BEGIN + at * SECOND, 1_000_000 + 97 * at))
        assert answered(run) == pushed(run)


def test_at_the_stop() -> None:
    run = charge()
    run.sample(charging(BEGIN + 8 * MINUTE, 1_004_000)).event(stopped(BEGIN + 9 * MINUTE, 1_004_500))
    run.sample(plugged(BEGIN + 9 * MINUTE + SECOND, 1_004_500))
    # The push has the voltages of the sample behind the stop; what is answered has those of the charge, or none.
    assert answered(run) == {**pushed(run), "VoltageA": 0, "VoltageB": 0, "VoltageC": 0}


def test_a_recovered_worker_makes_no_difference() -> None:
    run = charge()
    for at in range(50, 601, 50):
        run.sample(charging(BEGIN + at * SECOND, 1_000_000 + 97 * at))
    other = run.restarted(BEGIN + 10 * MINUTE)
    other.sample(charging(BEGIN + 11 * MINUTE, 1_100_000))
    assert answered(other) == pushed(other)


def add_up(told: dict[str, object]) -> bool:
    """Whether the details are the totals' parts, to the cent."""
    details = told["ChargeDetails"]
    assert isinstance(details, list)
    sums = [sum(one[name] for one in details) for name in ("DetailPower", "DetailElecMoney", "DetailSeviceMoney")]
    totals = [told[name] for name in ("TotalPower", "ElecMoney", "SeviceMoney")]
    return sums == totals or not details


@settings(max_examples=40)
@given(scenarios())
def test_in_any_course_of_charges(scenario: Scenario) -> None:
    run, house = Partition(a_station(tariff=scenario.tariff)), House()
    charges = Charges(Sight(Scope(), house.views), house.views, "city")
    events = list(scenario.events)
    for one in scenario.samples:
        while events and events[0][0] <= one.sampled_at:
            at, event = events.pop(0)
            run.event(event, at)
        house.clock.ms = one.sampled_at
        house.follow(run.forget_outputs().sample(one))
        for seq in scenario.charges:
            told = charges.status(seq, STANDARD, one.sampled_at)
            # A bill is told as it is, whether or not it adds up.
            assert told is None or house.views.ended.get(seq) is not None or add_up(told)
        for push in run.of(ChargeProgress):
            told = charges.status(push.start_charge_seq, STANDARD, one.sampled_at)
            assert told is not None
            assert told["StartChargeSeqStat"] == 4 or told == equip_charge_status.payload(push, STANDARD)
        run.states.clear()
