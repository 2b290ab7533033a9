"""Input that is not right: each kind has its outcome, and the stream goes on behind it."""

import struct
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from schemas.records.charge_events import BillIssued, ChargeEvent, ChargeStopped
from schemas.records.derived import ChargeProgress, Order, StartResult, StatusChange
from schemas.records.faults import Anomaly, DeadLetter
from schemas.records.telemetry import Telemetry
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    DAY_AND_NIGHT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    Partition,
    bill,
    charging,
    plugged,
    sample,
    started,
    station,
    stopped,
)

OTHER = "EQ000000000000000000000999"


def running() -> Partition:
    """A connector in the middle of a charge."""
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 10 * SECOND, 1_000_100))
    return run.forget_outputs()


def goes_on(run: Partition, at: int = NOON + 60 * SECOND, meter_wh: int = 1_000_600) -> None:
    """A good sample has its effect, and so has the charge's end."""
    pushed = len(run.of(ChargeProgress))
    run.sample(charging(at, meter_wh))
    assert len(run.of(ChargeProgress)) == pushed + 1
    run.event(stopped(at + 10 * SECOND, meter_wh + 100)).sample(plugged(at + 10 * SECOND, meter_wh + 100))
    run.tick(at + MINUTE)
    assert [order.start_charge_seq for order in run.of(Order)] == [SEQ]
    assert not any(value.value == b"" for value in run.outputs)


def good(at: int = NOON + 20 * SECOND, **fields: object) -> bytes:
    return CODEC.encode(replace(charging(at, 1_000_200), **fields))  # type: ignore[arg-type]


def with_unknown_id(payload: bytes) -> bytes:
    return payload[:1] + struct.pack(">I", 4242) + payload[5:]


BAD_SAMPLES: dict[str, tuple[bytes | None, str]] = {
    "no value": (None, "undecodable"),
    "empty": (b"", "undecodable"),
    "four bytes": (b"\x00\x00\x00\x00", "undecodable"),
    "other magic byte": (b"\x01" + good()[1:], "undecodable"),
    "text": (b"hello, world, this is text", "undecodable"),
    "unknown schema id": (with_unknown_id(good()), "unknown_schema_id"),
    "another record type": (CODEC.encode(started(NOON)), "unexpected_record_type"),
    "header alone": (good()[:5], "undecodable"),
    "cut in the routing prefix": (good()[:8], "undecodable"),
    "cut behind the routing prefix": (good()[:50], "undecodable"),
    "cut in the floats": (good()[:60], "undecodable"),
    "cut by one byte": (good()[:-1], "undecodable"),
    "a byte too many": (good() + b"\x00", "undecodable"),
    "another connector's": (good(connector_id=OTHER), "key_is_not_connector"),
    "status not in the enum": (good(status=7), "status_not_in_enum"),
    "negative status": (good(status=-1), "status_not_in_enum"),
    "negative register": (good(NOON + 50 * SECOND, meter_wh=-1), "meter_negative"),
    "impossible register": (good(NOON + 50 * SECOND, meter_wh=1 << 60), "meter_implausible"),
    "from the future": (good(sampled_at=NOON + HOUR), "timestamp_in_future"),
    "from the far future": (good(sampled_at=1 << 50), "timestamp_in_future"),
    "no clock set": (good(sampled_at=0), "timestamp_out_of_range"),
    "clock reset to 2000": (good(sampled_at=946_684_800_000), "timestamp_out_of_range"),
    "before 1970": (good(sampled_at=-5), "timestamp_out_of_range"),
    "out of order": (good(sampled_at=NOON + 5 * SECOND), "out_of_order"),
    "too long a StartChargeSeq": (good(start_charge_seq="9" * 28), "start_charge_seq_length"),
}


@pytest.mark.parametrize(
    ("kind", "first"),
    [(kind, first) for kind in BAD_SAMPLES for first in (True, False) if not (first and kind == "out of order")],
)
def test_a_bad_sample_is_dead_lettered_and_the_stream_goes_on(kind: str, first: bool) -> None:
    payload, reason = BAD_SAMPLES[kind]
    run = Partition() if first else running()
    at = NOON + 20 * SECOND
    run.raw_sample(payload, at)
    (letter,) = run.of(DeadLetter)
    assert letter == DeadLetter(
        reason=reason,
        detail=letter.detail,
        topic="charger-telemetry",
        partition=0,
        offset=run.telemetry_offset,
        recorded_at=at,
        failed_at=at,
        key=CONNECTOR.encode(),
        value=payload,
    )
    assert letter.detail
    assert [output.topic for output in run.outputs] == ["charger-telemetry-dlq"]
    assert run.tracker.counts[reason] == 1
    if first:
        run.forget_outputs().sample(sample(at + SECOND))
        assert len(run.of(StatusChange)) == 1
    else:
        goes_on(run)
        assert run.of(Order)[0].energy_kwh == Decimal("0.70")


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", OTHER.encode()])
def test_a_sample_under_another_key_is_dead_lettered(key: bytes | None) -> None:
    run = Partition().raw_sample(CODEC.encode(sample(NOON)), NOON, key)
    assert run.reasons() == ["key_is_not_connector"]
    assert run.of(DeadLetter)[0].key == key
    assert not run.tracker.connectors
    run.sample(sample(NOON + SECOND))
    assert len(run.of(StatusChange)) == 1


@pytest.mark.parametrize("at_key", [OTHER, b""])
def test_a_sample_of_a_connector_without_an_id_is_dead_lettered(at_key: str | bytes) -> None:
    run = Partition().raw_sample(CODEC.encode(sample(NOON, connector_id="")), NOON, at_key)
    assert run.reasons() == ["key_is_not_connector"]


def test_a_sample_of_another_connector_is_found_although_its_leading_fields_are_the_same() -> None:
    run = Partition(station(connectors=(CONNECTOR, OTHER))).sample(sample(NOON), sample(NOON, connector_id=OTHER))
    run.raw_sample(CODEC.encode(sample(NOON + SECOND, connector_id=OTHER)), NOON + SECOND, CONNECTOR)
    assert run.reasons() == ["key_is_not_connector"]


def test_a_sample_damaged_in_its_middle_is_found_when_it_is_needed() -> None:
    run = running()
    payload = good()
    damaged = payload[:55] + payload[56:]
    run.raw_sample(damaged, NOON + 20 * SECOND).tick(NOON + 52 * SECOND)
    (letter,) = run.of(DeadLetter)
    assert (letter.reason, letter.topic, letter.offset) == ("undecodable", "charger-telemetry", -1)
    assert letter.value == damaged
    goes_on(run)


@pytest.mark.parametrize("event", [started(NOON), stopped(NOON + 21 * SECOND, 1_000_210), bill(NOON + 21 * SECOND)])
def test_a_damaged_sample_does_not_get_into_what_an_event_puts_out(event: ChargeEvent) -> None:
    run = running()
    payload = good()
    run.raw_sample(payload[:55] + payload[56:], NOON + 20 * SECOND).event(event, NOON + 21 * SECOND)
    assert run.reasons() == ["undecodable"]
    assert run.state().sample is None
    later = run.restarted(NOON + 22 * SECOND).sample(charging(NOON + 60 * SECOND, 1_000_600))
    assert later.state().sample == charging(NOON + 60 * SECOND, 1_000_600)


@pytest.mark.parametrize("meter_wh", [-1, 1 << 60])
def test_an_impossible_register_between_two_pushes_is_found_when_it_is_needed(meter_wh: int) -> None:
    run = running()
    payload = good(meter_wh=meter_wh)
    run.raw_sample(payload, NOON + 20 * SECOND).tick(NOON + 52 * SECOND)
    (letter,) = run.of(DeadLetter)
    assert (letter.reason[:6], letter.offset, letter.value) == ("meter_", -1, payload)
    goes_on(run)
    overtaken = running().raw_sample(payload, NOON + 20 * SECOND).sample(charging(NOON + 30 * SECOND, 1_000_300))
    assert not overtaken.outputs
    goes_on(overtaken)
    assert overtaken.of(Order)[0].energy_kwh == Decimal("0.70")


def test_a_repeated_sample_has_no_effect() -> None:
    run = running()
    for _ in range(3):
        run.raw_sample(CODEC.encode(charging(NOON + 10 * SECOND, 1_000_100)), NOON + 11 * SECOND)
    assert not run.outputs
    assert run.tracker.counts["repeated_sample"] == 3
    goes_on(run)


def test_an_unknown_connector_is_flagged_once_and_used() -> None:
    run = Partition(station(connectors=()))
    run.sample(*(sample(NOON + n * SECOND) for n in range(5))).sample(plugged(NOON + 6 * SECOND))
    run.event(started(NOON + 7 * SECOND))
    assert [a.reason for a in run.of(Anomaly)] == ["unknown_connector"]
    assert len(run.of(StatusChange)) == 2
    again = run.restarted(NOON + 10 * SECOND).sample(charging(NOON + 11 * SECOND))
    assert not again.of(Anomaly)


def test_an_unknown_connector_that_an_event_shows_first_is_flagged_once() -> None:
    run = Partition(station(connectors=())).event(started(NOON)).sample(charging(NOON + SECOND))
    assert [a.reason for a in run.of(Anomaly)] == ["unknown_connector"]


def test_a_register_that_runs_backwards_is_flagged_and_the_energy_goes_on() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 50 * SECOND, 1_000_500))
    run.sample(charging(NOON + 100 * SECOND, 3), charging(NOON + 150 * SECOND, 503))
    energies = [p.energy_wh for p in run.of(ChargeProgress)]
    assert energies == [0, 500, 500, 1000]
    (anomaly,) = run.of(Anomaly)
    assert (anomaly.reason, anomaly.start_charge_seq, anomaly.connector_id) == ("meter_backwards", SEQ, CONNECTOR)
    assert "1000500 Wh, then 3 Wh" in anomaly.detail
    run.event(stopped(NOON + 160 * SECOND, 603)).sample(plugged(NOON + 160 * SECOND, 603)).tick(NOON + HOUR)
    (order,) = run.of(Order)
    assert (order.energy_kwh, order.flags) == (Decimal("1.10"), ("meter_backwards",))
    assert len(run.of(Anomaly)) == 1


def test_a_register_that_jumps_between_pushes_is_noticed_at_the_next_one() -> None:
    run = Partition().event(started(NOON))
    meters = [1_000_000, 1_000_100, 1_000_200, 5, 105, 205, 305]
    run.sample(*(charging(NOON + n * 10 * SECOND, wh) for n, wh in enumerate(meters)))
    assert [a.reason for a in run.of(Anomaly)] == ["meter_backwards"]
    assert all(0 <= p.energy_wh <= 600 for p in run.of(ChargeProgress))


def test_a_jump_survives_a_crash() -> None:
    run = Partition().event(started(NOON)).sample(charging(NOON), charging(NOON + 50 * SECOND, 1_000_500))
    run.sample(charging(NOON + 100 * SECOND, 3))
    later = run.restarted(NOON + 110 * SECOND).sample(charging(NOON + 150 * SECOND, 503))
    assert [p.energy_wh for p in later.of(ChargeProgress)] == [1000]
    assert not later.of(Anomaly)


def test_a_register_that_goes_back_and_forth_stays_encodable() -> None:
    run = Partition().event(started(NOON))
    for n in range(0, 2400, 2):
        run.sample(charging(NOON + n * 50 * SECOND, 10**12), charging(NOON + (n + 1) * 50 * SECOND, 0))
    end = NOON + 2401 * 50 * SECOND
    run.event(stopped(end, 10**12)).sample(plugged(end, 10**12)).tick(end + HOUR)
    assert len(run.of(Order)) == 1


def test_a_register_that_goes_backwards_while_idle_is_flagged_alone() -> None:
    run = Partition().sample(sample(NOON), plugged(NOON + SECOND, 5))
    assert [(a.reason, a.start_charge_seq) for a in run.of(Anomaly)] == [("meter_backwards", "")]


BAD_EVENTS: dict[str, tuple[bytes | None, str]] = {
    "no value": (None, "undecodable"),
    "empty": (b"", "undecodable"),
    "other magic byte": (b"\x01" + CODEC.encode(started(NOON))[1:], "undecodable"),
    "unknown schema id": (with_unknown_id(CODEC.encode(started(NOON))), "unknown_schema_id"),
    "another record type": (good(), "unexpected_record_type"),
    "cut by one byte": (CODEC.encode(stopped(NOON, 1))[:-1], "undecodable"),
    "a byte too many": (CODEC.encode(stopped(NOON, 1)) + b"\x00", "undecodable"),
    "another connector's": (CODEC.encode(started(NOON, connector_id=OTHER)), "key_is_not_connector"),
    "no StartChargeSeq": (CODEC.encode(started(NOON, start_charge_seq="")), "start_charge_seq_length"),
    "too long a StartChargeSeq": (CODEC.encode(started(NOON, start_charge_seq="9" * 28)), "start_charge_seq_length"),
    "start from the future": (CODEC.encode(started(NOON + HOUR)), "timestamp_in_future"),
    "stop from the far future": (CODEC.encode(stopped(1 << 62, 1_000_300)), "timestamp_in_future"),
    "start without a clock": (CODEC.encode(started(0)), "timestamp_out_of_range"),
    "stop before everything": (CODEC.encode(stopped(-(1 << 62), 1_000_300)), "timestamp_out_of_range"),
    "negative register": (CODEC.encode(stopped(NOON, -1)), "meter_negative"),
    "impossible register": (CODEC.encode(started(NOON, 1 << 60)), "meter_implausible"),
}


@pytest.mark.parametrize("kind", BAD_EVENTS)
@pytest.mark.parametrize("known", [True, False], ids=["in a charge", "of a new connector"])
def test_a_bad_event_is_dead_lettered_and_the_stream_goes_on(kind: str, known: bool) -> None:
    payload, reason = BAD_EVENTS[kind]
    run = running() if known else Partition()
    run.raw_event(payload, NOON + 20 * SECOND)
    (letter,) = run.of(DeadLetter)
    assert (letter.reason, letter.topic, letter.offset) == (reason, "charge-events", run.event_offset)
    assert (letter.key, letter.value) == (CONNECTOR.encode(), payload)
    assert [output.topic for output in run.outputs] == ["charge-events-dlq"]
    if known:
        goes_on(run)
    else:
        run.event(started(NOON + 21 * SECOND))
        assert len(run.of(StartResult)) == 1


def test_an_event_without_a_key_is_dead_lettered() -> None:
    for key in (None, b""):
        for connector_id in (CONNECTOR, ""):
            run = Partition().raw_event(CODEC.encode(started(NOON, connector_id=connector_id)), NOON, key)
            assert run.reasons() == ["key_is_not_connector"]


def test_a_bill_with_more_digits_than_an_order_holds_is_dead_lettered() -> None:
    payload = CODEC.encode(bill(NOON + 20 * SECOND, energy="10.00"))
    digits = b"\x04\x03\xe8"  # 10.00 as two bytes
    assert payload.count(digits) == 1
    huge = payload.replace(digits, b"\x28" + b"\x7f" * 20)
    run = running().raw_event(huge, NOON + 20 * SECOND)
    assert run.reasons() in (["amount_implausible"], ["undecodable"])
    goes_on(run)


@pytest.mark.parametrize(
    "events",
    [
        [stopped(NOON, 1_001_000)],
        [bill(NOON)],
        [stopped(NOON, 1_001_000), bill(NOON)],
        [bill(NOON, periods=()), stopped(NOON, 0)],
    ],
)
def test_events_of_a_charge_nobody_started_are_dead_lettered_after_the_wait(events: list[ChargeEvent]) -> None:
    run = Partition().sample(sample(NOON - SECOND))
    for event in events:
        run.event(event)
    first = run.event_offset + 1 - len(events)
    for n in range(6):
        run.sample(sample(NOON + n * MINUTE))
    run.event(started(NOON + MINUTE, start_charge_seq="another"))
    run.tick(NOON + 5 * MINUTE - 1)
    assert not run.of(DeadLetter)
    run.tick(NOON + 5 * MINUTE)
    letters = run.of(DeadLetter)
    assert {letter.reason for letter in letters} == {"charge_never_started"}
    by_offset = {letter.offset: letter.value for letter in letters}
    assert by_offset == {first + n: CODEC.encode(event) for n, event in enumerate(events)}
    assert {letter.key for letter in letters} == {CONNECTOR.encode()}
    run.run_clock(NOON + 5 * MINUTE, NOON + HOUR, MINUTE)
    assert len(run.of(DeadLetter)) == len(events)
    assert not run.of(Order)


def test_held_events_survive_a_restart() -> None:
    event = stopped(NOON, 1_001_000)
    later = Partition().event(event).restarted(NOON + MINUTE).tick(NOON + 5 * MINUTE)
    assert [(letter.offset, letter.value) for letter in later.of(DeadLetter)] == [(0, CODEC.encode(event))]


def events_of_a_closed_charge() -> list[ChargeEvent]:
    return [started(NOON), stopped(NOON + 70 * SECOND, 1_000_700), bill(NOON + 70 * SECOND)]


@pytest.mark.parametrize("event", events_of_a_closed_charge(), ids=lambda event: type(event).__name__)
def test_an_event_for_a_closed_charge_is_dead_lettered(event: ChargeEvent) -> None:
    run = running()
    goes_on(run)
    run.forget_outputs().event(event, NOON + HOUR)
    assert run.reasons() == ["charge_already_closed"]
    assert not run.of(Order)
    later = run.restarted(NOON + HOUR).event(event, NOON + HOUR)
    assert later.reasons() == ["charge_already_closed"]


def test_samples_of_a_closed_charge_start_nothing() -> None:
    run = running()
    goes_on(run)
    run.forget_outputs().sample(charging(NOON + 80 * SECOND, 1_000_800)).run_clock(NOON + 80 * SECOND, NOON + HOUR)
    assert not run.of(Order)
    assert not run.of(StartResult)


def test_readings_years_apart_make_no_million_periods() -> None:
    early = 1_300_000_000_000
    run = Partition(station(DAY_AND_NIGHT)).event(started(early)).sample(charging(NOON))
    run.event(stopped(NOON + MINUTE, 1_001_000)).sample(plugged(NOON + MINUTE, 1_001_000)).tick(NOON + HOUR)
    (order,) = run.of(Order)
    assert len(order.periods) < 5
    assert "readings_far_apart" in order.flags


@pytest.mark.parametrize("make", [lambda at: stopped(at, 1_000_300), lambda at: bill(at)])
def test_events_are_taken_once(make: Callable[[int], ChargeStopped | BillIssued]) -> None:
    run = running()
    event = make(NOON + 20 * SECOND)
    run.event(event)
    outputs = len(run.outputs)
    run.event_offset -= 1
    run.event(event)
    assert len(run.outputs) == outputs
    assert run.tracker.counts["replayed_event"] == 1


def test_old_samples_under_the_newest_schema_are_not_needed_to_be_current() -> None:
    assert CODEC.header(Telemetry) == good()[:5]
