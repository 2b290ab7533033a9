"""What the rules put out: derived records, encoded, in order, and the states of the connectors that changed.

A state is encoded when it is taken, once, however often its connector has changed since the last time: only the
newest matters. Charge progress and connector states are joined from parts that were encoded before and the newest
sample's own bytes, since encoding them whole would cost more than everything else.
"""

from dataclasses import dataclass
from typing import Final

from schemas.charge_periods import to_fen
from schemas.codec import HEADER_SIZE, Codec
from schemas.records.connector_state import ConnectorState
from schemas.records.derived import ChargeProgress, Order, ProgressKind, StartResult, StatusChange, StopResult
from schemas.records.faults import Anomaly, DeadLetter
from schemas.varint import write_long
from streams.domain.charge import Charge, ProgressParts
from streams.domain.connector import UNSEEN, Connector


@dataclass(slots=True)
class Output:
    """One record to produce; `topic` is its declared name, `timestamp` in UTC ms."""

    topic: str
    key: bytes
    value: bytes
    timestamp: int


@dataclass(slots=True)
class StateWrite:
    """One record for the compacted state topic, to be written once the outputs before it are safe."""

    key: bytes
    value: bytes
    timestamp: int


#: A state's timestamp, telemetry_offset, next_push_at, reading_at and reading_wh, and the newest sample's payload.
_Tail = tuple[int, int, int, int, int, bytes | None]

_KIND_INDEX: Final = {kind: write_long(index) for index, kind in enumerate(ProgressKind)}
_TOPICS: dict[type, str] = {
    StatusChange: "connector-status-changes",
    StartResult: "charge-start-results",
    StopResult: "charge-stop-results",
    Order: "charge-orders",
    Anomaly: "stream-anomalies",
}
_ABSENT: Final = b"\x00"
_PRESENT: Final = b"\x02"
_END_AND_ABSENT: Final = b"\x00\x00"
_END_AND_PRESENT: Final = b"\x00\x02"


class Outputs:
    """Collects what the rules put out for one partition until it is taken."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._derived: list[Output] = []
        #: What was true of a connector when its state was last asked for: all that `state_head` does not hold.
        self._changed: dict[Connector, _Tail] = {}
        #: Connectors of whose derived records one is an order.
        self._ordered: dict[Connector, None] = {}

    def take(self) -> tuple[list[Output], list[StateWrite]]:
        """All derived records since the last call, in order, and the newest states of connectors that changed."""
        return self.take_derived(), self.take_states()

    def take_derived(self) -> list[Output]:
        """The derived records since the last call, in order. States can wait, but must not be written before these."""
        taken, self._derived = self._derived, []
        return taken

    def take_states(self) -> list[StateWrite]:
        """The states of the connectors that changed since the last call."""
        self._ordered.clear()
        if not self._changed:
            return []
        changed, self._changed = self._changed, {}
        return [self._encoded(connector, tail) for connector, tail in changed.items()]

    def take_states_of_orders(self) -> list[StateWrite]:
        """Of these, those that must not wait for long behind the derived records: until such a state is written, a
        worker that crashed makes the same order again, and of what has come meanwhile."""
        if not self._ordered:
            return []
        ordered, self._ordered = self._ordered, {}
        return [self._encoded(c, self._changed.pop(c)) for c in ordered if c in self._changed]

    def order(self, record: Order, connector: Connector, timestamp: int) -> None:
        """A finalized order."""
        self.put(record, connector.key, timestamp)
        self._ordered[connector] = None

    def put(
        self, record: StatusChange | StartResult | StopResult | Order | Anomaly, key: bytes, timestamp: int
    ) -> None:
        """A derived record."""
        self._derived.append(Output(_TOPICS[type(record)], key, self._codec.encode(record), timestamp))

    def dead_letter(self, letter: DeadLetter) -> None:
        """A record that could not be used."""
        topic = f"{letter.topic}-dlq"
        self._derived.append(Output(topic, letter.key or b"", self._codec.encode(letter), letter.failed_at))

    def progress(
        self,
        connector: Connector,
        charge: Charge,
        kind: ProgressKind,
        due_at: int,
        observed_at: int,
        meter_wh: int,
        known_at: int = 0,
    ) -> None:
        """A charge's progress at a reading (`observed_at`, `meter_wh` rebased).

        It counts as due at `due_at`, or at `known_at` if that is later: a stop may be learned of late.
        """
        parts = charge.progress_parts
        if parts is None:
            parts = charge.progress_parts = self._parts(connector, charge)
        energy = meter_wh - parts.last_wh
        elec = to_fen(parts.elec_sum + energy * parts.elec_price_e4)
        service = to_fen(parts.service_sum + energy * parts.service_price_e4)
        observed = write_long(observed_at)
        newest = connector.newest
        value = b"".join(
            (
                parts.head,
                _KIND_INDEX[kind],
                observed if due_at == observed_at else write_long(due_at),
                observed,
                write_long(max(connector.status, 0)),
                write_long(meter_wh - parts.start_wh),
                write_long(elec),
                write_long(service),
                parts.closed,
                parts.last_at,
                observed,
                parts.prices,
                write_long(energy),
                write_long(elec - parts.elec_fen),
                write_long(service - parts.service_fen),
                _END_AND_ABSENT if newest is None else _END_AND_PRESENT + newest[HEADER_SIZE:],
            )
        )
        self._derived.append(Output("charge-progress", connector.key, value, max(due_at, known_at)))

    def _parts(self, connector: Connector, charge: Charge) -> ProgressParts:
        head = self._codec.encode_head(
            ChargeProgress,
            {
                "start_charge_seq": charge.seq,
                "connector_id": connector.connector_id,
                "station_id": connector.station_id,
                "charge_model": charge.model,
                "started_at": charge.started_at,
            },
        )
        marks = charge.marks
        last = marks[-1]
        closed = bytearray(write_long(len(marks)))
        elec_sum = service_sum = elec_fen = service_fen = 0
        for period in charge.periods(last.at, last.meter_wh)[:-1]:
            elec_sum += period.energy_wh * period.elec_price_e4
            service_sum += period.energy_wh * period.service_price_e4
            elec_fen += period.elec_money_fen
            service_fen += period.service_money_fen
            for value in (
                period.started_at,
                period.ended_at,
                period.elec_price_e4,
                period.service_price_e4,
                period.energy_wh,
                period.elec_money_fen,
                period.service_money_fen,
            ):
                closed += write_long(value)
        return ProgressParts(
            head=head,
            closed=bytes(closed),
            last_at=write_long(last.at),
            prices=write_long(last.elec_price_e4) + write_long(last.service_price_e4),
            start_wh=marks[0].meter_wh,
            last_wh=last.meter_wh,
            elec_price_e4=last.elec_price_e4,
            service_price_e4=last.service_price_e4,
            elec_sum=elec_sum,
            service_sum=service_sum,
            elec_fen=elec_fen,
            service_fen=service_fen,
        )

    def state(self, connector: Connector, timestamp: int) -> None:
        """Keeps the connector's state as it is now, to be written."""
        running = connector.running()
        self._changed[connector] = (
            timestamp,
            connector.telemetry_offset,
            running.next_push_at if running else 0,
            running.reading_at if running else 0,
            running.reading_wh if running else 0,
            connector.newest,
        )

    def _encoded(self, connector: Connector, tail: _Tail) -> StateWrite:
        head = connector.state_head
        if head is None:
            head = self._codec.encode_head(
                ConnectorState,
                {
                    "connector_id": connector.connector_id,
                    "equipment_id": connector.equipment_id,
                    "station_id": connector.station_id,
                    "status": max(connector.status, 0) if connector.status != UNSEEN else 0,
                    "park_status": connector.park_status,
                    "lock_status": connector.lock_status,
                    "status_since": connector.status_since,
                    "closed_seqs": connector.closed_seqs,
                    "failed_seqs": connector.failed_seqs,
                    "charges": tuple(charge.to_state() for charge in connector.charges),
                    "status_pushed_at": connector.status_pushed_at,
                    "event_offset": connector.event_offset,
                },
            )
        connector.state_head = head if connector.running() else None
        timestamp, telemetry_offset, next_push_at, reading_at, reading_wh, newest = tail
        value = b"".join(
            (
                head,
                write_long(telemetry_offset),
                write_long(next_push_at),
                write_long(reading_at),
                write_long(reading_wh),
                _ABSENT if newest is None else _PRESENT + newest[HEADER_SIZE:],
            )
        )
        return StateWrite(connector.key, value, timestamp)
