"""How a comparison asks the warehouse: which day, and one statement that counts and brings the worst."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from connectors.reconciliation.audit.figures import Figure, Offender
from connectors.reconciliation.days import midnight_ms

#: An order is made, pushed, and past by a sample, within this of its charge's end.
SETTLED_S = 600

#: Between two samples that are further apart than this, ms, so much may have been charged that what depends on the
#: register in between is judged loosely.
CLOSE_MS = 60_000


class Queries(Protocol):
    """What is needed of the warehouse."""

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        """Raises WarehouseError."""
        ...


@dataclass(frozen=True, slots=True)
class Scale:
    """What counts as right, and how much of the rest is told.

    `tolerance_kwh` is how far an energy may be off that two ways of measuring found, `worst` how many offenders each
    comparison brings.
    """

    tolerance_kwh: Decimal = Decimal("0.1")
    worst: int = 10


SCALE = Scale()


@dataclass(frozen=True, slots=True)
class Span:
    """One day, Beijing time, as seen at `now`: the orders whose charges ended on it, but for the last ten minutes
    before now, of which not all can be known."""

    day: date
    now: datetime

    @property
    def since(self) -> datetime:
        """When the day begins."""
        return datetime.fromtimestamp(midnight_ms(self.day) / 1000, UTC)

    @property
    def end(self) -> datetime:
        """When the day ends."""
        return self.since + timedelta(days=1)

    @property
    def until(self) -> datetime:
        """What ended before this is looked at."""
        return max(self.since, min(self.end, self.now - timedelta(seconds=SETTLED_S)))

    @property
    def is_whole(self) -> bool:
        """Whether all of the day is looked at."""
        return self.until == self.end

    def parameters(self) -> dict[str, Any]:
        """For a statement."""
        return {
            "since_ms": _ms(self.since),
            "until_ms": _ms(self.until),
            "end_ms": _ms(self.end),
            "now_ms": _ms(self.now),
        }


#: The beginning of every statement: instants as ClickHouse's, and the orders whose charges ended.
WITH_ENDED = """
WITH
    fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AS since,
    fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC') AS until,
    fromUnixTimestamp64Milli({end_ms:Int64}, 'UTC') AS day_end,
    fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC') AS asked_at,
    ended AS
    (
        SELECT * FROM orders FINAL WHERE ended_at >= since AND ended_at < until
    ),
"""

#: The end of every statement: `judged` has a row a thing, with `is_right`, and an offender's fields as columns; where
#: there is such a thing, with `is_loose`.
_COUNTED = """
SELECT
    count(),
    countIf(is_right),
    countIf(is_right AND {is_loose}),
    arraySlice(
        arrayReverseSort(groupArrayIf(
            (toDecimal128(off, 3), key, connector_id, expected, found, detail), NOT is_right)),
        1,
        {worst:UInt32})
FROM judged
"""


def figure(
    warehouse: Queries,
    comparison: str,
    judging: str,
    parameters: Mapping[str, Any],
    worst: int,
    platform: str = "",
    interface: str = "",
    *,
    has_loose: bool = False,
) -> Figure:
    """The figure of a comparison whose statement's common table expressions end in `judged`. Raises WarehouseError."""
    asked = {**parameters, "worst": worst}
    counted = _COUNTED.replace("{is_loose}", "is_loose" if has_loose else "false")
    ((checked, right, loose, wrong),) = warehouse.rows(WITH_ENDED + judging + counted, asked)
    offenders = tuple(
        Offender(key, connector_id, expected, found, detail, off)
        for off, key, connector_id, expected, found, detail in wrong
    )
    return Figure(comparison, checked, right, offenders, platform, interface, loose=loose)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
