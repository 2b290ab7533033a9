"""The connectors of one partition, and what every rule needs of them.

Samples are taken by `sampling`, events by `events`, what time alone brings about by `timers`, recovered state
by `restoring`. The same input gives the same outputs; input that the recovered state already includes is
passed over by its offset.
"""

import zlib
from collections import Counter
from typing import Protocol

from schemas.codec import Codec
from schemas.errors import UndecodableRecord
from schemas.records.faults import Anomaly, DeadLetter
from schemas.records.telemetry import Telemetry
from schemas.telemetry_layout import (
    EARLIEST_MS,
    LATEST_MS,
    METER_MAX_WH,
    id_suffix,
    order_code,
    read_middle,
    routing_prefix,
)
from streams.domain.charge import Charge
from streams.domain.connector import Connector
from streams.domain.outputs import Outputs
from streams.domain.policy import TrackingPolicy
from streams.domain.sites import Sites
from streams.domain.tariff import Tariff


class SourceRecord(Protocol):
    """A record as the Kafka client hands it out; calls, since that is what costs least."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def offset(self) -> int | None: ...
    def timestamp(self) -> tuple[int, int]: ...


def offset_of(record: SourceRecord) -> int:
    """A consumed record's offset; the client's type allows None for records that were never sent."""
    return record.offset() or 0


def meter_problem(meter_wh: int) -> tuple[str, str] | None:
    """Why a register can't be true: reason and detail."""
    if meter_wh < 0:
        return "meter_negative", f"the register is {meter_wh} Wh"
    if meter_wh > METER_MAX_WH:
        return "meter_implausible", f"the register is {meter_wh} Wh"
    return None


def instant_problem(at: int, latest: int) -> tuple[str, str] | None:
    """Why an instant (UTC ms) can't be true when it is `latest` at most: reason and detail."""
    if at < EARLIEST_MS:
        return "timestamp_out_of_range", f"{at} ms is before 2010"
    if at > min(latest, LATEST_MS):
        return "timestamp_in_future", f"{(at - latest) / 1000:.0f} s further ahead of the clock than may be"
    return None


class Tracker:
    """The connectors of one partition of `charger-telemetry` and `charge-events`.

    Not thread-safe: one partition is one thread of thought. `counts` holds what was passed over, dead-lettered or
    flagged, by reason; it may be all partitions' together.
    """

    def __init__(
        self,
        partition: int,
        codec: Codec,
        sites: Sites,
        policy: TrackingPolicy,
        outputs: Outputs | None = None,
        counts: Counter[str] | None = None,
    ) -> None:
        self.partition = partition
        self.codec = codec
        self.sites = sites
        self.policy = policy
        self.out = outputs if outputs is not None else Outputs(codec)
        self.connectors: dict[bytes, Connector] = {}
        #: (when, order of arrival, connector): what `timers` goes through.
        self.alarms: list[tuple[int, int, Connector]] = []
        self.alarms_set = 0
        self.counts = counts if counts is not None else Counter[str]()
        self._stations: dict[str, str] = {}
        self._resting: dict[bytes, bytes] = {}

    def forget(self, key: bytes) -> None:
        """A tombstone on the state topic: the connector is no more."""
        self.connectors.pop(key, None)

    def intern(self, text: str) -> str:
        """One object for equal ids: thousands of connectors share a station."""
        return self._stations.setdefault(text, text)

    def tariff_of(self, connector: Connector) -> Tariff:
        """The tariff of the connector's station."""
        return self.sites.tariff(connector.station_id)

    def remember(self, connector: Connector, payload: bytes, sampled_at: int, sample: Telemetry | None) -> None:
        """Makes this the connector's newest sample; `sample` is what it decodes to, if it was decoded."""
        if sample is not None:
            if not payload.startswith(connector.prefix):
                prefix = routing_prefix(payload)
                if not sample.start_charge_seq:  # the same few for all connectors at rest
                    prefix = self._resting.setdefault(prefix, prefix)
                connector.prefix = prefix
                connector.cut = len(connector.prefix)
            if not payload.endswith(connector.suffix) or not connector.suffix:
                connector.suffix = id_suffix(sample.connector_id, sample.equipment_id, sample.station_id)
        connector.newest = payload
        connector.newest_code = order_code(sampled_at)

    def newest_reading(self, connector: Connector) -> tuple[int, int] | None:
        """Time (UTC ms) and raw register (Wh) of the connector's newest sample; None if it has none.

        A sample is taken by its beginning and its end. If what lies between them proves to be damaged now that
        it is needed, the sample is dead-lettered, with offset -1, and forgotten.
        """
        payload = connector.newest
        if payload is None:
            return None
        try:
            sampled_at, meter_wh = read_middle(payload, connector.cut, len(connector.suffix))
            problem = meter_problem(meter_wh)
            if problem is None:
                return sampled_at, meter_wh
            reason, detail = problem
        except UndecodableRecord as error:
            reason, detail = error.reason, str(error)
        connector.newest = None
        self.counts[reason] += 1
        at = connector.seen_at
        self.out.dead_letter(
            DeadLetter(reason, detail, "charger-telemetry", self.partition, -1, at, at, connector.key, payload)
        )
        return None

    def save(self, connector: Connector, timestamp: int, changed: bool = True) -> None:
        """Writes the connector's state; `changed` unless only readings, offsets and times did."""
        if changed:
            connector.state_head = None
        self.out.state(connector, timestamp)

    def flag(self, connector: Connector, charge: Charge | None, reason: str, detail: str, at: int) -> None:
        """Reports something that is not right about a record that is used all the same."""
        self.counts[reason] += 1
        anomaly = Anomaly(
            reason, connector.connector_id, charge.seq if charge else "", at, detail, "", self.partition, -1
        )
        self.out.put(anomaly, connector.key, at)

    def refuse(self, topic: str, record: SourceRecord, reason: str, detail: str, now: int) -> None:
        """Dead-letters a record that can't be used."""
        self.counts[reason] += 1
        self.out.dead_letter(
            DeadLetter(
                reason,
                detail,
                topic,
                self.partition,
                offset_of(record),
                record.timestamp()[1],
                now,
                record.key(),
                record.value(),
            )
        )

    def heartbeat_at(self, connector: Connector) -> int:
        """When the connector's status is due again although nothing has changed."""
        spread = self.policy.heartbeat_spread_ms
        early = zlib.crc32(connector.key) % spread if spread else 0
        return connector.status_pushed_at + self.policy.heartbeat_ms - early

    def decode_sample(self, payload: bytes | None) -> Telemetry:
        """The whole sample. Raises UndecodableRecord."""
        return self.codec.decode_as(Telemetry, payload)
