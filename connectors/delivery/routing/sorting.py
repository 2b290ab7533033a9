"""What becomes of a message from a derived topic: the lanes it goes to, its place among the others, and a dead letter
for whom it can't be told. Writes nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Message

from connectors.delivery.buffers import Place
from connectors.delivery.letter import letter_of
from connectors.delivery.routing.routes import Routes
from connectors.delivery.topics import SOURCES
from connectors.ends import Partition
from schemas.codec import RECORD_TYPES, Codec
from schemas.errors import UndecodableRecord
from schemas.records.derived import ChargeProgress, Derived, Order, StartResult, StatusChange, StopResult
from schemas.records.faults import DeadLetter
from schemas.topic import all_topics

_TYPES: dict[str, type] = {name: RECORD_TYPES[all_topics()[name].records[0]] for name in SOURCES}

#: Among a connector's records of the same millisecond: how a charge goes.
RANKS: dict[type, int] = {StatusChange: 0, StartResult: 1, ChargeProgress: 2, StopResult: 3, Order: 4}


class Routed(NamedTuple):
    """A record for these lane topics, or none; `letter` tells of those that it could not be routed to."""

    topics: Sequence[str]
    key: bytes
    value: bytes | None
    timestamp: int
    letter: DeadLetter | None


class Sorting:
    """Sorts messages; `names` gives the declared name of a topic on the cluster."""

    def __init__(self, routes: Routes, codec: Codec, names: Mapping[str, str], now_ms: Callable[[], int]) -> None:
        self._routes = routes
        self._codec = codec
        self._names = names
        self._now_ms = now_ms

    def sort(self, message: Message) -> tuple[Place, Routed]:
        """The place of a message and what becomes of it."""
        name = self._names[message.topic() or ""]
        timestamp = message.timestamp()[1]
        try:
            record: Derived = self._codec.decode_as(_TYPES[name], message.value())
        except UndecodableRecord as problem:
            letter = self._letter(message, name, problem.reason, str(problem))
            return (timestamp, RANKS[_TYPES[name]]), Routed((), b"", None, timestamp, letter)
        route = self._routes.of(record)
        unknown = None
        if route.undecided:
            whom = ", ".join(route.undecided)
            detail = f"station {record.station_id!r} is not on station-catalog: not routed to {whom}"
            unknown = self._letter(message, name, "unknown_station", detail)
        routed = Routed(route.topics, record.connector_id.encode(), message.value(), timestamp, unknown)
        return (timestamp, RANKS[type(record)]), routed

    def too_large(self, partition: Partition, offset: int, routed: Routed) -> DeadLetter:
        """The letter of a record that no lane takes."""
        detail = f"its {len(routed.value or b'')} bytes are too many to route, and to keep"
        name, at = self._names[partition[0]], (partition[1], offset, routed.timestamp)
        return DeadLetter("too_large", detail, name, *at, self._now_ms(), routed.key, None)

    def _letter(self, message: Message, name: str, reason: str, detail: str) -> DeadLetter:
        return letter_of(message, name, reason, detail, self._now_ms())
