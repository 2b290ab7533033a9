"""Days and nights of the nightly check, in Beijing's time: when a day is over, when it is to be checked, and which days
are. Pure; instants are UTC milliseconds.

China has kept UTC+8 without daylight saving since 1991, so this is arithmetic.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from connectors.policies import Reconciliation
from connectors.protocol.beijing_time import day_of

_EPOCH = date(1970, 1, 1)
_OFFSET_MS = 8 * 3_600_000
DAY_MS = 86_400_000

#: So long before the window closes it is looked for orders that turned up since.
_LAST_LOOK_MS = 1_800_000


def midnight_ms(day: date) -> int:
    """When the day begins."""
    return (day - _EPOCH).days * DAY_MS - _OFFSET_MS


def yesterday(now_ms: int) -> date:
    """The newest day that is over."""
    return day_of(now_ms) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Night:
    """In which a day is checked (Beijing V1.1 §1.1.15): orders may still be made until `settled_at`, and after
    `closes_at` the check is late."""

    day: date
    opens_at: int
    settled_at: int
    closes_at: int

    @classmethod
    def of(cls, day: date, policy: Reconciliation, deadline_s: float) -> "Night":
        """The night after the day; `deadline_s` is for how long it is open."""
        opens_at = midnight_ms(day + timedelta(days=1))
        settled_at = opens_at + policy.settle_s * 1000
        return cls(day, opens_at, settled_at, max(settled_at, opens_at + round(deadline_s * 1000)))

    @property
    def looks_at(self) -> tuple[int, int]:
        """When it is looked at the day: once its orders are made, and again, for late ones, before the night closes."""
        return self.settled_at, max(self.settled_at, self.closes_at - _LAST_LOOK_MS)

    def next_look_at(self, looked_at: int) -> int | None:
        """When to look after a look that was begun at `looked_at`; None if there is none left in this night."""
        return next((at for at in self.looks_at if looked_at < at), None)


def days_to_look_at(newest: date, policy: Reconciliation, checked: Collection[date]) -> list[date]:
    """Which days a night looks at, oldest first: `newest` (yesterday) and those before it back to the oldest that is
    known to have been checked, so that what came late and nights that were missed are made up for.

    Where nothing was ever checked, nothing was missed either.
    """
    oldest = newest - timedelta(days=policy.look_back_days - 1)
    begin = min((max(day, oldest) for day in checked if day <= newest), default=newest)
    return [begin + timedelta(days=n) for n in range((newest - begin).days + 1)]
