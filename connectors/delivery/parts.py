"""The parts of a delivery process, as /readyz and /metrics look at them, on another thread than theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connectors.delivery.breaker import BreakerState
from connectors.delivery.tally import Tally
from connectors.delivery.topics import Lane


class Part(Protocol):
    """One of them."""

    @property
    def ready(self) -> bool:
        """Whether it has been given its partitions, and is not ending."""
        ...

    @property
    def partitions(self) -> int:
        """How many it has."""
        ...


class Forwarding(Part, Protocol):
    """The router, or the retry scheduler."""

    @property
    def forwarded(self) -> int:
        """Records that have left in transactions that count."""
        ...

    @property
    def waiting(self) -> int:
        """Records that were read and have not left."""
        ...


class Delivering(Part, Protocol):
    """One platform's lanes."""

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        ...

    @property
    def held(self) -> Mapping[Lane, int]:
        """Records in memory."""
        ...

    @property
    def lags(self) -> Mapping[Lane, int]:
        """Records of these partitions that are not committed, as of the last second, or the last five for those that
        are not read because enough is held."""
        ...

    @property
    def breaker_state(self) -> BreakerState:
        """Whether calls go out."""
        ...


@dataclass(slots=True)
class PlatformLanes:
    """A platform's lanes, which may fail and begin again; None while they wait for that."""

    tally: Tally = field(default_factory=Tally)
    restarts: int = 0
    delivery: Delivering | None = None


@dataclass(slots=True)
class Parts:
    """All that one process does. It is `working` from when all that it was asked for are here until it ends."""

    forwarders: dict[str, Forwarding] = field(default_factory=dict)
    platforms: dict[str, PlatformLanes] = field(default_factory=dict)
    working: bool = False

    @property
    def ready(self) -> bool:
        """Whether every part has been given its partitions, and the process is not ending."""
        lanes = (platform.delivery for platform in self.platforms.values())
        return self.working and all(part is not None and part.ready for part in (*self.forwarders.values(), *lanes))
