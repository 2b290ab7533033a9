"""Spliced bytes are the codec's bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulator.fleet.population import Kind, populate
from infra.simulator.fleet.splicing import (
    MAX_METER_WH,
    MIN_METER_WH,
    VARIANTS,
    avro_string,
    ids_suffix,
    load_of,
    meter_bytes,
    resting_tail,
    routing_prefix,
    zigzag,
)
from schemas.codec import codec_for
from schemas.records.telemetry import Telemetry


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "00"), (-1, "01"), (1, "02"), (63, "7e"), (64, "8001"), (-65, "8101"), (255, "fe03")],
)
def test_zigzag_numbers_are_as_avro_writes_them(number: int, expected: str) -> None:
    assert zigzag(number).hex() == expected


@given(st.integers(MIN_METER_WH, MAX_METER_WH))
def test_a_register_from_tables_is_the_plain_number(meter_wh: int) -> None:
    assert meter_bytes(meter_wh) == zigzag(meter_wh)


def test_a_string_has_its_length_in_bytes() -> None:
    assert avro_string("用户") == zigzag(6) + "用户".encode()


@given(st.integers(MIN_METER_WH, MAX_METER_WH), st.integers(0, 1 << 41), st.sampled_from([0, 1, 2, 4, 255]))
def test_a_spliced_sample_is_the_encoded_sample(meter_wh: int, sampled_at: int, status: int) -> None:
    codec, place = codec_for(""), populate(1).places[0]
    sample = Telemetry(
        status, 10, 50, "", 0, sampled_at, meter_wh, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        place.connector_id, place.equipment_id, place.station_id,
    )  # fmt: skip
    prefix = routing_prefix(codec, status, 10, 50, "", 0)
    assert prefix + zigzag(sampled_at) + resting_tail(meter_wh, ids_suffix(place)) == codec.encode(sample)


@pytest.mark.parametrize("kind", Kind)
def test_the_energy_of_a_load_is_its_power_over_time(kind: Kind) -> None:
    load = load_of(kind, 10_000)
    floats = [struct.unpack("<6f", block[-24:]) for block in load.blocks[50]]
    energy_wh = sum(sum(a * v for a, v in zip(f[:3], f[3:], strict=True)) * 10 / 3600 for f in floats)
    assert sum(load.step_wh) == pytest.approx(energy_wh, abs=1)
    assert len(load.step_wh) == VARIANTS
