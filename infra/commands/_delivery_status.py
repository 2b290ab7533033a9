"""`evcs delivery status`: how every platform fares."""

import json
import signal
import time

import click
from rich.console import Console
from rich.table import Table

from connectors.delivery.routing.settings import platforms_named
from connectors.platform import load_platforms
from infra.delivery_status import SILENT_AFTER_MS, LaneReport, gather
from infra.errors import NoAnswer
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.records.delivery import LaneStatus

_WATCH_S = 5.0

#: More than a line of the table has.
_PIPED_WIDTH = 1_000


@click.command()
@click.argument("platforms", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a lane and line.")
@click.option("--watch", is_flag=True, help="Show it again every 5 s until Ctrl-C.")
def status(platforms: tuple[str, ...], as_json: bool, watch: bool) -> None:
    """Show the lanes of PLATFORMS, or of all: what waits, the oldest undelivered order and its age, the breaker, the
    rate, and the last error.

    Needs no running delivery: it reads the lanes and ladders themselves.

    Example: evcs delivery status beijing
    """
    cluster = KafkaCluster.from_env()
    # Without names a profile that is wrong is no reason to show nothing of the others.
    chosen = platforms_named(platforms) if platforms else load_platforms().platforms.values()
    show = _show_json if as_json else _show
    if not watch:
        show(gather(cluster, chosen, lambda text: None if as_json else click.echo(text, err=True)), wall_ms())
        return
    # Ctrl-C ends it as it stands, since it holds nothing; the exception is lost while a client of Kafka is being freed.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        try:
            show(gather(cluster, chosen), wall_ms())
        except NoAnswer as error:  # it may come back
            click.echo(str(error), err=True)
        time.sleep(_WATCH_S)


def as_dict(report: LaneReport, now_ms: int) -> dict[str, object]:
    """A report as `--json` prints it; ages in seconds."""
    alive = [told for told in report.processes if now_ms - told.reported_at <= SILENT_AFTER_MS]
    oldest = report.oldest
    return {
        "platform": report.platform,
        "lane": report.lane,
        "backlog": report.backlog,
        "on_ladder": report.on_ladder,
        "undelivered_orders": report.orders,
        "oldest_order": oldest.start_charge_seq if oldest else None,
        "oldest_age_s": round((now_ms - oldest.since) / 1000) if oldest else None,
        "processes": len(alive),
        "breaker": _breaker(alive),
        "reason": next((told.reason for told in alive if told.reason), ""),
        "pushes_per_s": round(sum(told.pushes_per_s for told in alive), 1),
        "in_flight": sum(told.in_flight for told in alive),
        "last_error": _last_error(report.processes),
    }


def _breaker(alive: list[LaneStatus]) -> str:
    """The worst of the processes'."""
    states = {told.breaker for told in alive}
    return next((state for state in ("PAUSED", "OPEN", "CLOSED") if state in states), "not running")


def _last_error(processes: list[LaneStatus]) -> str:
    told = [p for p in processes if p.last_error_at is not None]
    return max(told, key=lambda p: p.last_error_at or 0).last_error if told else ""


def _show_json(reports: list[LaneReport], now_ms: int) -> None:
    for report in reports:
        click.echo(json.dumps(as_dict(report, now_ms), ensure_ascii=False))


def _show(reports: list[LaneReport], now_ms: int) -> None:
    table = Table(box=None, header_style="bold")
    for name in (
        "platform",
        "lane",
        "backlog",
        "on ladder",
        "oldest undelivered order",
        "breaker",
        "pushes/s",
        "last error",
    ):
        right = name in ("backlog", "on ladder", "pushes/s")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for report in reports:
        shown = as_dict(report, now_ms)
        oldest = f"{shown['oldest_order']}, {_age(shown['oldest_age_s'])}" if shown["oldest_order"] else "-"
        table.add_row(
            report.platform,
            report.lane,
            f"{report.backlog:,}",
            f"{report.on_ladder:,}" if report.lane == "orders" else "",
            oldest if report.lane == "orders" else "",
            str(shown["breaker"]),
            str(shown["pushes_per_s"]),
            str(shown["reason"] or shown["last_error"]),
        )
    console = Console(markup=False, highlight=False, emoji=False)  # errors are the platforms' words
    if not console.is_terminal:  # what reads a pipe or a file wants one line a lane
        console.width = _PIPED_WIDTH
    console.print(table)


def _age(seconds: object) -> str:
    assert isinstance(seconds, int)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
