"""Mishaps: nothing by default, and everything that is done is reported."""

from collections import Counter
from dataclasses import fields, replace

import pytest

from infra.simulator.fleet.connector import Output
from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.mishaps import (
    UNKNOWN_CONNECTOR_ID,
    UNKNOWN_SCHEMA_ID,
    ConnectorMishaps,
    Injected,
    Mishap,
    MishapRates,
)
from infra.simulator.fleet.outgoing import Outgoing, time_of, topic_of
from schemas.codec import codec_for
from schemas.errors import UndecodableRecord, UnknownSchemaId
from schemas.records.charge_events import ChargeStarted, ChargeStopped
from schemas.records.telemetry import Telemetry

NOW = 1_790_000_000_000
CODEC = codec_for("")
SAMPLE = Telemetry(1, 10, 10, "", 0, NOW, 1_000_000, 0, 0, 0, 0, 0, 0, 0, "c", "e", "s")
STARTED = ChargeStarted("seq", "c", "e", "s", 3, NOW, 1_000_000)
STOPPED = ChargeStopped("seq", "c", NOW, 1_000_100, 0)


def _way(seed: int = 1, **rates: float) -> tuple[ConnectorMishaps, list[Injected]]:
    report: list[Injected] = []
    return ConnectorMishaps(MishapRates(**rates), "c", seed, CODEC.encode, report), report


def _plain(output: Output) -> Outgoing:
    return Outgoing(NOW, topic_of(output), b"c", CODEC.encode(output), time_of(output))


def test_without_rates_everything_passes_unchanged() -> None:
    way, report = _way()
    outputs: list[Output] = [STARTED, SAMPLE, STOPPED]
    assert way.apply(outputs, NOW) == [_plain(o) for o in outputs]
    assert report == []


def test_a_duplicate_comes_twice() -> None:
    way, report = _way(duplicate=1)
    assert way.apply([SAMPLE, STOPPED], NOW) == [_plain(SAMPLE)] * 2 + [_plain(STOPPED)] * 2
    assert [r.mishap for r in report] == [Mishap.DUPLICATE] * 2


def test_a_late_event_keeps_its_time_and_comes_behind_its_sample() -> None:
    way, report = _way(late_event=1)
    event, sample = way.apply([STARTED, SAMPLE], NOW)
    assert event.send_at >= NOW + 3000 and event.timestamp_ms == NOW
    assert sample.send_at == NOW
    assert report == [Injected(Mishap.LATE_EVENT, "charge-events", "c", "seq", NOW)]


def test_an_early_event_comes_without_the_sample_of_the_change() -> None:
    way, report = _way(early_event=1)
    assert way.apply([STARTED, SAMPLE], NOW) == [_plain(STARTED)]
    later = replace(SAMPLE, sampled_at=NOW + 1)
    assert way.apply([later], NOW) == [_plain(later)]
    assert [r.mishap for r in report] == [Mishap.EARLY_EVENT]


@pytest.mark.parametrize(("rate", "event"), [("lost_start", STARTED), ("lost_stop", STOPPED)])
def test_a_lost_event_never_comes(rate: str, event: Output) -> None:
    way, report = _way(1, **{rate: 1.0})
    other: Output = STOPPED if event is STARTED else STARTED
    assert way.apply([event, other], NOW) == [_plain(other)]
    assert [(r.mishap.value, r.start_charge_seq) for r in report] == [(rate, "seq")]


def test_a_sample_out_of_order_comes_behind_the_next() -> None:
    way, report = _way(out_of_order=1)
    later = replace(SAMPLE, sampled_at=NOW + 10_000)
    assert way.apply([SAMPLE], NOW) == []
    assert [o.timestamp_ms for o in way.apply([later], NOW + 10_000)] == [NOW + 10_000, NOW]
    assert len(report) == 1
    way.apply([later], NOW)
    assert [o.timestamp_ms for o in way.release(NOW)] == [NOW + 10_000]
    assert way.release(NOW) == []


def test_a_meter_jumps_backwards_once() -> None:
    way, report = _way(meter_jump=1)
    first, second = (CODEC.decode_as(Telemetry, way.apply([SAMPLE], NOW)[0].value) for _ in range(2))
    assert first.meter_wh < SAMPLE.meter_wh == second.meter_wh
    assert [r.mishap for r in report] == [Mishap.METER_JUMP]


def test_nonsense_comes_in_addition() -> None:
    way, report = _way(undecodable=1, unknown_schema=1, unknown_connector=1, future_time=1)
    true, garbage, strange_schema, stranger, ahead = way.apply([SAMPLE], NOW)
    assert true == _plain(SAMPLE)
    with pytest.raises(UndecodableRecord):
        CODEC.decode(garbage.value)
    with pytest.raises(UnknownSchemaId) as caught:
        CODEC.decode(strange_schema.value)
    assert caught.value.schema_id == UNKNOWN_SCHEMA_ID
    assert CODEC.decode(stranger.value).connector_id == UNKNOWN_CONNECTOR_ID == stranger.key.decode()
    assert CODEC.decode(ahead.value).sampled_at > NOW + 3_000_000
    assert ahead.timestamp_ms == NOW
    assert len(report) == 4


def test_the_seed_decides_and_all_kinds_occur() -> None:
    assert {field.name for field in fields(MishapRates)} == {mishap.value for mishap in Mishap}
    runs = []
    for seed in (1, 1, 2):
        report: list[Injected] = []
        way = ConnectorMishaps(MishapRates.all_at(0.2), "c", seed, CODEC.encode, report)
        sent = [way.apply([STARTED, SAMPLE, STOPPED], NOW) for _ in range(200)]
        runs.append((sent, report))
    assert runs[0] == runs[1] != runs[2]
    assert set(Counter(r.mishap for r in runs[0][1])) == set(Mishap)


def test_a_rate_above_one_is_refused() -> None:
    with pytest.raises(MisconfiguredFleet, match="duplicate"):
        MishapRates(duplicate=1.5)
