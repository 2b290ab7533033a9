"""`evcs disputes`: the orders that platforms contest."""

import csv
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime, timedelta, timezone
from itertools import chain, islice

import click
from rich.console import Console
from rich.table import Table

from connectors.delivery.routing.settings import platforms_named
from connectors.interfaces.check_charge_orders import INTERFACE
from connectors.protocol import wire_json
from connectors.reconciliation.days import DAY_MS, midnight_ms
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.disputes import Contested, contested
from connectors.warehouse.settings import Warehouse

_BEIJING = timezone(timedelta(hours=8))

#: What codes mean, in the words of the view contested_orders: DisputeReason of check_charge_orders, and ConfirmResult;
#: others are the platforms' own.
_CHECKED = {0: "not told", 1: "not known to the platform", 2: "money is wrong", 3: "energy is wrong"}
_TOLD = {1: "contested"}
_OTHERS = "its own reason"

_COLUMNS = (*(field.name for field in fields(Contested)), "meaning")


@click.group("disputes")
def command() -> None:
    """The orders that platforms contest, in the nightly check or when they were told of them.

    Example: evcs disputes list --platform beijing
    """


@command.command("list")
@click.option("--platform", default="", help="Of this platform only.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Contested on this day, in Beijing's time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(platform: str, day: datetime | None, as_json: bool) -> None:
    """Show contested orders, oldest first: a table on a terminal, elsewhere lines with tabs and a heading.

    What a platform contests in the nightly check of a day is contested on the day after it. Times are Beijing's, energy
    is kWh, money CNY, as they were reported. They are in the warehouse once the sink has put them there.

    Example: evcs disputes list --platform beijing --day 2026-11-26
    """
    if platform:
        platforms_named([platform])
    span = None
    if day is not None:
        begin = midnight_ms(day.date())
        span = begin, begin + DAY_MS
    warehouse = WarehouseClient(Warehouse.from_env())
    asked = map(_shown, contested(warehouse, platform, span))
    try:
        rows = chain(list(islice(asked, 1)), asked)  # an error comes before anything is shown
        if as_json:
            for row in rows:
                click.echo(wire_json.encode(row))
        elif sys.stdout.isatty():
            _show_table(rows)
        else:
            writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
            writer.writerow(_COLUMNS)
            writer.writerows(row.values() for row in rows)
    finally:
        warehouse.close()


def _shown(one: Contested) -> dict[str, object]:
    at = one.disputed_at.astimezone(_BEIJING).isoformat(timespec="milliseconds")
    return {**asdict(one), "disputed_at": at, "meaning": _meaning(one)}


def _meaning(one: Contested) -> str:
    return (_CHECKED if one.interface == INTERFACE else _TOLD).get(one.code, _OTHERS)


def _show_table(rows: Iterable[dict[str, object]]) -> None:
    table = Table(box=None, header_style="bold")
    for name in _COLUMNS:
        right = name in ("code", "energy_kwh", "total_money")
        table.add_column(name.replace("_", " "), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(markup=False, highlight=False, emoji=False).print(table)  # a platform may have written some of it
    click.echo(f"{table.row_count} contested orders", err=True)
