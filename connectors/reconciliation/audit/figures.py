"""What an audit finds: of how many things how many are right, and those that are not. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

#: Percent that must be right at least (Beijing V1.1 §3.1, §3.2).
LEAST_PERCENT = Decimal("99.99")

_PERCENT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Offender:
    """One thing that is not right. `key` is a StartChargeSeq, or the ConnectorID where a connector's day is compared;
    `off` how far it is off, in the comparison's unit: the worst come first."""

    key: str
    connector_id: str
    expected: str
    found: str
    detail: str
    off: Decimal


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison, of one platform and interface where it is of these. `offenders` are the worst that were asked
    for, of `checked - right`; `note` says why nothing could be compared, or what was left out. `loose` is how many of
    `right` are so for all that is known, where samples were far apart: an error may hide among them."""

    comparison: str
    checked: int
    right: int
    offenders: tuple[Offender, ...] = ()
    platform: str = ""
    interface: str = ""
    note: str = ""
    loose: int = 0

    @property
    def wrong(self) -> int:
        """How many are not right."""
        return self.checked - self.right

    @property
    def percent(self) -> Decimal | None:
        """How many percent are right, to four decimals and never rounded up; None where there was nothing."""
        if not self.checked:
            return None
        return (Decimal(100 * self.right) / self.checked).quantize(_PERCENT, ROUND_DOWN)

    def meets(self, least_percent: Decimal) -> bool:
        """Whether so many percent are right, exactly; nothing to compare is nothing wrong."""
        return 100 * self.right >= least_percent * self.checked


@dataclass(frozen=True, slots=True)
class Audit:
    """All comparisons of one day, Beijing time; `until` is where it had to end if the day was not over."""

    day: date
    until: datetime
    is_whole: bool
    figures: tuple[Figure, ...]

    def meets(self, least_percent: Decimal) -> bool:
        """Whether each rate does."""
        return all(figure.meets(least_percent) for figure in self.figures)

    @property
    def checked(self) -> int:
        """How many things were compared in all."""
        return sum(figure.checked for figure in self.figures)
