"""What connectors add to their station's load: the same whatever comes twice, late, or in another order or cut."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records.station_load import StationLoad
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus
from streams.domain.station_load import MINUTE_MS, POWER_MAX_W, TOPIC, StationLoads
from tests.streams.domain.records import CODEC, CONNECTOR, NOON, SECOND, STATION, FakeRecord, charging, plugged

NOW = NOON + 10 * MINUTE_MS


def record_of(sample: Telemetry, key: str | None = None) -> FakeRecord:
    return FakeRecord((key or sample.connector_id).encode(), CODEC.encode(sample), 0, sample.sampled_at)


def put_out(*parts: Iterable[Telemetry]) -> list[StationLoad]:
    """What goes out if these parts are taken one after the other, each by a worker that knows nothing of the others."""
    records: list[StationLoad] = []
    for part in parts:
        loads = StationLoads(CODEC)
        loads.add(map(record_of, part), NOW)
        records += (CODEC.decode_as(StationLoad, output.value) for output in loads.take(NOW))
        assert loads.open == 0
    return records


def merged(records: Iterable[StationLoad]) -> dict[tuple[str, int, str], StationLoad]:
    """By station, minute and connector, as the table's view merges them."""
    found: dict[tuple[str, int, str], StationLoad] = {}
    for record in records:
        key = (record.station_id, record.minute_at, record.connector_id)
        other = found.get(key, record)
        first = min((other.first_at, other.first_wh), (record.first_at, record.first_wh))
        last = max((other.last_at, other.last_wh), (record.last_at, record.last_wh))
        peak_w, was_charging = max(other.peak_w, record.peak_w), other.charging or record.charging
        found[key] = StationLoad(record.station_id, record.connector_id, key[1], *first, *last, peak_w, was_charging)
    return found


def test_a_minute_of_one_connector() -> None:
    samples = [charging(NOON + 10 * n * SECOND, meter_wh=1000 + 30 * n) for n in range(7)]
    samples[3] = replace(samples[3], current_a=100.0, voltage_a=600.0)
    whole, begun = put_out(samples)
    assert whole == StationLoad(STATION, CONNECTOR, NOON, NOON, 1000, NOON + 50_000, 1150, 60_000, True)
    assert (begun.minute_at, begun.first_at, begun.last_at) == (NOON + MINUTE_MS,) * 3


def test_it_goes_out_under_its_station_and_the_minutes_end() -> None:
    loads = StationLoads(CODEC)
    loads.add([record_of(charging(NOON + 59_999))], NOW)
    [output] = loads.take(NOW)
    assert (output.topic, output.key, output.timestamp) == (TOPIC, STATION.encode(), NOON + MINUTE_MS)


@pytest.mark.parametrize(
    ("phases", "power_w"),
    [
        ({"current_a": 125.5, "voltage_a": 400.0}, 50_200),
        ({"current_a": 32.0, "voltage_a": 220.0}, 7_040),
        (
            {"current_a": 32.0, "current_b": 31.0, "current_c": 30.0}
            | {"voltage_a": 220.0, "voltage_b": 221.0, "voltage_c": 222.0},
            20_551,
        ),
    ],
    ids=["DC", "one phase", "three phases"],
)
def test_power_is_that_of_all_phases(phases: dict[str, Any], power_w: int) -> None:
    none: dict[str, Any] = dict.fromkeys(
        ("current_a", "current_b", "current_c", "voltage_a", "voltage_b", "voltage_c"), 0.0
    )
    [load] = put_out([charging(NOON, **(none | phases))])
    assert load.peak_w == power_w


def test_a_connector_that_began_to_charge_in_the_minute_was_charging() -> None:
    [load] = put_out([plugged(NOON), charging(NOON + 10_000), plugged(NOON + 20_000)])
    assert load.charging
    [load] = put_out([plugged(NOON)])
    assert not load.charging


def test_minutes_wait_for_their_time() -> None:
    loads = StationLoads(CODEC)
    loads.add([record_of(charging(NOON))], NOW)
    loads.add([record_of(charging(NOON + 1)), record_of(charging(NOON + MINUTE_MS))], NOW + 100)
    assert loads.take(NOW - 1) == []
    assert len(loads.take(NOW + 99)) == 1
    assert loads.open == 1
    assert len(loads.take(NOW + 100)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        FakeRecord(CONNECTOR.encode(), None, 0, NOON),
        FakeRecord(CONNECTOR.encode(), b"\x00\x00\x00\x00\x01", 0, NOON),
        FakeRecord(None, CODEC.encode(charging(NOON)), 0, NOON),
        FakeRecord(CONNECTOR.encode(), CODEC.encode(charging(NOON))[:-1], 0, NOON),
        FakeRecord(CONNECTOR.encode(), CODEC.encode(charging(NOON)) + b"\x00", 0, NOON),
        record_of(charging(NOON), "another"),
        record_of(charging(NOON, status=7)),
        record_of(charging(NOON, meter_wh=-1)),
        record_of(charging(NOW + 301_000)),
        record_of(charging(0)),
        record_of(charging(NOON, current_a=float("nan"))),
        record_of(charging(NOON, current_a=float("inf"))),
        record_of(charging(NOON, current_a=10.0, voltage_a=POWER_MAX_W)),
    ],
)
def test_what_is_no_sample_is_passed_over(bad: FakeRecord) -> None:
    loads = StationLoads(CODEC)
    good = record_of(charging(NOON + 10_000))
    for records in ([bad], [good, bad, good]):  # also where the connector's form is known
        loads.add(records, NOW)
    assert (loads.samples, loads.passed_over) == (4, 2)
    [output] = loads.take(NOW)
    assert CODEC.decode_as(StationLoad, output.value).first_at == NOON + 10_000


def samples_of(numbers: Sequence[tuple[int, int, int]]) -> list[Telemetry]:
    """From seconds behind NOON, registers and connectors."""
    statuses = (ConnectorStatus.IDLE, ConnectorStatus.CHARGING)
    return [
        charging(
            NOON + second * SECOND,
            meter_wh=meter_wh,
            status=statuses[meter_wh % 2],
            current_a=float(meter_wh),
            voltage_a=400.0,
            connector_id=f"{CONNECTOR[:-1]}{number}",
            station_id=f"{STATION}{number // 2}",
        )
        for second, meter_wh, number in numbers
    ]


NUMBERS = st.lists(st.tuples(st.integers(0, 179), st.integers(0, 300), st.integers(0, 3)), max_size=40)


@given(numbers=NUMBERS, data=st.data())
def test_any_order_cuts_and_repetition_merge_to_the_same(
    numbers: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    samples = samples_of(numbers)
    again = data.draw(st.lists(st.sampled_from(samples), max_size=10)) if samples else []
    shuffled = data.draw(st.permutations(samples + again))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    parts = [shuffled[a:b] for a, b in pairwise([0, *cuts, len(shuffled)])]
    assert merged(put_out(*parts)) == merged(put_out(samples)) == recounted(samples)


def recounted(samples: Iterable[Telemetry]) -> dict[tuple[str, int, str], StationLoad]:
    """The same from whole minutes."""
    minutes = defaultdict(list)
    for s in samples:
        minutes[s.station_id, s.sampled_at // MINUTE_MS * MINUTE_MS, s.connector_id].append(s)
    found = {}
    for (station_id, minute_at, connector_id), mine in minutes.items():
        readings = sorted((s.sampled_at, s.meter_wh) for s in mine)
        peak_w = max(round(s.current_a * s.voltage_a) for s in mine)
        was_charging = any(s.status == ConnectorStatus.CHARGING for s in mine)
        load = StationLoad(station_id, connector_id, minute_at, *readings[0], *readings[-1], peak_w, was_charging)
        found[station_id, minute_at, connector_id] = load
    return found
