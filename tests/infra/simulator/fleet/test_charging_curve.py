"""What a vehicle draws."""

import random
from itertools import pairwise

import pytest

from infra.simulator.fleet.charging_curve import draw, share_of_power
from infra.simulator.fleet.population import Kind

RNG = random.Random(1)


@pytest.mark.parametrize("kind", Kind)
def test_power_stays_about_the_rating(kind: Kind) -> None:
    powers = [draw(kind, soc / 100, RNG).power_w for soc in range(101)]
    assert max(powers) <= float(kind.power_kw) * 1000 * 1.02
    assert min(powers) > 0


@pytest.mark.parametrize("kind", Kind)
def test_dc_and_single_phase_use_one_phase(kind: Kind) -> None:
    drawn = draw(kind, 0.5, RNG)
    used = sum(a > 0 for a in drawn.currents_a)
    assert used == sum(v > 0 for v in drawn.voltages_v) == kind.phases
    assert max(drawn.currents_a) <= kind.current_a


def test_dc_tapers_above_80_percent() -> None:
    shares = [share_of_power(Kind.DC_120, soc / 100) for soc in range(80, 101)]
    assert shares[0] == 1.0
    assert all(after < before for before, after in pairwise(shares))
    assert 0 < shares[-1] < 0.1
