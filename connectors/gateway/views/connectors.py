"""The connectors' newest states in memory, and on which connector each open charge is."""

import logging
from typing import NamedTuple

from connectors.gateway.views.known_state import KnownState, known
from schemas.codec import Codec
from schemas.connector_state_layout import read_head
from schemas.errors import UndecodableRecord
from schemas.records.connector_state import ConnectorState

log = logging.getLogger(__name__)


class Statuses(NamedTuple):
    """What the standard asks of a connector: Status, ParkStatus, LockStatus."""

    status: int
    park_status: int
    lock_status: int


#: A connector that has never said anything.
UNHEARD = Statuses(0, 0, 0)


class Connectors:
    """Filled by one thread, read by another; a connector's state is replaced as a whole.

    What is kept of a connector are texts, bytes, what many have in common, and of one that charges its KnownState:
    next to nothing that the garbage collector walks.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._records: dict[str, bytes | KnownState] = {}
        self._statuses: dict[str, Statuses] = {}
        self._open_seqs: dict[str, tuple[str, ...]] = {}
        self._of_charge: dict[str, str] = {}
        self._alike: dict[Statuses, Statuses] = {}
        self._is_settled = False

    def __len__(self) -> int:
        return len(self._records)

    def put(self, key: bytes, value: bytes | None) -> None:
        """A record of `connector-state`. Raises UndecodableRecord."""
        connector_id = key.decode(errors="replace")
        open_seqs: tuple[str, ...] = ()
        if value is None:
            self._records.pop(connector_id, None)
            self._statuses.pop(connector_id, None)
        else:
            head = read_head(self._codec, value)
            open_seqs = head.charge_seqs
            statuses = Statuses(head.status, head.park_status, head.lock_status)
            self._records[connector_id] = self._known(value) if open_seqs and self._is_settled else value
            self._statuses[connector_id] = self._alike.setdefault(statuses, statuses)
        before = self._open_seqs.pop(connector_id, ())
        if open_seqs:
            self._open_seqs[connector_id] = open_seqs
        for seq in open_seqs:
            self._of_charge[seq] = connector_id
        for seq in before:
            if seq not in open_seqs and self._of_charge.get(seq) == connector_id:
                del self._of_charge[seq]

    def settle(self) -> None:
        """Once all that lay on the topic has been read: of the many states of a charge the newest is decoded alone."""
        for connector_id in self._open_seqs:
            state = self.state(connector_id)
            if state is not None:
                self._records[connector_id] = state
        self._is_settled = True

    def statuses(self, connector_id: str) -> Statuses:
        """How a connector stands; UNHEARD for one of which nothing has come."""
        return self._statuses.get(connector_id, UNHEARD)

    def state(self, connector_id: str) -> KnownState | None:
        """All that is known of a connector; None if nothing is, or it can't be read, which a log line tells."""
        record = self._records.get(connector_id)
        try:
            return self._known(record) if isinstance(record, bytes) else record
        except UndecodableRecord as error:
            log.error("the state of connector %r can't be read: %s", connector_id, error)
            return None

    def charges(self, connector_id: str) -> bool:
        """Whether a charge is open on the connector."""
        return connector_id in self._open_seqs

    def of_charge(self, start_charge_seq: str) -> str | None:
        """The connector on which this charge is open."""
        return self._of_charge.get(start_charge_seq)

    def _known(self, record: bytes) -> KnownState:
        return known(self._codec.decode_as(ConnectorState, record))
