"""`evcs audit`: how much of a day's data is right."""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import click

from connectors.delivery.routing.settings import platforms_named
from connectors.errors import ConnectorsError
from connectors.platform import load_platforms
from connectors.protocol.errors import ProtocolError
from connectors.reconciliation.audit.asking import SCALE, Scale
from connectors.reconciliation.audit.figures import LEAST_PERCENT, Audit
from connectors.reconciliation.audit.run import audit
from connectors.reconciliation.days import yesterday
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.audit_telling import as_csv, as_json, lines
from infra.local.progress import shown_on_stderr
from schemas.clock import wall_ms

#: More offenders than there are orders on any day.
_ALL = 2**31

EPILOG = """\b
Example:
  evcs audit
  evcs audit 2026-03-01 --platform beijing --all --format csv > offenders.csv
"""


class _Amount(click.ParamType):
    """A decimal from 0 to `most`."""

    name = "number"

    def __init__(self, most: Decimal) -> None:
        self._most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is no number", param, ctx)
        if not (amount.is_finite() and 0 <= amount <= self._most):
            self.fail(f"{value} is not from 0 to {self._most}", param, ctx)
        return amount


@click.command("audit", epilog=EPILOG)
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]), required=False, metavar="[DAY]")
@click.option("--platform", "names", multiple=True, help="Pushes to this platform only; may be given several times.")
@click.option(
    "--tolerance-kwh",
    type=_Amount(Decimal(1000)),
    default=SCALE.tolerance_kwh,
    show_default=True,
    help="How far an energy may be off telemetry, or the statistics of a connector's day off its orders.",
)
@click.option(
    "--least",
    type=_Amount(Decimal(100)),
    default=LEAST_PERCENT,
    show_default=True,
    help="Percent of each comparison that must be right.",
)
@click.option(
    "--worst",
    type=click.IntRange(0, _ALL),
    default=SCALE.worst,
    show_default=True,
    help="How many offenders of each comparison are shown.",
)
@click.option("--all", "everyone", is_flag=True, help="Show all offenders.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True,
    help="csv has the offenders; the rates then go to stderr.",
)  # fmt: skip
def command(
    day: datetime | None,
    names: tuple[str, ...],
    tolerance_kwh: Decimal,
    least: Decimal,
    worst: int,
    everyone: bool,
    form: str,
) -> None:
    """Compare what the warehouse holds of DAY (yyyy-mm-dd, Beijing time; by default yesterday).

    The energy of each order with what its connector's register rose by; tariff periods with totals; what each
    platform has confirmed, and in time, with the orders that it is owed; the statistics of each connector with its
    orders. A day's orders are those whose charges ended on it.

    Where a connector was silent for more than a minute around the end of a charge, an energy is right if it is one that
    the registers before and behind allow; how many are right only so is told as judged loosely.

    Exit status 1 if a rate is below --least, 2 if the comparison could not be made.
    """
    try:
        found = _audited(day.date() if day else None, names, Scale(tolerance_kwh, _ALL if everyone else worst))
    except (ConnectorsError, ProtocolError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    if form == "json":
        click.echo(as_json(found, least))
    elif form == "csv":
        click.echo("\n".join(lines(found, least, offenders=False)), err=True)
        click.echo(as_csv(found), nl=False)
    else:
        click.echo("\n".join(lines(found, least)))
    if not found.meets(least):
        sys.exit(1)


def _audited(day: date | None, names: tuple[str, ...], scale: Scale) -> Audit:
    # Without names a profile that is wrong is no reason to show nothing of the others.
    platforms = platforms_named(names) if names else tuple(load_platforms().platforms.values())
    now = datetime.now(UTC)
    client = WarehouseClient(Warehouse.from_env())
    try:
        with shown_on_stderr() as tell:
            return audit(client, day or yesterday(wall_ms()), now, platforms, scale, tell)
    finally:
        client.close()
