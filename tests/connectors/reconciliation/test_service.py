"""The service: it keeps its own time, waits for what is not there yet, and makes up for what it missed."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from connectors.policies import Reconciliation, Retry
from connectors.reconciliation import service
from connectors.reconciliation.days import DAY_MS
from connectors.reconciliation.service import Nightly
from connectors.reconciliation.settings import NightlySettings
from connectors.warehouse.client import WarehouseClient
from infra.simulator.platform import dialect as names
from tests.at_work import at_work
from tests.connectors.reconciliation.at_night import DAY, NIGHT, Clock, Stand, day_of_orders, know, order, put_into
from tests.connectors.warehouse.sink.on_engine import until

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

MIDNIGHT = NIGHT - 1_800_000
CLOSES = MIDNIGHT + 10_800_000


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_TICK_S", 0.05)


@contextmanager
def checking(stand: Stand, clock: Clock, settings: NightlySettings | None = None) -> Iterator[Nightly]:
    """The service, stopped at the end."""
    with (
        closing(WarehouseClient(stand.warehouse)) as client,
        at_work(Nightly(settings or stand.settings(), client, clock)) as working,
    ):
        yield working.service


def metric(nightly: Nightly, name: str, **labels: str) -> float | None:
    return nightly.metrics.registry.get_sample_value(f"evcs_nightly_{name}", {"platform": "beijing", **labels})


def asked(stand: Stand) -> int:
    return stand.city.ledger.count(names.CHECK_ORDERS)


def days_asked(stand: Stand) -> list[str]:
    return [payload["StartTime"][:10] for payload in stand.asked()]


def filled(stand: Stand, *days: int) -> list[Any]:
    orders = [one for back in days for one in day_of_orders(5, DAY - timedelta(days=back), first=1 + 100 * back)]
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    return orders


def test_a_night(stand: Stand) -> None:
    """Nothing before orders of the day are made, all of it then, late ones before the night closes, nothing more."""
    orders = filled(stand, 0)
    clock = Clock(MIDNIGHT + 599_000)
    with checking(stand, clock) as nightly:
        threading.Event().wait(1)
        assert asked(stand) == 0
        assert metric(nightly, "checked_day_seconds") is None
        clock.at = MIDNIGHT + 600_000
        until(lambda: metric(nightly, "checked_day_seconds") == (MIDNIGHT - DAY_MS) / 1000)
        assert asked(stand) == 1
        late = order(77, orders[0].ended_at)
        put_into(stand.warehouse, [late])
        know(stand.city, [late])
        clock.at = CLOSES - 1_801_000
        threading.Event().wait(1)
        assert asked(stand) == 1
        clock.at = CLOSES - 1_800_000
        until(lambda: asked(stand) == 2)
        until(lambda: metric(nightly, "open_requests") == 0)
        assert metric(nightly, "late_orders_total") == 1
        assert metric(nightly, "missed_windows_total") is None
        assert metric(nightly, "orders_total") == 6
        assert nightly.ready
    stand.sound()


def test_it_waits_for_the_sink(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """An order of before midnight lies on the topic and is not in the table: its record's time says nothing."""
    orders = filled(stand, 0)
    missing = order(99, MIDNIGHT - 1)
    stand.produce(missing)
    clock = Clock()
    with checking(stand, clock) as nightly:
        until(lambda: metric(nightly, "waiting", on="sink") == 1)
        assert not nightly.ready
        assert asked(stand) == 0
        put_into(stand.warehouse, [missing])
        know(stand.city, [missing])
        stand.commit_as_the_sink()
        until(lambda: asked(stand) == 1)
        until(lambda: nightly.ready)
    assert len(stand.asked()[0]["ChargeOrders"]) == len(orders) + 1
    assert caplog.text.count("the sink has not put all orders into the warehouse yet") == 1
    stand.sound()


def test_nights_that_were_missed_are_made_up_for_at_once(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """The service was down for two nights, and is started at noon."""
    filled(stand, 3, 2, 1, 0)
    clock = Clock(NIGHT - 3 * DAY_MS)
    with checking(stand, clock) as nightly:
        until(lambda: metric(nightly, "checked_day_seconds") is not None)
    assert days_asked(stand) == [f"{DAY - timedelta(days=3)}"]
    clock.at = MIDNIGHT + 12 * 3_600_000
    with checking(stand, clock) as nightly:
        until(lambda: metric(nightly, "checked_day_seconds") is not None)
        assert metric(nightly, "missed_windows_total") == 3
    assert days_asked(stand) == [f"{DAY - timedelta(days=back)}" for back in (3, 2, 1, 0)]
    assert f"the night for the check of {DAY} has closed" in caplog.text
    late = [line.started_at - line.due_at > 10_800_000 for line in stand.attempts(4)]
    assert late == [False, True, True, True]
    stand.sound()


def test_a_platform_that_is_away_until_the_night_has_closed(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    filled(stand, 0)
    stand.city.go_down()
    clock = Clock()
    with checking(stand, clock) as nightly:
        until(lambda: metric(nightly, "waiting", on="platform") == 1)
        assert metric(nightly, "open_requests") == 1
        assert metric(nightly, "missed_windows_total") is None
        assert nightly.ready
        clock.at = CLOSES + 1
        until(lambda: metric(nightly, "missed_windows_total") == 1)
        stand.city.come_up()
        until(lambda: asked(stand) == 1)
        until(lambda: metric(nightly, "open_requests") == 0)
        assert metric(nightly, "missed_windows_total") == 1
    assert caplog.text.count("has closed") == 1
    stand.sound()


def test_an_answer_that_is_wrong_again_and_again(stand: Stand) -> None:
    """It is asked again for as long as the night is open, and then given up with its reason; the others are through."""
    filled(stand, 0)
    know(stand.city, [])
    settings = stand.settings(Reconciliation(orders_per_request=2), Retry(in_place_s=(0.01,), results_attempts=3))
    stand.city.faults.inject("garbage", names.CHECK_ORDERS, count=1_000)
    clock = Clock()
    with checking(stand, clock, settings) as nightly:
        until(lambda: asked(stand) > 12)
        assert metric(nightly, "open_requests") == 3
        clock.at = CLOSES + 1
        until(lambda: metric(nightly, "requests_total", outcome="DEAD_LETTER") == 3)
    assert len(stand.values("order-checks-dlq", 3)) == 3


def test_two_services(stand: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Who comes later takes over; the other looks after it again, and finds all done."""
    monkeypatch.setattr(service, "_LEFT_ALONE_S", 1.0)
    orders = day_of_orders(60)
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    stand.city.faults.inject("slow", names.CHECK_ORDERS, delay_s=0.2)
    clock = Clock()
    with checking(stand, clock) as first:
        until(lambda: asked(stand) >= 1)
        with checking(stand, clock) as second:
            until(lambda: metric(second, "checked_day_seconds") is not None)
            until(lambda: metric(first, "checked_day_seconds") is not None)
    assert "another process checks the orders of beijing" in caplog.text
    assert sum(len(payload["ChargeOrders"]) for payload in stand.asked()) == 60
    stand.sound()
