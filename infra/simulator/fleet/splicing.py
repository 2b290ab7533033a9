"""Telemetry bytes without an encoder: pieces that seldom change, kept as bytes and spliced together.

Gives the very bytes that the codec gives for the same record, some fifty times as fast. Avro writes fields
one after another and each ends by itself, so a record is the sum of its pieces.
"""

import math
import struct
from dataclasses import dataclass

from infra.simulator.fleet.population import Kind, Place
from schemas.codec import Codec
from schemas.records.telemetry import Telemetry

#: Samples of a charge repeat after so many: noise enough, and few enough to keep as bytes.
VARIANTS = 32

_LOW_BITS = 14
_LOW_MASK = (1 << _LOW_BITS) - 1

#: Registers are spliced up to this value, 268 MWh: more than a charger gives in years.
MAX_METER_WH = (1 << 28) - 1

#: Below this a register would be a shorter number than the splice makes of it.
MIN_METER_WH = 1 << (_LOW_BITS - 1)

_FLOATS = struct.Struct("<6f")

#: Volts at the connector while charging.
_DC_VOLTAGE_V = {Kind.DC_60: 400.0, Kind.DC_120: 600.0}
_AC_VOLTAGE_V = 220.0
_NO_LOAD = _FLOATS.pack(0, 0, 0, 0, 0, 0)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    """An Avro int or long."""
    return _varint((number << 1) ^ (number >> 63))


def avro_string(text: str) -> bytes:
    """An Avro string."""
    data = text.encode()
    return zigzag(len(data)) + data


def routing_prefix(codec: Codec, status: int, park_status: int, lock_status: int, seq: str, model: int) -> bytes:
    """Wire format header and the five fields that seldom change."""
    head = {
        "status": status,
        "park_status": park_status,
        "lock_status": lock_status,
        "start_charge_seq": seq,
        "charge_model": model,
    }
    return codec.encode_head(Telemetry, head)


def ids_suffix(place: Place) -> bytes:
    """The last three fields."""
    return avro_string(place.connector_id) + avro_string(place.equipment_id) + avro_string(place.station_id)


#: The lower two bytes of a register's number, both with another byte to come, and all that follows them.
METER_LOW = tuple(bytes(((n & 0x7F) | 0x80, (n >> 7) | 0x80)) for n in range(_LOW_MASK + 1))
METER_HIGH = tuple(_varint(n) for n in range((MAX_METER_WH << 1 >> _LOW_BITS) + 1))


def meter_bytes(meter_wh: int) -> bytes:
    """A register of MIN_METER_WH to MAX_METER_WH, Wh."""
    number = meter_wh << 1
    return METER_LOW[number & _LOW_MASK] + METER_HIGH[number >> _LOW_BITS]


def resting_tail(meter_wh: int, suffix: bytes) -> bytes:
    """Everything behind `sampled_at` for a connector that gives no current."""
    return meter_bytes(meter_wh) + zigzag(0) + _NO_LOAD + suffix


@dataclass(frozen=True, slots=True)
class Load:
    """What charging looks like at one kind of connector, `VARIANTS` samples long.

    `step_wh[v]` is the energy of one interval; `blocks[soc][v]` the bytes of soc_pct, currents and voltages.
    """

    step_wh: tuple[int, ...]
    blocks: tuple[tuple[bytes, ...], ...]


def load_of(kind: Kind, interval_ms: int) -> Load:
    """The load of a kind of connector that is sampled every `interval_ms`."""
    steps: list[int] = []
    floats: list[bytes] = []
    exact_wh = 0.0
    nominal_v = _DC_VOLTAGE_V.get(kind, _AC_VOLTAGE_V)
    nominal_a = float(kind.power_kw) * 1000 / nominal_v / kind.phases
    for variant in range(VARIANTS):
        wave = math.sin(2 * math.pi * variant / VARIANTS)
        volts = round(nominal_v * (1 + 0.01 * wave), 1)
        amperes = round(nominal_a * (1 - 0.02 * wave), 1)
        b, c = (volts, volts) if kind.phases == 3 else (0.0, 0.0)
        ib, ic = (amperes, amperes) if kind.phases == 3 else (0.0, 0.0)
        floats.append(_FLOATS.pack(amperes, ib, ic, volts, b, c))
        before = round(exact_wh)
        exact_wh += volts * amperes * kind.phases * interval_ms / 3_600_000
        steps.append(round(exact_wh) - before)
    blocks = tuple(tuple(zigzag(soc if kind.is_dc else 0) + f for f in floats) for soc in range(101))
    return Load(tuple(steps), blocks)
