"""Details add up, whatever the periods, and every number has its field's scale."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from connectors.interfaces import charge_order_info_for_bonus, equip_charge_status, figures
from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.standard import STANDARD_SCALES
from schemas.records.derived import OrderPeriod, ProgressPeriod
from tests.connectors.interfaces import records

NUMBERS = st.integers(0, 10**9)
MONEY = st.decimals(min_value=-(10**7), max_value=10**7, places=2)


def scales(payload: Mapping[str, object]) -> None:
    """Asserts the scale of every number that has decimals."""
    details = payload["ChargeDetails"]
    assert isinstance(details, list)
    for fields in (payload, *details):
        for name, value in fields.items():
            if name in STANDARD_SCALES:
                assert isinstance(value, Decimal)
                assert -value.as_tuple().exponent == STANDARD_SCALES[name], name  # type: ignore[operator]
                assert "E" not in str(value)
            else:
                assert not isinstance(value, (float, Decimal)), name


def total(payload: Mapping[str, object], name: str) -> Decimal:
    details = payload["ChargeDetails"]
    assert isinstance(details, list)
    return sum((detail[name] for detail in details), Decimal(0))


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=32))
def test_progress_details_add_up(rows: list[tuple[int, int, int, int, int]]) -> None:
    periods = tuple(ProgressPeriod(0, 1000, *row) for row in rows)
    energy, elec, service = (sum(row[index] for row in rows) for index in (2, 3, 4))
    record = replace(
        records.PROGRESS, periods=periods, energy_wh=energy, elec_money_fen=elec, service_money_fen=service
    )
    payload = equip_charge_status.payload(record, STANDARD)
    scales(payload)
    assert total(payload, "DetailPower") == payload["TotalPower"]
    assert total(payload, "DetailElecMoney") == payload["ElecMoney"]
    assert total(payload, "DetailSeviceMoney") == payload["SeviceMoney"]
    assert total(payload, "DetailElecMoney") + total(payload, "DetailSeviceMoney") == payload["TotalMoney"]


@given(st.lists(st.tuples(MONEY, MONEY, MONEY), max_size=32), st.integers(0, 3))
def test_order_details_add_up_at_any_scale(rows: list[tuple[Decimal, Decimal, Decimal]], scale: int) -> None:
    price = Decimal("0.5")
    energy, elec, service = (sum((row[index] for row in rows), Decimal("0.00")) for index in range(3))
    record = replace(
        records.ORDER,
        periods=tuple(OrderPeriod(0, 1000, price, price, *row) for row in rows),
        energy_kwh=energy,
        elec_money=elec,
        service_money=service,
        total_money=elec + service,
    )
    scales(charge_order_info_for_bonus.payload(record, STANDARD))
    coarse = Dialect(decimals={"DetailPower": scale, "TotalPower": scale})
    payload = charge_order_info_for_bonus.payload(record, coarse)
    assert total(payload, "DetailPower") == payload["TotalPower"]
    assert total(payload, "DetailElecMoney") == payload["TotalElecMoney"]


@given(st.integers(-(10**15), 10**15), st.integers(0, 4), st.integers(0, 6))
def test_rescaling_is_what_decimal_does(units: int, places: int, scale: int) -> None:
    ours = figures.fixed(figures.rescaled(units, places, scale), scale)
    theirs = Decimal(units).scaleb(-places).quantize(Decimal((0, (1,), -scale)), ROUND_HALF_UP)
    assert ours == theirs
    assert ours.as_tuple().exponent == theirs.as_tuple().exponent


def test_amounts_that_disagree_are_reported_as_they_are() -> None:
    order = replace(records.ORDER, total_money=Decimal("99.99"), elec_money=Decimal("1.00"))
    payload = charge_order_info_for_bonus.payload(order, STANDARD)
    assert (str(payload["TotalMoney"]), str(payload["TotalElecMoney"])) == ("99.99", "1.00")
    assert total(payload, "DetailElecMoney") == Decimal("11.10")
