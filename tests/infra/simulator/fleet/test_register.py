"""The register: an integral that never falls."""

import random

from hypothesis import given
from hypothesis import strategies as st

from infra.simulator.fleet.population import CATALOG_CHANGED_AT, Kind
from infra.simulator.fleet.register import Register, first_meter_wh
from infra.simulator.fleet.tariffs import NO_TARIFF, ONE_PRICE


@given(st.lists(st.tuples(st.integers(0, 600_000), st.floats(0, 250_000)), max_size=30))
def test_it_shows_the_integral_of_power(steps: list[tuple[int, float]]) -> None:
    register, now_ms, exact_wh = Register(1000, 0), 0, 0.0
    shown = [register.meter_wh]
    for lasts_ms, power_w in steps:
        register.carry(power_w)
        now_ms += lasts_ms
        register.advance(now_ms)
        exact_wh += power_w * lasts_ms / 3_600_000
        shown.append(register.meter_wh)
    assert shown == sorted(shown)
    assert abs(shown[-1] - 1000 - exact_wh) <= 1.001


def test_a_boundary_at_the_very_end_makes_no_empty_period() -> None:
    midnight = CATALOG_CHANGED_AT
    register = Register(0, midnight - 1000)
    register.open_charge(ONE_PRICE)
    register.carry(3_600_000)
    register.advance(midnight)
    assert register.close_charge() == [(midnight - 1000, 0), (midnight, 1000)]


def test_without_tariff_a_charge_has_two_readings() -> None:
    register = Register(0, 0)
    register.open_charge(NO_TARIFF)
    register.advance(90_000_000)
    assert len(register.close_charge()) == 2


def test_a_later_run_begins_above_any_earlier_end() -> None:
    for seed in range(20):
        earlier = first_meter_wh(Kind.DC_120, CATALOG_CHANGED_AT, random.Random(seed))
        later = first_meter_wh(Kind.DC_120, CATALOG_CHANGED_AT + 3_600_000, random.Random(seed))
        assert later - earlier >= 120_000
