"""The connectors' newest states in memory, and on which connector each open charge is."""

from typing import NamedTuple

from schemas.codec import Codec
from schemas.connector_state_layout import read_head
from schemas.records.connector_state import ConnectorState


class Statuses(NamedTuple):
    """What the standard asks of a connector: Status, ParkStatus, LockStatus."""

    status: int
    park_status: int
    lock_status: int


class _Known(NamedTuple):
    statuses: Statuses
    open_seqs: tuple[str, ...]
    record: bytes


#: A connector that has never said anything.
UNHEARD = Statuses(0, 0, 0)


class Connectors:
    """Filled by one thread, read by another; a connector's state is replaced as a whole."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._known: dict[str, _Known] = {}
        self._of_charge: dict[str, str] = {}
        self._statuses: dict[Statuses, Statuses] = {}

    def __len__(self) -> int:
        return len(self._known)

    def put(self, key: bytes, value: bytes | None) -> None:
        """A record of `connector-state`. Raises UndecodableRecord."""
        connector_id = key.decode(errors="replace")
        before = self._known.get(connector_id)
        if value is None:
            self._known.pop(connector_id, None)
            open_seqs: tuple[str, ...] = ()
        else:
            head = read_head(self._codec, value)
            open_seqs = head.charge_seqs
            statuses = Statuses(head.status, head.park_status, head.lock_status)
            self._known[connector_id] = _Known(self._statuses.setdefault(statuses, statuses), open_seqs, value)
        for seq in open_seqs:
            self._of_charge[seq] = connector_id
        for seq in before.open_seqs if before is not None else ():
            if seq not in open_seqs and self._of_charge.get(seq) == connector_id:
                del self._of_charge[seq]

    def statuses(self, connector_id: str) -> Statuses:
        """How a connector stands; UNHEARD for one of which nothing has come."""
        known = self._known.get(connector_id)
        return UNHEARD if known is None else known.statuses

    def state(self, connector_id: str) -> ConnectorState | None:
        """All that is known of a connector."""
        known = self._known.get(connector_id)
        return None if known is None else self._codec.decode_as(ConnectorState, known.record)

    def charges(self, connector_id: str) -> bool:
        """Whether a charge is open on the connector."""
        known = self._known.get(connector_id)
        return known is not None and bool(known.open_seqs)

    def of_charge(self, start_charge_seq: str) -> str | None:
        """The connector on which this charge is open."""
        return self._of_charge.get(start_charge_seq)
