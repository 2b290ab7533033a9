"""Which contents have been seen before, by fingerprint: what makes a push a repeat.

A charge's payloads carry their own times, so a content seen before is a repeat. A connector's status does not:
there it is a repeat only if it is the latest one, and comes again sooner than the 3 h rule could ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.simulator.platform.dialect import STATION_STATUS
from infra.simulator.platform.wire_json import Payload

UNCHANGED_AFTER_S = 5400.0
"""Half of the 3 h of Beijing V1.1 §1.1.2: an unchanged status after this long is a reminder, not a repeat."""


def fingerprint(payload: Payload) -> int:
    """A number for the content of a checked payload, for this process only.

    A table returns its fields in its own order, so the order on the wire does not matter.
    """
    return hash(tuple([(name, _frozen(item)) for name, item in payload.items()]))


def _frozen(value: object) -> object:
    if type(value) is dict:
        return fingerprint(value)
    if type(value) is list:
        return tuple(map(_frozen, value))
    return value


@dataclass(slots=True)
class _Seen:
    latest: int = 0
    arrived: float = 0.0
    total: int = 0
    contents: dict[int, int] = field(default_factory=dict)


class Sightings:
    """Remembers at most `most` keys; with `every_content` false, of each key only the latest content."""

    def __init__(self, most: int, *, every_content: bool) -> None:
        self._most = most
        self._every_content = every_content
        self._keys: dict[tuple[str, str], _Seen] = {}

    def see(self, interface: str, key: str, content: int, now: float) -> int:
        """How often this content has now been seen; 1 when it is new."""
        place = (interface, key)
        seen = self._keys.get(place)
        if seen is None:
            seen = self._keys[place] = _Seen()
            if len(self._keys) > self._most:
                del self._keys[next(iter(self._keys))]
        if self._starts_afresh(interface, seen, content, now):
            seen.contents.clear()
        times = seen.contents[content] = seen.contents.get(content, 0) + 1
        seen.latest, seen.arrived = content, now
        seen.total += 1
        return times

    def times(self, interface: str, key: str) -> int:
        """Pushes seen about a key."""
        seen = self._keys.get((interface, key))
        return seen.total if seen else 0

    def _starts_afresh(self, interface: str, seen: _Seen, content: int, now: float) -> bool:
        if interface == STATION_STATUS:
            return content != seen.latest or now - seen.arrived >= UNCHANGED_AFTER_S
        return not self._every_content and content != seen.latest
