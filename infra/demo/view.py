"""The demo's live view: a table in a terminal, a line now and then elsewhere."""

from collections import Counter

from rich.console import Group
from rich.panel import Panel
from rich.table import Table

from infra.demo.scoreboard import Scoreboard
from schemas.values import ConnectorStatus


def render(scoreboard: Scoreboard, elapsed_s: float, telemetry: int, note: str) -> Panel:
    """The whole view as it stands."""
    by_status = Counter(scoreboard.statuses.values())
    chargers = Table(expand=True, title="chargers", title_justify="left")
    for status in ConnectorStatus:
        chargers.add_column(status.name.lower(), justify="right")
    chargers.add_row(*(str(by_status.get(status, 0)) for status in ConnectorStatus))
    pushes = Table(expand=True, title="pushes", title_justify="left")
    pushes.add_column("interface")
    for column in ("due", "confirmed", "late", "p50 ms", "p99 ms"):
        pushes.add_column(column, justify="right")
    for name, line in sorted(dict(scoreboard.lines).items()):
        pushes.add_row(
            name,
            str(line.due),
            str(line.confirmed),
            f"[red]{line.late}[/red]" if line.late else "0",
            f"{line.quantile(0.5) * 1000:.0f}",
            f"{line.quantile(0.99) * 1000:.0f}",
        )
    orders = f"orders: {len(scoreboard.orders)} finalized, {scoreboard.confirmed_orders()} confirmed"
    troubles = ", ".join(f"{count} × {what}" for what, count in scoreboard.troubles.most_common(4)) or "none"
    footer = f"{orders}\ntelemetry: {telemetry:,} samples\nfaults: {troubles}\n[dim]{note}[/dim]"
    return Panel(Group(chargers, pushes, footer), title=f"EVCS Streams · {elapsed_s:.0f} s", border_style="cyan")


def summary_line(scoreboard: Scoreboard, elapsed_s: float, telemetry: int) -> str:
    """The view in one line, for logs."""
    due = sum(line.due for line in scoreboard.lines.values())
    confirmed = sum(line.confirmed for line in scoreboard.lines.values())
    late = sum(line.late for line in scoreboard.lines.values())
    return (
        f"{elapsed_s:5.0f} s  {telemetry:,} samples  {confirmed:,} of {due:,} pushes confirmed, {late} late  "
        f"{len(scoreboard.orders)} orders"
    )
