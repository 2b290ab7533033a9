"""Bills: energies and money add up, prices are the tariff's."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infra.simulator.fleet.bill import bill, boundaries, period_at
from infra.simulator.fleet.register import Register
from infra.simulator.fleet.tariffs import HOURLY, ONE_PRICE, TARIFFS, THREE_PRICES

MIDNIGHT = 1_767_196_800_000  # 2026-01-01 00:00 in Beijing
HOUR = 3_600_000


def test_boundaries_are_beijing_times_of_day() -> None:
    assert boundaries(THREE_PRICES, MIDNIGHT + 6 * HOUR, MIDNIGHT + 10 * HOUR) == [
        MIDNIGHT + 7 * HOUR,
        MIDNIGHT + 10 * HOUR,
    ]
    assert boundaries(ONE_PRICE, MIDNIGHT - HOUR, MIDNIGHT + HOUR) == [MIDNIGHT]
    assert boundaries(THREE_PRICES, MIDNIGHT + 7 * HOUR, MIDNIGHT + 8 * HOUR) == []


def test_a_period_holds_from_its_first_millisecond() -> None:
    assert period_at(THREE_PRICES, MIDNIGHT + 7 * HOUR - 1).elec_price == Decimal("0.3946")
    assert period_at(THREE_PRICES, MIDNIGHT + 7 * HOUR).elec_price == Decimal("0.6950")


def test_a_charge_over_midnight_by_hand() -> None:
    register = Register(1_000_000, MIDNIGHT - HOUR // 2)
    register.open_charge(THREE_PRICES)
    register.carry(60_000)
    register.advance(MIDNIGHT + HOUR // 2)
    issued = bill("seq", "connector", THREE_PRICES, register.close_charge(), MIDNIGHT + HOUR)
    assert issued.energy_kwh == Decimal("60.00")
    assert [p.energy_kwh for p in issued.periods] == [Decimal("30.00"), Decimal("30.00")]
    assert [p.elec_money for p in issued.periods] == [Decimal("11.84"), Decimal("11.84")]
    assert (issued.elec_money, issued.service_money) == (Decimal("23.68"), Decimal("48.00"))
    assert issued.total_money == Decimal("71.68")


@given(
    st.sampled_from([*TARIFFS, HOURLY]),
    st.integers(0, 86_400),
    st.lists(st.tuples(st.integers(1, 7_200_000), st.floats(0, 250_000)), min_size=1, max_size=12),
)
def test_details_add_up_to_the_totals(tariff: tuple, start_s: int, steps: list[tuple[int, float]]) -> None:  # type: ignore[type-arg]
    now_ms = MIDNIGHT + start_s * 1000
    register = Register(5_000_000, now_ms)
    meter_start_wh = register.open_charge(tariff)
    for lasts_ms, power_w in steps:
        register.carry(power_w)
        now_ms += lasts_ms
        register.advance(now_ms)
    readings = register.close_charge()
    issued = bill("seq", "connector", tariff, readings, now_ms)
    energy_wh = Decimal(register.meter_wh - meter_start_wh)
    assert abs(issued.energy_kwh - energy_wh / 1000) <= Decimal("0.005")
    assert sum(p.energy_kwh for p in issued.periods) == issued.energy_kwh
    assert sum(p.elec_money for p in issued.periods) == issued.elec_money
    assert sum(p.service_money for p in issued.periods) == issued.service_money
    assert issued.elec_money + issued.service_money == issued.total_money
    assert issued.periods[0].started_at == MIDNIGHT + start_s * 1000 and issued.periods[-1].ended_at == now_ms
    assert all(a.ended_at == b.started_at for a, b in pairwise(issued.periods))
    for period in issued.periods:
        assert period.energy_kwh >= 0 and period.started_at < period.ended_at
        assert period.elec_price == period_at(tariff, period.ended_at - 1).elec_price
        assert abs(period.elec_money - period.energy_kwh * period.elec_price) <= Decimal("0.005")
