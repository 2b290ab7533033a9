"""The commands that platforms gave lately, in memory: what makes a repeated one the same one, whichever instance took
the first."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from schemas.codec import Codec
from schemas.errors import UndecodableRecord
from schemas.records.charger_commands import StartCharge, StopCharge

#: Commands beyond so many are forgotten, the oldest first; the topic keeps them for a day.
KEPT_MAX = 200_000

#: A start is answered, or its failure has been put in the answer's place, so long after its time is over, ms.
ANSWERED_MS = 60_000


@dataclass(slots=True)
class Commanded:
    """What was ordered of a charge. `stop_issued_at` in UTC ms, None without a stop."""

    start: StartCharge | None = None
    stop_issued_at: int | None = None


class Commands:
    """Filled by the follower's thread and, ahead of it, by the sender in the event loop."""

    def __init__(self, codec: Codec, most: int = KEPT_MAX) -> None:
        self._codec = codec
        self._most = most
        self._by_seq: OrderedDict[str, Commanded] = OrderedDict()
        self._noting = threading.Lock()
        self._of_connector: dict[str, tuple[StartCharge, ...]] = {}

    def __len__(self) -> int:
        return len(self._by_seq)

    def put(self, value: bytes) -> None:
        """A record of `charger-commands`. Raises UndecodableRecord."""
        command = self._codec.decode(value)
        if not isinstance(command, StartCharge | StopCharge):
            raise UndecodableRecord(f"is a {type(command).__name__}, not a command", reason="unexpected_record_type")
        self.note(command)

    def note(self, command: StartCharge | StopCharge) -> None:
        """A command that is on the topic. Of two starts the first counts."""
        with self._noting:
            commanded = self._by_seq.setdefault(command.start_charge_seq, Commanded())
            if isinstance(command, StopCharge):
                commanded.stop_issued_at = command.issued_at
            elif commanded.start is None:
                commanded.start = command
                before = self.starts_on(command.connector_id, command.issued_at)
                self._of_connector[command.connector_id] = (*before, command)
            if len(self._by_seq) > self._most:
                self._by_seq.popitem(last=False)

    def starts_on(self, connector_id: str, now_ms: int) -> tuple[StartCharge, ...]:
        """The starts of which it may be open at `now_ms` (UTC ms) what the connector makes of them."""
        known = self._of_connector.get(connector_id, ())
        return tuple(start for start in known if now_ms <= start.expires_at + ANSWERED_MS)

    def get(self, start_charge_seq: str) -> Commanded | None:
        """What was ordered of this charge."""
        return self._by_seq.get(start_charge_seq)
