"""`evcs fleet`: the simulated chargers and back office as a process of its own."""

import signal
import threading
import time

import click

from infra.number_range import NumberRange
from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.engine import FleetCounters
from infra.simulator.fleet.errors import FleetError
from infra.simulator.fleet.generator import catalog, generate
from infra.simulator.fleet.mishaps import MishapRates
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from schemas.cluster import KafkaCluster

_TOLD_EVERY_S = 5.0

_POSITIVE = NumberRange(0, min_open=True)
_SHARE = NumberRange(0, 1)

RUN_EPILOG = """\b
Example:
  evcs fleet run --connectors 200 --seconds 120
  evcs fleet run --connectors 20000 --duty 0.3 --mean-charge 1800
"""
FILL_EPILOG = """\b
Example:
  evcs fleet fill --connectors 20000 --samples 100
"""


@click.group("fleet")
def command() -> None:
    """The operator's simulated chargers and back office.

    Example: evcs fleet run --connectors 200 --seconds 120
    """


@command.command(epilog=RUN_EPILOG)
@click.option("--connectors", default=200, show_default=True, help="How many connectors.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same behaviour.")
@click.option(
    "--sample-interval", default=10.0, show_default=True, type=_POSITIVE, help="Seconds between a connector's samples."
)
@click.option(
    "--seconds", default=0.0, show_default=True, type=NumberRange(0), help="How long; 0 runs until interrupted."
)
@click.option(
    "--time-scale", default=1.0, show_default=True, type=_POSITIVE, help="Divides the durations of charges and rests."
)
@click.option("--duty", default=0.3, show_default=True, type=_SHARE, help="Part of its time that a connector charges.")
@click.option(
    "--mean-charge", default=75.0, show_default=True, type=_POSITIVE, help="Mean duration of a charge, seconds."
)
@click.option("--mishaps", default=0.0, show_default=True, type=_SHARE, help="Rate of lost, late, garbled … records.")
def run(
    connectors: int,
    seed: int,
    sample_interval: float,
    seconds: float,
    time_scale: float,
    duty: float,
    mean_charge: float,
    mishaps: float,
) -> None:
    """Write telemetry, charge events and the catalog to Kafka, and obey commands.

    At the end all charges are stopped, billed and written before it returns.
    """
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        fleet = Fleet(
            FleetSettings(
                connectors=connectors,
                seed=seed,
                sample_interval_s=sample_interval,
                time_scale=time_scale,
                behaviour=Behaviour(duty=duty, mean_charge_s=mean_charge),
                mishaps=MishapRates.all_at(mishaps),
                cluster=KafkaCluster.from_env(),
            )
        )
        fleet.start()
        click.echo(f"{connectors} connectors at {len(fleet.population.stations)} stations are running")
        until = time.monotonic() + seconds if seconds else float("inf")
        while (left := until - time.monotonic()) > 0 and fleet.failure is None:
            if interrupted.wait(min(left, _TOLD_EVERY_S)):
                break
            click.echo(_told(fleet.counters()))
        fleet.stop()
    except FleetError as error:
        raise click.ClickException(str(error)) from error
    booked, complete = fleet.book.charges(), fleet.book.complete()
    click.echo(f"{len(booked)} charges, {len(complete)} ended, {len(fleet.injected)} mishaps")


def _told(counters: FleetCounters) -> str:
    return (
        f"{counters.telemetry} samples, {counters.events} events, {counters.running} charging, "
        f"{counters.faults} out of order, {counters.offline} offline"
    )


@command.command(epilog=FILL_EPILOG)
@click.option("--connectors", default=20_000, show_default=True, help="How many connectors.")
@click.option(
    "--samples", default=100, show_default=True, type=click.IntRange(1), help="Samples of each, ten seconds apart."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same records.")
@click.option("--events", is_flag=True, help="Write the charges' starts and stops too.")
def fill(connectors: int, samples: int, seed: int, events: bool) -> None:
    """Write a long past of telemetry to Kafka as fast as it takes it, for benchmarks."""
    cluster = KafkaCluster.from_env()
    try:
        stations = catalog(cluster, connectors)
        report = generate(cluster, connectors, samples, seed=seed, with_events=events)
    except FleetError as error:
        raise click.ClickException(str(error)) from error
    rate = report.records / report.duration_s
    click.echo(f"{stations} stations, {report.records} samples, {report.events} events: {rate:,.0f} records/s")
