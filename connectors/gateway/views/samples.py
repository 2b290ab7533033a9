"""The newest sample of each connector that charges, in memory: `connector-state` has one at every push, chargers send
several in between."""

from collections.abc import Callable

from schemas.codec import Codec
from schemas.errors import UndecodableRecord
from schemas.records.telemetry import Telemetry


class Samples:
    """Filled by one thread, read by another. `charges` tells whether a connector has an open charge: of all others
    nothing is kept, and nothing is decoded before it is asked for."""

    def __init__(self, codec: Codec, charges: Callable[[str], bool]) -> None:
        self._codec = codec
        self._charges = charges
        self._newest: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def put(self, key: bytes, value: bytes) -> None:
        """A record of `charger-telemetry`."""
        connector_id = key.decode(errors="replace")
        if self._charges(connector_id):
            self._newest[connector_id] = value
        else:
            self._newest.pop(connector_id, None)

    def newest(self, connector_id: str) -> Telemetry | None:
        """The newest sample; None without one, or if it can't be read, which the streams tell of."""
        value = self._newest.get(connector_id)
        try:
            return None if value is None else self._codec.decode_as(Telemetry, value)
        except UndecodableRecord:
            return None
