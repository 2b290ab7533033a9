"""`evcs demo`: everything at work on this machine."""

import json
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from infra.interruption import told_to_end_as_by_ctrl_c
from infra.number_range import NumberRange

if TYPE_CHECKING:
    from infra.demo.scoreboard import Scoreboard

_LINE_EVERY_S = 10.0

#: What a shell says of a command that Ctrl-C has ended.
_INTERRUPTED_STATUS = 130


@click.command("demo")
@click.option("--seconds", type=NumberRange(1), help="end after so long [default: until Ctrl-C]")
@click.option("--connectors", default=200, show_default=True, type=click.IntRange(1, 20_000))
@click.option("--seed", default=1, show_default=True)
def command(seconds: float | None, connectors: int, seed: int) -> None:
    """Run Kafka, ClickHouse, streams, delivery, gateway, sink, a charger fleet and a simulated Beijing platform, and
    watch them.

    The platform also calls: it asks for the stations, their statuses and statistics, starts a charge, watches it, stops
    it and waits for its order. At the end the fleet stops, what is in flight is drained, the electricity that the
    platform is told of is compared with the chargers' meters, and the last line is a JSON object; the exit status is 0
    only if all was stored and nothing was lost, late, wrong or against the standard. Logs are in .evcs/demo.

    SIGTERM and a closed terminal end it as Ctrl-C does. Told so before all is at work, or once more, it ends at
    once: the JSON says "ended": "interrupted", the exit status is 130.

    Example: evcs demo --seconds 120
    """
    try:
        with told_to_end_as_by_ctrl_c():
            result = _shown(seconds, connectors, seed)
    except KeyboardInterrupt:
        result = {"ended": "interrupted"}
    except Exception as error:
        click.echo(json.dumps({"ended": "failed", "error": str(error)}))
        raise
    click.echo(json.dumps(result))
    sys.exit(_status(result))


def _status(result: Mapping[str, object]) -> int:
    if result["ended"] == "interrupted":
        return _INTERRUPTED_STATUS
    pushes = result["pushes"]
    late = any(line["late"] for line in pushes.values()) if isinstance(pushes, dict) else True
    around = result["round_trip"]
    electricity = result["electricity"]
    failed = any(bool(part["failure"]) if isinstance(part, dict) else True for part in (around, electricity))
    return 1 if result["lost"] or result["violations"] or late or failed else 0


def _shown(seconds: float | None, connectors: int, seed: int) -> dict[str, object]:
    """Runs the demo with its live view, or with a line now and then where there is no terminal."""
    # Loading all this takes seconds, and a Ctrl-C in them ends like any other.
    from rich.console import Console
    from rich.live import Live

    from infra.demo.run import DemoSettings, run_demo
    from infra.demo.view import render, summary_line

    settings = DemoSettings(connectors=connectors, seconds=seconds, seed=seed)
    console = Console()
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=False) as live:

            def show(scoreboard: "Scoreboard", elapsed_s: float, telemetry: int, note: str) -> None:
                live.update(render(scoreboard, elapsed_s, telemetry, note))

            result = run_demo(settings, show, live.console.print)
    else:
        last = 0.0

        def show_line(scoreboard: "Scoreboard", elapsed_s: float, telemetry: int, note: str) -> None:
            nonlocal last
            if time.monotonic() - last >= _LINE_EVERY_S:
                last = time.monotonic()
                click.echo(f"{summary_line(scoreboard, elapsed_s, telemetry)}  ({note})", err=True)

        result = run_demo(settings, show_line, lambda text: click.echo(text, err=True))
    return result
