"""One audit: every comparison of a day, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

from connectors.errors import MisconfiguredService
from connectors.platform import Platform
from connectors.reconciliation.audit.asking import SCALE, Queries, Scale, Span
from connectors.reconciliation.audit.electricity import electricity
from connectors.reconciliation.audit.energy import energy
from connectors.reconciliation.audit.figures import Audit, Figure
from connectors.reconciliation.audit.pushes import pushes
from connectors.reconciliation.audit.sums import sums


def audit(
    warehouse: Queries,
    day: date,
    now: datetime,
    platforms: Iterable[Platform],
    scale: Scale = SCALE,
    tell: Callable[[str], None] = lambda what: None,
) -> Audit:
    """The audit of `day`, Beijing time; `tell` hears what is compared next. It takes seconds for 30,000 orders.

    Raises WarehouseError, and MisconfiguredService for a day that has not begun.
    """
    span = Span(day, now)
    if span.since >= now:
        raise MisconfiguredService(f"{day} has not begun in Beijing: name a day that has")
    return Audit(day, span.until, span.is_whole, tuple(_figures(warehouse, span, platforms, scale, tell)))


def _figures(
    warehouse: Queries, span: Span, platforms: Iterable[Platform], scale: Scale, tell: Callable[[str], None]
) -> Iterator[Figure]:
    tell(f"comparing orders of {span.day} with telemetry")
    yield energy(warehouse, span, scale)
    tell("comparing details with totals")
    yield sums(warehouse, span, scale)
    for platform in platforms:
        tell(f"comparing what {platform.name} was told with orders")
        yield from pushes(warehouse, span, scale, platform)
    tell("comparing statistics with orders")
    yield electricity(warehouse, span, scale)
