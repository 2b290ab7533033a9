"""`evcs nightly`: what platforms started on a day is told to them again as a whole, and what they contest is kept."""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta

import click

from connectors.reconciliation.days import yesterday
from connectors.reconciliation.settings import NightlySettings
from infra.errors import OperatorError
from infra.interruption import told_to_end_as_by_ctrl_c
from infra.local.progress import Progress, shown_on_stderr
from infra.log_level import LOG_LEVEL
from infra.number_range import NumberRange
from schemas.clock import wall_ms

EPILOG = """\b
Example:
  evcs nightly
  evcs nightly beijing --admin-host 0.0.0.0 --admin-port 9083
  evcs nightly beijing --day 2026-11-25
"""

#: Orders of before can't be made any more, nor is what was fixed then kept for ever.
_BACK_MAX_DAYS = 90

_TOLD_EVERY_S = 1.0


@click.command("nightly", epilog=EPILOG)
@click.argument("platforms", nargs=-1)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Check this day now, in Beijing's time, and end.")
@click.option(
    "--give-up-after",
    default=10_800.0,
    show_default=True,
    type=NumberRange(0, min_open=True),
    help="With --day: end after so many seconds, whatever is open.",
)
@click.option("--admin-host", help="For health, readiness and metrics; EVCS_NIGHTLY_ADMIN_HOST or 127.0.0.1.")
@click.option("--admin-port", type=int, help="By default EVCS_NIGHTLY_ADMIN_PORT or 8083; 0 takes a free one.")
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")
def command(
    platforms: tuple[str, ...],
    day: datetime | None,
    give_up_after: float,
    admin_host: str | None,
    admin_port: int | None,
    log_level: str,
) -> None:
    """Check orders nightly with PLATFORMS, or with all that have check_charge_orders and the secrets, until told to
    stop.

    Between 00:00 and 03:00 in Beijing, each is told of the orders that it started on the day before, once the sink has
    put them into the warehouse. What it contests goes to `order-disputes`: see `evcs disputes list`. A night that was
    missed is made up for at once. What is fixed for a day is never told in another way, however often this is started,
    stopped or killed.

    With --day that day is checked now: one JSON object for each platform, exit status 1 unless all was taken.
    """
    from connectors.reconciliation.process import run

    logging.getLogger().setLevel(log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    settings = NightlySettings.from_env(platforms)
    if day is None:
        run(settings.listening_at(admin_host, admin_port))
        return
    _check(settings, _over(day.date()), give_up_after)


def _check(settings: NightlySettings, day: date, give_up_after_s: float) -> None:
    """Checks one day, and shows what came of it."""
    from connectors.protocol import wire_json
    from connectors.reconciliation.service import check_day
    from connectors.warehouse.client import WarehouseClient

    began = time.monotonic()
    warehouse = WarehouseClient(settings.warehouse)
    with told_to_end_as_by_ctrl_c(), shown_on_stderr() as tell, _given_up(give_up_after_s) as stopping:
        books = check_day(settings, warehouse, day, stopping, Seldom(tell))
    warehouse.close()
    seconds = round(time.monotonic() - began, 3)
    complete = []
    for checked in settings.checked:
        name = checked.platform.name
        sums = books[name].sums(day) if name in books else None
        figures = {} if sums is None else asdict(sums)
        complete.append(sums is not None and not sums.open and not sums.refused)
        shown = {"platform": name, "day": f"{day}", "complete": complete[-1], **figures, "seconds": seconds}
        click.echo(wire_json.encode(shown).decode())
    if not all(complete):
        sys.exit(1)


def _over(day: date) -> date:
    """The day, if it can be checked. Raises OperatorError."""
    newest = yesterday(wall_ms())
    if day > newest:
        raise OperatorError(f"{day} is not over in Beijing: the newest day that can be checked is {newest}")
    oldest = newest - timedelta(days=_BACK_MAX_DAYS)
    if day < oldest:
        raise OperatorError(f"{day} is too long ago: days since {oldest} can be checked")
    return day


@contextmanager
def _given_up(after_s: float) -> Iterator[threading.Event]:
    """An event that is set after so long."""
    stopping = threading.Event()
    timer = threading.Timer(after_s, stopping.set)
    timer.daemon = True
    timer.start()
    try:
        yield stopping
    finally:
        timer.cancel()


class Seldom:
    """Passes on one line a second."""

    def __init__(self, tell: Progress) -> None:
        self._tell = tell
        self._next_at = 0.0

    def __call__(self, text: str) -> None:
        """One line."""
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + _TOLD_EVERY_S
            self._tell(text)
