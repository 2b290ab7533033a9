"""The load of stations by minute: what each connector adds to it, told by its samples of that minute.

Only least and greatest values are kept, so it does not matter how often, in which order or in which cuts samples come:
what was put out of parts of a minute merges to what the whole minute would have given. Nothing needs to be remembered
for that, whatever comes late or twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.codec import HEADER_SIZE, Codec
from schemas.errors import UndecodableRecord
from schemas.records.station_load import StationLoad
from schemas.records.telemetry import Telemetry
from schemas.telemetry_layout import (
    AHEAD_MS,
    EARLIEST_MS,
    LATEST_MS,
    METER_MAX_WH,
    id_suffix,
    read_middle,
    read_phases,
    routing_prefix,
)
from schemas.values import ConnectorStatus
from streams.domain.outputs import Output
from streams.domain.sampling import sample_problem
from streams.domain.tracker import SourceRecord

TOPIC = "station-load"
MINUTE_MS = 60_000

#: More than this is no power of a connector, W: ten times what the strongest ones have.
POWER_MAX_W = 10_000_000


@dataclass(slots=True, eq=False)
class _Connector:
    """What the last whole decode of a connector's sample said: payloads that begin and end so say the same."""

    prefix: bytes
    suffix: bytes
    station_id: str
    connector_id: str
    charging: bool


class _Load:
    """A connector's minute so far. The first and the last sample are pairs of instant, UTC ms, and register, Wh."""

    __slots__ = ("charging", "connector", "first", "last", "peak_w")

    def __init__(self, connector: _Connector, reading: tuple[int, int], power_w: int) -> None:
        self.connector = connector
        self.first = self.last = reading
        self.peak_w = power_w
        self.charging = connector.charging

    def add(self, connector: _Connector, reading: tuple[int, int], power_w: int) -> None:
        """One more sample, which may have been added before."""
        if reading < self.first:
            self.first = reading
        elif reading > self.last:
            self.last = reading
        if power_w > self.peak_w:
            self.peak_w = power_w
        if connector.charging:
            self.charging = True

    def record(self, minute_at: int) -> StationLoad:
        """What goes out."""
        (first_at, first_wh), (last_at, last_wh) = self.first, self.last
        ids = self.connector.station_id, self.connector.connector_id
        return StationLoad(*ids, minute_at, first_at, first_wh, last_at, last_wh, self.peak_w, self.charging)


class StationLoads:
    """The minutes that are open, of all connectors that this worker hears of. Instants are UTC ms."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._connectors: dict[bytes, _Connector] = {}
        #: By minute: when its first sample came, and the loads by the ids that samples end with.
        self._minutes: dict[int, tuple[int, dict[bytes, _Load]]] = {}
        self.open = 0
        self.samples = 0
        self.passed_over = 0

    def add(self, records: Iterable[SourceRecord], now: int) -> None:
        """Takes telemetry. What is no sample is passed over, since connector tracking dead-letters it; so is one whose
        power can't be true."""
        latest = min(now + AHEAD_MS, LATEST_MS)
        for record in records:
            self.samples += 1
            try:
                connector, sampled_at, meter_wh, power_w = self._read(record)
            except UndecodableRecord:
                self.passed_over += 1
                continue
            if not (
                0 <= meter_wh <= METER_MAX_WH and EARLIEST_MS <= sampled_at <= latest and abs(power_w) <= POWER_MAX_W
            ):
                self.passed_over += 1
                continue
            minute_at = sampled_at - sampled_at % MINUTE_MS
            minute = self._minutes.get(minute_at)
            if minute is None:
                minute = self._minutes[minute_at] = (now, {})
            reading = (sampled_at, meter_wh)
            load = minute[1].get(connector.suffix)
            if load is None:
                minute[1][connector.suffix] = _Load(connector, reading, round(power_w))
                self.open += 1
            else:
                load.add(connector, reading, round(power_w))

    def take(self, opened_until: int) -> list[Output]:
        """Puts out and forgets the minutes whose first sample had come by then."""
        outputs: list[Output] = []
        for minute_at, (opened_at, loads) in list(self._minutes.items()):
            if opened_at <= opened_until:
                del self._minutes[minute_at]
                self.open -= len(loads)
                outputs += (self._output(load.record(minute_at)) for load in loads.values())
        return outputs

    def _output(self, record: StationLoad) -> Output:
        key, timestamp = record.station_id.encode(), record.minute_at + MINUTE_MS
        return Output(TOPIC, key, self._codec.encode(record), timestamp)

    def _read(self, record: SourceRecord) -> tuple[_Connector, int, int, float]:
        """A sample's connector, instant, register, Wh, and power, W. Raises UndecodableRecord."""
        key, payload = record.key() or b"", record.value() or b""
        connector = self._connectors.get(key)
        if connector is None or not (payload.startswith(connector.prefix) and payload.endswith(connector.suffix)):
            sample = self._codec.decode_as(Telemetry, payload)
            problem = sample_problem(sample, key)
            if problem is not None:
                raise UndecodableRecord(problem[1], reason=problem[0])
            if payload[:HEADER_SIZE] != self._codec.header(Telemetry):
                payload = self._codec.encode(sample)
            connector = self._connectors[key] = _connector_of(sample, payload)
        sampled_at, meter_wh = read_middle(payload, len(connector.prefix), len(connector.suffix))
        current_a, current_b, current_c, voltage_a, voltage_b, voltage_c = read_phases(payload, len(connector.suffix))
        return connector, sampled_at, meter_wh, current_a * voltage_a + current_b * voltage_b + current_c * voltage_c


def _connector_of(sample: Telemetry, payload: bytes) -> _Connector:
    return _Connector(
        prefix=routing_prefix(payload),
        suffix=id_suffix(sample.connector_id, sample.equipment_id, sample.station_id),
        station_id=sample.station_id,
        connector_id=sample.connector_id,
        charging=sample.status == ConnectorStatus.CHARGING,
    )
