"""`evcs local`: a real Kafka broker and a real ClickHouse on this machine, up, down and their state.

With EVCS_KAFKA_BOOTSTRAP or EVCS_CLICKHOUSE_URL set, what they name is used, and nothing is started in its place.
"""

import json
import sys
from dataclasses import replace

import click

from connectors.errors import ConnectorsError
from infra.errors import OperatorError
from infra.local.clickhouse.part import ClickHousePart
from infra.local.kafka_part import KafkaPart
from infra.local.part import Part
from infra.local.progress import shown_on_stderr
from infra.local.settings import LocalSettings, parse_port

#: `status` of what does not run, as init scripts have it.
NOT_RUNNING = 3

_only = click.option("--only", type=click.Choice([KafkaPart.name, ClickHousePart.name]), help="Only one of the two.")


@click.group("local")
def command() -> None:
    """Run a Kafka broker and a ClickHouse on this machine.

    They need nothing but Python: Java and chDB come as wheels, Kafka from the Maven repository at the first start.
    Everything lies under .evcs, or under EVCS_HOME.

    Example: evcs local up
    """


@command.command()
@click.option("--port", help="Kafka's port on 127.0.0.1; 0 takes a free one. [default: EVCS_KAFKA_PORT or 19092]")
@click.option("--clickhouse-port", help="ClickHouse's, the same way. [default: EVCS_CLICKHOUSE_PORT or 18123]")
@_only
def up(port: str | None, clickhouse_port: str | None, only: str | None) -> None:
    """Start both and wait until they answer; exit status 1 if one runs already, but on another port.

    Example: evcs local up --only kafka --port 29092
    """
    settings = LocalSettings.from_env()
    if port is not None:
        settings = replace(settings, port=parse_port(port, "--port"))
    if clickhouse_port is not None:
        settings = replace(settings, clickhouse_port=parse_port(clickhouse_port, "--clickhouse-port"))
    for part in _parts(settings, only):
        with shown_on_stderr() as tell:
            told = part.up(tell)
        click.echo(told)


@command.command()
@click.option("--force", is_flag=True, help="Kill them at once. What they acknowledged is kept.")
@_only
def down(force: bool, only: str | None) -> None:
    """Stop both and wait until they have ended; their data stay.

    Example: evcs local down
    """
    failed: OperatorError | ConnectorsError | None = None
    for part in _parts(LocalSettings.from_env(), only):
        try:
            click.echo(part.down(force))
        except (OperatorError, ConnectorsError) as error:
            failed = failed or error  # the other one is to be stopped all the same
    if failed:
        raise failed


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, with one object for each.")
@_only
def status(as_json: bool, only: str | None) -> None:
    """Tell whether they run; exit status 0 if so, 3 if one does not.

    Example: evcs local status --json
    """
    states = {part.name: part.status() for part in _parts(LocalSettings.from_env(), only)}
    if as_json:
        click.echo(json.dumps({name: state.fields for name, state in states.items()}))
    else:
        for name, state in states.items():
            click.echo(name)
            for label, value in state.shown.items():
                click.echo(f"  {label:11}{value}")
            if state.problem:
                click.echo(state.problem, err=True)
    sys.exit(0 if all(state.running for state in states.values()) else NOT_RUNNING)


def _parts(settings: LocalSettings, only: str | None) -> list[Part]:
    parts: list[Part] = [KafkaPart(settings), ClickHousePart(settings)]
    return [part for part in parts if only in (None, part.name)]
