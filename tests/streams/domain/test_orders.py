"""Finalized orders: amounts, tariff periods, bills, flags (Beijing V1.1 §1.1.13, §1.1.14)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.charge_events import BillPeriod
from schemas.records.derived import Order, OrderPeriod
from schemas.records.faults import Anomaly
from schemas.records.station import TariffPeriod
from schemas.values import ChargeModel, StopReason
from streams.domain.events import take_event
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    DAY_AND_NIGHT,
    EQUIPMENT,
    FLAT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    STATION,
    FakeRecord,
    Partition,
    beijing,
    bill,
    charging,
    plugged,
    sample,
    started,
    station,
    stopped,
)

CENT = Decimal("0.01")
DAY = 24 * HOUR


def order_of(run: Partition) -> Order:
    (order,) = run.of(Order)
    return order


def charge(
    start: int, end: int, meters: tuple[int, int], step: int = 10 * SECOND, tariff: tuple[TariffPeriod, ...] = FLAT
) -> Partition:
    """A charge with a constant current, up to its passed stop; no bill."""
    first, last = meters
    run = Partition(station(tariff)).event(started(start, first))
    for at in range(start, end, step):
        run.sample(charging(at, first + (last - first) * (at - start) // (end - start)))
    return run.event(stopped(end, last)).sample(plugged(end + SECOND, last))


def test_every_field_of_a_computed_order() -> None:
    run = charge(NOON, NOON + HOUR, (1_000_004, 1_030_010), tariff=FLAT).tick(NOON + HOUR + 30 * SECOND)
    assert order_of(run) == Order(
        start_charge_seq=SEQ,
        connector_id=CONNECTOR,
        equipment_id=EQUIPMENT,
        station_id=STATION,
        charge_model=ChargeModel.CITY_PLATFORM,
        started_at=NOON,
        ended_at=NOON + HOUR,
        energy_kwh=Decimal("30.01"),
        elec_money=Decimal("30.01"),
        service_money=Decimal("15.01"),
        total_money=Decimal("45.02"),
        stop_reason=StopReason.BMS,
        periods=(
            OrderPeriod(
                NOON,
                NOON + HOUR,
                Decimal("1.0000"),
                Decimal("0.5000"),
                Decimal("30.01"),
                Decimal("30.01"),
                Decimal("15.01"),
            ),
        ),
        user_name="Li",
        connector_power_kw=Decimal("60.0"),
        meter_start_kwh=Decimal("1000.00"),
        meter_end_kwh=Decimal("1030.01"),
        billed=False,
        flags=(),
    )


@pytest.mark.parametrize("model", list(ChargeModel))
def test_1_1_14_every_start_mode_has_its_order(model: ChargeModel) -> None:
    run = Partition().event(started(NOON, charge_model=model)).sample(charging(NOON, charge_model=model))
    run.event(stopped(NOON + MINUTE, 1_001_000)).event(bill(NOON + MINUTE)).sample(plugged(NOON + 65 * SECOND))
    assert order_of(run).charge_model == model


def test_the_order_waits_half_a_minute_for_the_bill() -> None:
    run = charge(NOON, NOON + MINUTE, (1_000_000, 1_001_000)).tick(NOON + 90 * SECOND - 1)
    assert not run.of(Order)
    assert order_of(run.tick(NOON + 90 * SECOND)).billed is False


def test_with_everything_known_the_order_comes_at_once() -> None:
    run = charge(NOON, NOON + MINUTE, (1_000_000, 1_010_000)).event(bill(NOON + 63 * SECOND))
    order = order_of(run)
    assert (order.billed, order.total_money, order.flags) == (True, Decimal("12.00"), ())
    assert [o.timestamp for o in run.outputs if o.topic == "charge-orders"] == [NOON + 63 * SECOND]


def test_the_sample_that_passes_the_stop_brings_the_order_although_it_still_shows_the_charge() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 55 * SECOND, 1_009_000))
    run.event(stopped(NOON + MINUTE, 1_010_000)).event(bill(NOON + 61 * SECOND))
    assert not run.of(Order)
    assert order_of(run.sample(charging(NOON + 65 * SECOND, 1_010_000))).flags == ()


def test_a_bill_that_agrees_is_taken_with_its_periods() -> None:
    period = BillPeriod(NOON, NOON + MINUTE, *map(Decimal, ("0.8000", "0.4000", "10.00", "8.00", "4.00")))
    run = charge(NOON, NOON + MINUTE, (1_000_000, 1_010_000)).event(bill(NOON + MINUTE, periods=(period,)))
    assert [(p.elec_price, p.energy_kwh, p.elec_money, p.service_money) for p in order_of(run).periods] == [
        (Decimal("0.8000"), Decimal("10.00"), Decimal("8.00"), Decimal("4.00"))
    ]
    assert not run.of(Anomaly)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"total_money": Decimal("12.01")}, "total_money"),
        ({"energy_kwh": Decimal("10.02")}, "energy_kwh and the registers"),
        ({"energy_kwh": Decimal("9.99")}, "energy_kwh and the periods"),
        ({"elec_money": Decimal("8.01"), "total_money": Decimal("12.01")}, "elec_money"),
        ({"service_money": Decimal("3.99"), "total_money": Decimal("11.99")}, "service_money"),
    ],
)
def test_a_bill_that_disagrees_goes_out_as_billed_and_is_flagged(wrong: dict[str, Decimal], word: str) -> None:
    period = BillPeriod(NOON, NOON + MINUTE, *map(Decimal, ("0.8000", "0.4000", "10.00", "8.00", "4.00")))
    issued = replace(bill(NOON + MINUTE, periods=(period,)), **wrong)  # type: ignore[arg-type]
    run = charge(NOON, NOON + MINUTE, (1_000_000, 1_010_000)).event(issued)
    order = order_of(run)
    assert (order.energy_kwh, order.elec_money, order.service_money, order.total_money) == (
        issued.energy_kwh,
        issued.elec_money,
        issued.service_money,
        issued.total_money,
    )
    anomalies = run.of(Anomaly)
    assert {a.reason for a in anomalies} == {"order_sums_disagree"}
    assert {a.start_charge_seq for a in anomalies} == {SEQ}
    assert any(word in a.detail for a in anomalies)


def test_energy_is_split_where_the_tariff_changes() -> None:
    eight = beijing(8)
    run = charge(eight - HOUR, eight + HOUR, (1_000_000, 1_020_000), tariff=DAY_AND_NIGHT).tick(eight + 2 * HOUR)
    order = order_of(run)
    assert [(p.started_at, p.ended_at, p.energy_kwh, p.elec_money, p.service_money) for p in order.periods] == [
        (eight - HOUR, eight, Decimal("10.00"), Decimal("3.00"), Decimal("4.00")),
        (eight, eight + HOUR, Decimal("10.00"), Decimal("12.00"), Decimal("8.00")),
    ]
    assert order.total_money == Decimal("27.00")


def test_a_boundary_between_two_samples_is_interpolated() -> None:
    eight = beijing(8)
    run = Partition(station(DAY_AND_NIGHT)).event(started(eight - 3 * MINUTE, 1_000_000))
    run.sample(charging(eight - 30 * SECOND, 1_003_000), charging(eight + 60 * SECOND, 1_003_900))
    run.event(stopped(eight + 2 * MINUTE, 1_010_000)).sample(plugged(eight + 3 * MINUTE, 1_010_000))
    order = order_of(run.tick(eight + 5 * MINUTE))
    assert [p.energy_kwh for p in order.periods] == [Decimal("3.30"), Decimal("6.70")]


def test_a_charge_over_midnight_has_a_period_a_day() -> None:
    run = charge(beijing(23, 50), beijing(0, 10, day=4), (1_000_000, 1_002_000), tariff=DAY_AND_NIGHT)
    order = order_of(run.tick(beijing(1, day=4)))
    assert [(p.started_at, p.ended_at) for p in order.periods] == [
        (beijing(23, 50), beijing(0, day=4)),
        (beijing(0, day=4), beijing(0, 10, day=4)),
    ]
    assert [p.energy_kwh for p in order.periods] == [Decimal("1.00"), Decimal("1.00")]


def test_before_the_first_period_of_the_day_the_last_one_still_holds() -> None:
    late = tuple(replace(p, starts_at_s=p.starts_at_s + 3600) for p in DAY_AND_NIGHT)
    run = charge(beijing(0, 10, day=4), beijing(0, 20, day=4), (1_000_000, 1_010_000), tariff=late)
    (period,) = order_of(run.tick(beijing(2, day=4))).periods
    assert period.elec_price == Decimal("0.3000")


def test_a_charge_of_days_passes_every_boundary() -> None:
    start = beijing(7, 59)
    run = charge(start, start + 2 * DAY, (1_000_000, 1_100_000), step=20 * MINUTE, tariff=DAY_AND_NIGHT)
    order = order_of(run.tick(start + 2 * DAY + HOUR))
    assert len(order.periods) == 7
    assert sum(p.energy_kwh for p in order.periods) == order.energy_kwh == Decimal("100.00")


def test_a_station_without_a_tariff_charges_nothing() -> None:
    order = order_of(charge(NOON, NOON + HOUR, (0, 5_000), tariff=()).tick(NOON + 2 * HOUR))
    assert (order.energy_kwh, order.total_money) == (Decimal("5.00"), Decimal("0.00"))
    assert len(order.periods) == 1


@pytest.mark.parametrize(
    ("leave_out", "flags"),
    [
        ("start", ("start_event_missing",)),
        ("stop", ("stop_event_missing",)),
        ("samples", ("no_telemetry",)),
        ("nothing", ()),
    ],
)
def test_what_is_missing_is_flagged(leave_out: str, flags: tuple[str, ...]) -> None:
    run = Partition()
    if leave_out != "start":
        run.event(started(NOON))
    if leave_out != "samples":
        run.sample(charging(NOON), charging(NOON + 50 * SECOND, 1_000_900))
    if leave_out != "stop":
        run.event(stopped(NOON + MINUTE, 1_001_000))
    if leave_out != "samples":
        run.sample(plugged(NOON + MINUTE, 1_001_000))
    order = order_of(run.run_clock(NOON + MINUTE, NOON + 5 * MINUTE))
    assert order.flags == flags
    assert (order.started_at, order.ended_at, order.energy_kwh) == (NOON, NOON + MINUTE, Decimal("1.00"))


def test_a_charge_of_an_unknown_connector_is_flagged_and_free() -> None:
    run = Partition(station(connectors=(), station_id="ST2")).event(started(NOON)).sample(charging(NOON))
    run.event(stopped(NOON + MINUTE, 1_001_000)).sample(plugged(NOON + MINUTE)).tick(NOON + 2 * MINUTE)
    order = order_of(run)
    assert order.flags == ("unknown_connector",)
    assert (order.connector_power_kw, order.total_money, order.station_id) == (Decimal("0.0"), Decimal("0.00"), STATION)


def test_an_end_before_its_start_is_flagged() -> None:
    run = Partition().event(started(NOON)).event(stopped(NOON - MINUTE, 1_001_000)).tick(NOON + 5 * MINUTE)
    order = order_of(run)
    assert (order.started_at, order.ended_at) == (NOON, NOON)
    assert "end_before_start" in order.flags
    assert [a.reason for a in run.of(Anomaly)] == ["end_before_start"]


def test_an_end_register_below_the_start_is_flagged() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 50 * SECOND, 1_000_500))
    run.event(stopped(NOON + MINUTE, 5)).sample(plugged(NOON + MINUTE, 1_000_600)).tick(NOON + 5 * MINUTE)
    order = order_of(run)
    assert "meter_backwards" in order.flags
    assert order.energy_kwh == Decimal("0.50")


def test_a_charge_of_which_nothing_more_is_heard_is_closed_after_a_day() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 50 * SECOND, 1_000_500))
    run.run_clock(NOON, NOON + DAY, MINUTE)
    assert not run.of(Order)
    order = order_of(run.run_clock(NOON + DAY, NOON + DAY + 2 * MINUTE))
    assert order.flags == ("abandoned", "stop_event_missing")
    assert (order.ended_at, order.energy_kwh) == (NOON + 50 * SECOND, Decimal("0.50"))


def test_a_start_alone_is_closed_although_its_connector_goes_on() -> None:
    run = Partition().event(started(NOON)).sample(sample(NOON))
    for n in range(1, 25 * 60):
        run.sample(sample(NOON + n * MINUTE)).tick(NOON + n * MINUTE)
    assert order_of(run).flags == ("abandoned", "no_telemetry", "stop_event_missing")


@st.composite
def tariffs(draw: st.DrawFn) -> tuple[TariffPeriod, ...]:
    starts = draw(st.lists(st.integers(0, 24 * 60 - 1), unique=True, max_size=12))
    price = st.decimals("0.0000", "9.9999", places=4)
    return tuple(TariffPeriod(minute * 60, draw(price), draw(price)) for minute in sorted(starts))


@st.composite
def readings(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Start, samples, end: (UTC ms, Wh), at random distances up to hours."""
    at, meter_wh = NOON + draw(st.integers(0, DAY)), draw(st.integers(0, 10**9))
    found = [(at, meter_wh)]
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.one_of(st.integers(1, 20 * SECOND), st.integers(1, 5 * HOUR)))
        meter_wh += draw(st.one_of(st.integers(0, 30), st.integers(0, 300_000)))
        found.append((at, meter_wh))
    return found


@settings(deadline=None, max_examples=120)
@given(tariff=tariffs(), points=readings())
def test_the_sums_of_a_computed_order_agree(tariff: tuple[TariffPeriod, ...], points: list[tuple[int, int]]) -> None:
    (start, first_wh), *between, (end, last_wh) = points
    run = Partition(station(tariff)).event(started(start, first_wh))
    run.sample(*(charging(at, wh) for at, wh in between))
    order = order_of(run.event(stopped(end, last_wh)).sample(plugged(end + 1, last_wh)).tick(end + HOUR))
    assert sum((p.energy_kwh for p in order.periods), Decimal(0)) == order.energy_kwh
    assert sum((p.elec_money for p in order.periods), Decimal(0)) == order.elec_money
    assert sum((p.service_money for p in order.periods), Decimal(0)) == order.service_money
    assert order.elec_money + order.service_money == order.total_money
    assert abs(order.energy_kwh - Decimal(last_wh - first_wh) / 1000) <= CENT / 2
    assert abs(order.meter_end_kwh - order.meter_start_kwh - order.energy_kwh) <= CENT
    for period in order.periods:
        assert period.energy_kwh >= 0
        assert abs(period.elec_price * period.energy_kwh - period.elec_money) <= CENT
        assert abs(period.service_price * period.energy_kwh - period.service_money) <= CENT
    assert not run.of(Anomaly)
    _covers(order, tariff)


def _covers(order: Order, tariff: tuple[TariffPeriod, ...]) -> None:
    """The periods follow each other without a gap, and each has the price of its whole time."""
    edges = [p.started_at for p in order.periods] + [order.ended_at]
    assert edges[0] == order.started_at
    assert edges[1:] == [p.ended_at for p in order.periods]
    for period in order.periods:
        for at in (period.started_at, max(period.started_at, period.ended_at - 1)):
            of_day = (at // 1000 + 8 * 3600) % 86_400
            holding = [t for t in tariff if t.starts_at_s <= of_day] or list(tariff)
            price = (holding[-1].elec_price, holding[-1].service_price) if holding else (Decimal(0), Decimal(0))
            assert (period.elec_price, period.service_price) == price


@settings(deadline=None, max_examples=50)
@given(points=readings(), offset=st.integers(-2 * MINUTE, 2 * MINUTE), wh=st.integers(-500, 500))
def test_a_start_learned_late_gives_the_same_order(points: list[tuple[int, int]], offset: int, wh: int) -> None:
    """ChargeStarted before or behind the first samples, and not quite of their time and register."""
    (start, first_wh), *between, (end, last_wh) = points
    begun = started(start + offset, max(0, first_wh + wh))
    samples = [charging(at, meter) for at, meter in [(start, first_wh), *between]]
    orders = []
    for early in (True, False):
        run = Partition(station(DAY_AND_NIGHT))
        if early:
            run.event(begun)
        run.sample(*samples)
        if not early:
            run.event(begun, end)
        run.event(stopped(end, last_wh)).sample(plugged(end + 1, last_wh)).tick(end + HOUR)
        orders.append(order_of(run))
    assert orders[0] == orders[1]


@pytest.mark.parametrize("late", [0, 90 * SECOND, HOUR, 30 * HOUR])
def test_a_charge_whose_samples_come_late_waits_for_its_events_all_the_same(late: int) -> None:
    begun, ended, now = NOON - late - 10 * MINUTE, NOON - late, NOON
    run = Partition().sample(sample(begun - SECOND), clock=now)
    for n in range(60):
        run.sample(charging(begun + n * 10 * SECOND, 1_000_000 + 100 * n), clock=now)
    run.sample(plugged(ended, 1_006_000), clock=now).run_clock(now, now + 2 * SECOND)
    assert not run.of(Order)
    run.event(started(begun), now + 2 * SECOND).event(stopped(ended, 1_006_000), now + 2 * SECOND)
    run.run_clock(now + 2 * SECOND, now + 4 * SECOND)
    assert not run.of(Order)
    run.event(bill(ended, energy="6.00"), now + 4 * SECOND).run_clock(now + 4 * SECOND, now + 5 * MINUTE)
    [order] = run.of(Order)
    assert (order.started_at, order.ended_at, order.billed, order.user_name) == (begun, ended, True, "Li")
    assert order.flags == () and run.reasons() == []


def test_events_that_are_stamped_with_their_own_old_times_are_waited_for_from_when_they_come() -> None:
    begun, ended = NOON - HOUR, NOON - HOUR + MINUTE
    run = Partition()
    for n, event in enumerate((started(begun), stopped(ended, 1_001_000))):
        take_event(run.tracker, FakeRecord(CONNECTOR.encode(), CODEC.encode(event), n, ended), ended, NOON)
    run.run_clock(NOON, NOON + 29 * SECOND)
    assert not run.of(Order)
    issued = FakeRecord(CONNECTOR.encode(), CODEC.encode(bill(ended)), 2, ended)
    take_event(run.tracker, issued, ended, NOON + 29 * SECOND)
    run.run_clock(NOON + 29 * SECOND, NOON + 2 * MINUTE)
    assert [order.billed for order in run.of(Order)] == [True]


@pytest.mark.parametrize("reason", [-1, 100, 99_999])
def test_a_stop_reason_that_no_order_can_have_is_flagged_and_left_out(reason: int) -> None:
    run = Partition().event(started(NOON)).event(stopped(NOON + MINUTE, 1_001_000, stop_reason=reason))
    run.event(bill(NOON + 62 * SECOND)).run_clock(NOON + 62 * SECOND, NOON + 5 * MINUTE)
    assert [order.stop_reason for order in run.of(Order)] == [99]
    [flagged] = [a for a in run.of(Anomaly) if a.reason != "order_sums_disagree"]
    assert flagged.reason == "stop_reason_not_in_enum" and f"StopReason {reason} is" in flagged.detail
