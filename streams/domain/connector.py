"""One connector as its worker holds it in memory. Hundreds of thousands of these live in one process."""

from dataclasses import dataclass
from typing import Final

from schemas.records.connector_state import ConnectorState
from schemas.telemetry_layout import order_code
from streams.domain.charge import Charge
from streams.domain.tariff import Tariff

#: A status before the first sample.
UNSEEN: Final = -1


def remembered(seqs: tuple[str, ...], seq: str, most: int) -> tuple[str, ...]:
    """These StartChargeSeqs and a newer one, without the oldest of more than `most`."""
    return (*seqs, seq)[-most:] if most else ()


@dataclass(slots=True, eq=False)
class Connector:
    """State of one connector. Instants are UTC ms.

    `prefix`, `cut`, `suffix`, `newest`, `newest_code`, `due_code` and `seen_at` serve the path that decodes
    nothing: a payload with the same `prefix` and the same ids in its `suffix` changes nothing but readings;
    `newest` is the payload of the newest sample, `newest_code` and `due_code` are order codes of its time and
    of the time from which a sample must be looked at. A `due_code` of 0 asks for a whole decode.
    """

    key: bytes
    prefix: bytes
    cut: int
    suffix: bytes
    newest: bytes | None
    newest_code: int
    due_code: int
    #: The worker's clock when the newest sample came: silence counts from here.
    seen_at: int
    equipment_id: str
    station_id: str
    #: As reported to platforms, 0 while silent; UNSEEN before the first sample.
    status: int
    park_status: int
    lock_status: int
    status_since: int
    status_pushed_at: int
    #: The last raw register that was looked at, Wh.
    meter_wh: int
    telemetry_offset: int
    event_offset: int
    charges: tuple[Charge, ...] = ()
    closed_seqs: tuple[str, ...] = ()
    #: Starts whose failure is put out. They may come about all the same, until they are closed.
    failed_seqs: tuple[str, ...] = ()
    #: When the timer that is set for this connector goes off, 0 for none.
    wakes_at: int = 0
    #: Samples that this state already includes may be read again, until its newest one has been.
    recovering: bool = False
    #: The encoded beginning of its state record, while a charge runs and nothing in it has changed.
    state_head: bytes | None = None

    @property
    def connector_id(self) -> str:
        """ConnectorID, which is the Kafka key."""
        return self.key.decode()

    def charge(self, seq: str) -> Charge | None:
        """The open charge with this StartChargeSeq."""
        for charge in self.charges:
            if charge.seq == seq:
                return charge
        return None

    def has_reached(self, at: int) -> bool:
        """Whether telemetry has come to this instant (UTC ms)."""
        return self.newest_code >= order_code(at)

    def running(self) -> Charge | None:
        """The charge that telemetry shows and whose end it has not come to."""
        for charge in reversed(self.charges):
            if not charge.passed and charge.first_sampled_at is not None:
                return charge
        return None

    @classmethod
    def unseen(cls, key: bytes) -> "Connector":
        """A connector of which nothing is known but that it exists."""
        return cls(
            key=key,
            prefix=b"\xff",
            cut=1,
            suffix=b"",
            newest=None,
            newest_code=0,
            due_code=0,
            seen_at=0,
            equipment_id="",
            station_id="",
            status=UNSEEN,
            park_status=0,
            lock_status=0,
            status_since=0,
            status_pushed_at=0,
            meter_wh=0,
            telemetry_offset=-1,
            event_offset=-1,
        )

    @classmethod
    def from_state(cls, key: bytes, state: ConnectorState, tariff: Tariff) -> "Connector":
        """The connector that the state topic kept; its sample's bytes are set by the tracker."""
        connector = cls.unseen(key)
        connector.equipment_id = state.equipment_id
        connector.station_id = state.station_id
        connector.status = state.status
        connector.park_status = state.park_status
        connector.lock_status = state.lock_status
        connector.status_since = state.status_since
        connector.status_pushed_at = state.status_pushed_at
        connector.telemetry_offset = state.telemetry_offset
        connector.event_offset = state.event_offset
        connector.closed_seqs = state.closed_seqs
        connector.failed_seqs = state.failed_seqs
        connector.charges = tuple(Charge.from_state(c, tariff) for c in state.charges)
        for charge in connector.charges:
            if charge.ended_at is not None and charge.first_sampled_at is not None and state.sample is not None:
                elsewhere = state.sample.start_charge_seq != charge.seq
                charge.passed = elsewhere or state.sample.sampled_at >= charge.ended_at
        running = connector.running()
        if running is not None:
            running.next_push_at = state.next_push_at
            if state.reading_at >= running.reading_at:
                running.reading_at, running.reading_wh = state.reading_at, state.reading_wh
                running.next_boundary = tariff.next_boundary(state.reading_at)
        return connector
