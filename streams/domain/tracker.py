"""The connectors of one partition, and what every rule needs of them.

Samples are taken by `sampling`, events by `events`, what time alone brings about by `timers`, recovered state
by `restoring`. The same input gives the same outputs; input that the recovered state already includes is
passed over by its offset.
"""

import zlib
from collections import Counter
from typing import Protocol

from schemas.codec import Codec
from schemas.records.faults import Anomaly, DeadLetter
from schemas.records.telemetry import Telemetry
from schemas.telemetry_layout import order_code, read_long, routing_prefix
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


class Tracker:
    """The connectors of one partition of `charger-telemetry` and `charge-events`.

    Not thread-safe: one partition is one thread of thought. `counts` holds what was passed over and why.
    """

    def __init__(
        self, partition: int, codec: Codec, sites: Sites, policy: TrackingPolicy, outputs: Outputs | None = None
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
        self.counts: Counter[str] = Counter()
        self._stations: dict[str, str] = {}

    def forget(self, key: bytes) -> None:
        """A tombstone on the state topic: the connector is no more."""
        self.connectors.pop(key, None)

    def intern(self, text: str) -> str:
        """One object for equal ids: thousands of connectors share a station."""
        return self._stations.setdefault(text, text)

    def tariff_of(self, connector: Connector) -> Tariff:
        """The tariff of the connector's station."""
        return self.sites.tariff(connector.station_id)

    def remember(self, connector: Connector, payload: bytes, sampled_at: int) -> None:
        """Makes this the connector's newest sample."""
        if not payload.startswith(connector.prefix):
            connector.prefix = routing_prefix(payload)
            connector.cut = len(connector.prefix)
        connector.newest = payload
        connector.newest_code = order_code(sampled_at)

    def newest_reading(self, connector: Connector) -> tuple[int, int]:
        """Time (UTC ms) and raw register (Wh) of the connector's newest sample."""
        assert connector.newest is not None
        sampled_at, at = read_long(connector.newest, connector.cut)
        return sampled_at, read_long(connector.newest, at)[0]

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
