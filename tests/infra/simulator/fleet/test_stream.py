"""The benchmark's stream: its bytes, its shares, and that it tells one story."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.population import populate
from infra.simulator.fleet.stream import Instant, SampleStream
from schemas.codec import codec_for
from schemas.records.charge_events import ChargeStarted
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus

START_MS = 1_790_000_000_000
CONNECTORS, SAMPLES = 400, 40


def _stream(seed: int = 1) -> SampleStream:
    return SampleStream(codec_for(""), populate(CONNECTORS), 0.3, 0.05, seed, START_MS, 10_000)


@pytest.fixture(scope="module")
def made() -> tuple[SampleStream, list[Instant]]:
    stream = _stream()
    return stream, list(stream.instants(SAMPLES))


def _by_connector(instants: list[Instant]) -> dict[str, list[Telemetry]]:
    codec, found = codec_for(""), defaultdict[str, list[Telemetry]](list)
    for instant in instants:
        for key, value in instant.samples:
            found[key.decode()].append(codec.decode_as(Telemetry, value))
    return found


def test_every_sample_is_what_the_codec_would_write(made: tuple[SampleStream, list[Instant]]) -> None:
    codec = codec_for("")
    for instant in made[1]:
        for key, value in instant.samples:
            sample = codec.decode_as(Telemetry, value)
            assert codec.encode(sample) == value
            assert (sample.connector_id.encode(), sample.sampled_at) == (key, instant.sampled_at)


def test_samples_come_in_order_of_time_and_evenly(made: tuple[SampleStream, list[Instant]]) -> None:
    moments = [instant.sampled_at for instant in made[1]]
    assert moments == sorted(moments)
    for samples in _by_connector(made[1]).values():
        assert [s.sampled_at - samples[0].sampled_at for s in samples] == [n * 10_000 for n in range(SAMPLES)]


def test_shares_stay_what_was_asked_for(made: tuple[SampleStream, list[Instant]]) -> None:
    stream, instants = made
    statuses = Counter(s.status for samples in _by_connector(instants).values() for s in samples)
    assert statuses[ConnectorStatus.CHARGING] == CONNECTORS * 0.3 * SAMPLES
    assert statuses[ConnectorStatus.PLUGGED] and statuses[ConnectorStatus.FAULT]
    assert stream.status_changes == CONNECTORS * 0.05 * (SAMPLES - 1)


def test_counters_count_what_the_samples_show(made: tuple[SampleStream, list[Instant]]) -> None:
    stream, instants = made
    samples = _by_connector(instants).values()
    changes = sum(a.status != b.status for s in samples for a, b in pairwise(s))
    charges = {s.start_charge_seq for connector in samples for s in connector} - {""}
    assert stream.status_changes == changes
    assert stream.charges_started == len(charges)
    assert stream.charges_stopped == len(charges) - CONNECTORS * 0.3


def test_registers_rise_while_charging_only(made: tuple[SampleStream, list[Instant]]) -> None:
    for samples in _by_connector(made[1]).values():
        for before, after in pairwise(samples):
            assert (after.meter_wh > before.meter_wh) == (after.status == ConnectorStatus.CHARGING)
            assert (after.start_charge_seq != "") == (after.status == ConnectorStatus.CHARGING)


def test_events_agree_with_the_samples(made: tuple[SampleStream, list[Instant]]) -> None:
    events = [event for instant in made[1] for event in instant.events]
    charges = defaultdict[str, list[Telemetry]](list)
    for samples in _by_connector(made[1]).values():
        for sample in samples:
            charges[sample.start_charge_seq].append(sample)
    for event in events:
        samples = charges[event.start_charge_seq]
        assert samples[0].connector_id == event.connector_id
        if isinstance(event, ChargeStarted):
            assert event.started_at <= samples[0].sampled_at and event.meter_start_wh < samples[0].meter_wh
        else:
            assert event.stopped_at >= samples[-1].sampled_at and event.meter_end_wh == samples[-1].meter_wh


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(_stream(7).instants(5)) == list(_stream(7).instants(5))
    assert list(_stream(7).instants(1)) != list(_stream(8).instants(1))


def test_samples_closer_than_a_second_are_refused() -> None:
    with pytest.raises(MisconfiguredFleet, match="at least 1000"):
        SampleStream(codec_for(""), populate(2), 0.3, 0.01, 1, START_MS, 999)
