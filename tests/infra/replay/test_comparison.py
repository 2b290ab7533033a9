"""Orders against sessions: each disagreement is in its list, with both sides' figures."""

from dataclasses import replace
from decimal import Decimal

from infra.replay.charges import Charge, plan_charges
from infra.replay.comparison import compare_orders
from schemas.records.derived import Order
from tests.infra.replay.rows import charge_row, sessions_of

ZERO = Decimal("0.00")


def charges() -> list[Charge]:
    rows = [charge_row("a", "10:00:00", "11:00:00", "1.23"), charge_row("b", "12:00:00", "13:00:00", "4.56")]
    (lane,) = plan_charges(sessions_of(*rows)).connectors
    return list(lane)


def order_of(charge: Charge) -> Order:
    return Order(
        start_charge_seq=charge.session.seq,
        connector_id=charge.place.connector_id,
        equipment_id=charge.place.equipment_id,
        station_id=charge.place.station_id,
        charge_model=charge.model,
        started_at=charge.session.started_at,
        ended_at=charge.session.ended_at,
        energy_kwh=charge.session.energy_kwh,
        elec_money=ZERO,
        service_money=ZERO,
        total_money=ZERO,
        stop_reason=0,
        periods=(),
        user_name=charge.session.user,
        connector_power_kw=Decimal("7.0"),
        meter_start_kwh=ZERO,
        meter_end_kwh=ZERO,
        billed=False,
        flags=(),
    )


def test_one_equal_order_a_session_agrees() -> None:
    a, b = charges()
    result = compare_orders([a, b], [order_of(b), order_of(a)])
    assert result.agrees
    assert (result.sessions, result.orders) == (2, 2)


def test_a_missing_order_is_named() -> None:
    a, b = charges()
    result = compare_orders([a, b], [order_of(b)])
    assert not result.agrees
    assert result.missing == ["a"]


def test_energy_is_compared_to_the_cent() -> None:
    a, b = charges()
    wrong = replace(order_of(a), energy_kwh=Decimal("1.22"))
    result = compare_orders([a, b], [wrong, order_of(b)])
    assert not result.agrees
    assert result.energy_mismatch == [{"session": "a", "file": "1.23", "order": "1.22"}]


def test_times_are_compared_to_the_millisecond() -> None:
    a, b = charges()
    wrong = replace(order_of(b), ended_at=b.session.ended_at + 1)
    result = compare_orders([a, b], [order_of(a), wrong])
    assert not result.agrees
    assert result.time_mismatch == [
        {
            "session": "b",
            "file": "2018-10-08T12:00:00.000+00:00/2018-10-08T13:00:00.000+00:00",
            "order": "2018-10-08T12:00:00.000+00:00/2018-10-08T13:00:00.001+00:00",
        }
    ]


def test_a_second_order_and_a_strange_one_are_named() -> None:
    a, b = charges()
    strange = replace(order_of(a), start_charge_seq="z" * 27, flags=("abandoned",))
    result = compare_orders([a, b], [order_of(a), order_of(b), order_of(a), strange])
    assert not result.agrees
    assert (result.duplicates, result.unexpected, result.missing) == (["a"], ["z" * 27], [])
    assert (result.orders, result.flags) == (4, {"abandoned": 1})
