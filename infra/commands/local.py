"""`evcs local`: a real Kafka broker on this machine, up, down and its state.

With EVCS_KAFKA_BOOTSTRAP set, the cluster that it names is used and nothing is started here.
"""

import json
import sys
from dataclasses import asdict, replace
from typing import NoReturn

import click
from rich.filesize import decimal

from infra.local.broker import LocalKafka
from infra.local.errors import OnAnotherPort
from infra.local.progress import shown_on_stderr
from infra.local.readiness import broker_count
from infra.local.settings import LocalSettings, parse_port
from infra.local.status import ExternalStatus, LocalStatus

#: `status` of what does not run, as init scripts have it.
NOT_RUNNING = 3


@click.group("local")
def command() -> None:
    """Run a Kafka broker on this machine.

    It needs nothing but Python: Java comes as a wheel, Kafka from the Maven repository at the first start.
    Everything lies under .evcs, or under EVCS_HOME.

    Example: evcs local up
    """


@command.command()
@click.option("--port", help="Port on 127.0.0.1; 0 takes a free one. [default: EVCS_KAFKA_PORT or 19092]")
def up(port: str | None) -> None:
    """Start the broker and wait until it answers; exit status 1 if it runs already, but on another port.

    Example: evcs local up --port 29092
    """
    settings = LocalSettings.from_env()
    if settings.external:
        brokers = broker_count(settings.external)
        click.echo(
            f"EVCS_KAFKA_BOOTSTRAP names the cluster at {settings.external.bootstrap}, which answers "
            f"({brokers} {'broker' if brokers == 1 else 'brokers'}): nothing is started here"
        )
        return
    if port is not None:
        settings = replace(settings, port=parse_port(port, "--port"))
    kafka = LocalKafka(settings.home, settings.port)
    with shown_on_stderr() as tell:
        started = kafka.start(tell)
    if settings.port not in (0, kafka.port):
        raise OnAnotherPort(kafka.name, kafka.port, settings.port, "EVCS_KAFKA_PORT")
    what = "is up" if started else "is already up"
    click.echo(f"Kafka {kafka.version} {what} at {kafka.bootstrap} (pid {kafka.pid}, data in {kafka.files.data})")


@command.command()
@click.option("--force", is_flag=True, help="Kill the broker at once. What it acknowledged is kept.")
def down(force: bool) -> None:
    """Stop the broker and wait until it has ended; its data stays.

    Example: evcs local down
    """
    settings = LocalSettings.from_env()
    kafka = LocalKafka(settings.home, settings.port)
    stopped = kafka.kill() if force else kafka.stop()
    if stopped:
        click.echo("Kafka is down")
    elif settings.external:
        click.echo(f"nothing to stop: the cluster at {settings.external.bootstrap} is not run from here")
    else:
        click.echo("Kafka was not running")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(as_json: bool) -> None:
    """Tell whether the broker runs; exit status 0 if so, 3 if not.

    Example: evcs local status --json
    """
    settings = LocalSettings.from_env()
    if settings.external:
        _tell_external(ExternalStatus.of(settings.external), as_json)
    _tell_local(LocalStatus.of(LocalKafka(settings.home, settings.port)), as_json)


def _tell_local(state: LocalStatus, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps(asdict(state)))
    else:
        click.echo(f"state      {'running' if state.running else 'stopped'}")
        click.echo(f"pid        {state.pid or '-'}")
        click.echo(f"bootstrap  {state.bootstrap}")
        click.echo(f"Kafka      {state.kafka_version}")
        click.echo(f"data       {state.data_dir} ({decimal(state.size_bytes)} on disk)")
    sys.exit(0 if state.running else NOT_RUNNING)


def _tell_external(state: ExternalStatus, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({**asdict(state), "external": True}))
    else:
        click.echo(f"state      {'running' if state.running else 'unreachable'}, not started from here")
        click.echo(f"bootstrap  {state.bootstrap}")
        click.echo(f"brokers    {state.brokers or '-'}")
        if state.problem:
            click.echo(state.problem, err=True)
    sys.exit(0 if state.running else NOT_RUNNING)
