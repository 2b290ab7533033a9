"""What the ledger tells: repeats, delays, listeners, waiting, and the bounded mode."""

from __future__ import annotations

import threading

import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.ledger import MAX_KEPT_BARE, Ledger, Receipt, Refusal
from infra.simulator.platform.settings import PlatformSettings
from infra.simulator.platform.sightings import Sightings
from infra.simulator.platform.threaded import PlatformThread
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.manual_clock import ManualClock
from tests.infra.simulator.platform.operator_side import OperatorSide


def test_statuses_hold_the_latest(city: PlatformThread, side: OperatorSide) -> None:
    for status in (1, 3, 1):
        side.push(names.STATION_STATUS, payloads.station_status(status=status))
    assert city.ledger.statuses[payloads.CONNECTOR]["Status"] == 1
    assert city.ledger.count(names.STATION_STATUS) == 3
    assert city.ledger.duplicates(names.STATION_STATUS) == 0


def test_a_status_again_is_a_repeat_but_a_reminder_is_not(
    city: PlatformThread, side: OperatorSide, clock: ManualClock
) -> None:
    side.push(names.STATION_STATUS, payloads.station_status())
    clock.pass_s(60)
    side.push(names.STATION_STATUS, payloads.station_status())
    assert city.ledger.duplicates(names.STATION_STATUS) == 1
    clock.pass_s(5400)
    side.push(names.STATION_STATUS, payloads.station_status())
    assert city.ledger.duplicates(names.STATION_STATUS) == 1


def test_repeats_break_no_rule(city: PlatformThread, side: OperatorSide) -> None:
    story = [
        (names.START_RESULT, payloads.start_result()),
        (names.CHARGE_STATUS, payloads.charge_status()),
        (names.CHARGE_STATUS, payloads.charge_status(sampled_at="2026-03-04 09:50:50", power="5.00")),
        (names.STOP_RESULT, payloads.stop_result()),
        (names.BONUS_ORDER, payloads.bonus_order()),
    ]
    for _ in range(2):
        for interface, payload in story:
            assert side.push(interface, payload).ret == 0
    assert city.ledger.violations == []
    assert [city.ledger.duplicates(interface) for interface in (*names.ORDERS, names.CHARGE_STATUS)].count(2) == 1
    assert city.ledger.unique(names.CHARGE_STATUS) == 2


def test_what_lies_between_payloads_is_recorded_and_accepted(
    city: PlatformThread, side: OperatorSide, clock: ManualClock
) -> None:
    side.push(names.CHARGE_STATUS, payloads.charge_status())
    clock.pass_s(60)
    late = payloads.charge_status(sampled_at="2026-03-04 09:51:00")
    assert side.push(names.CHARGE_STATUS, late).data["SuccStat"] == 0
    assert [(found.kind, found.key) for found in city.ledger.violations] == [(Kind.CADENCE, payloads.SEQ)]


def test_delays_run_from_the_payloads_own_time(city: PlatformThread, side: OperatorSide, clock: ManualClock) -> None:
    clock.pass_s(1830)
    for _ in range(2):
        side.push(names.BONUS_ORDER, payloads.bonus_order())
    assert city.ledger.delays(names.BONUS_ORDER) == [30.0]


def test_a_listener_hears_every_accepted_push(city: PlatformThread, side: OperatorSide) -> None:
    heard: list[Receipt] = []
    city.ledger.subscribe(heard.append)
    side.push(names.STATION_STATUS, payloads.station_status())
    side.push(names.STATION_STATUS, "{}")
    assert [(receipt.interface, receipt.key, receipt.duplicate) for receipt in heard] == [
        (names.QUERY_TOKEN, "123456789", False),
        (names.STATION_STATUS, payloads.CONNECTOR, False),
    ]


class TestWaiting:
    def test_for_what_comes(self, city: PlatformThread, side: OperatorSide) -> None:
        sender = threading.Thread(target=side.push, args=(names.STATION_STATUS, payloads.station_status()))
        sender.start()
        assert city.ledger.wait_for(lambda ledger: ledger.count(names.STATION_STATUS) == 1, timeout_s=120)
        sender.join()

    def test_in_vain(self) -> None:
        assert not Ledger().wait_for(lambda ledger: bool(ledger.orders), timeout_s=0.01)


def test_no_secret_and_no_token_is_kept(city: PlatformThread, side: OperatorSide) -> None:
    side.token()
    assert "1234567890abcdef" not in repr(city.ledger.receipts)
    assert "1234567890abcdef" not in repr(PlatformSettings())


class TestCountsOnly:
    def test_counts_and_repeats_stay_exact(self, clock: ManualClock) -> None:
        with PlatformThread(ledger=Ledger(counts_only=True), clock=clock) as city:
            side = OperatorSide(city.base_url, city.platform.settings, clock)
            for _ in range(2):
                side.push(names.BONUS_ORDER, payloads.bonus_order())
            side.push(names.BONUS_ORDER, {**payloads.bonus_order(), "StopReason": 3})
            side.close()
        assert (city.ledger.count(names.BONUS_ORDER), city.ledger.duplicates(names.BONUS_ORDER)) == (2, 1)
        assert city.ledger.violation_counts == {Kind.ORDER: 1, Kind.ORDER_CHANGED: 1}
        assert city.ledger.receipts == []
        assert city.ledger.orders == {}

    def test_what_is_spelt_out_is_bounded(self) -> None:
        ledger = Ledger(counts_only=True)
        for _ in range(MAX_KEPT_BARE + 1):
            ledger.violate("i", "k", [Flaw(Kind.TYPE, "f", "m")], 0.0)
            ledger.refuse(Refusal("i", 4004, "m", 0.0))
        assert len(ledger.violations) == len(ledger.refused) == MAX_KEPT_BARE
        assert ledger.violation_counts[Kind.TYPE] == ledger.refused_counts["4004"] == MAX_KEPT_BARE + 1


@pytest.mark.parametrize(("every_content", "times"), [(True, 2), (False, 1)])
def test_an_older_content_again(every_content: bool, times: int) -> None:
    sightings = Sightings(10, every_content=every_content)
    for content in (1, 2):
        sightings.see(names.CHARGE_STATUS, "k", content, 0.0)
    assert sightings.see(names.CHARGE_STATUS, "k", 1, 0.0) == times


def test_the_oldest_key_is_forgotten() -> None:
    sightings = Sightings(1, every_content=True)
    for key in ("a", "b"):
        sightings.see(names.ORDER, key, 1, 0.0)
    assert (sightings.times(names.ORDER, "a"), sightings.times(names.ORDER, "b")) == (0, 1)
