"""`evcs streams`: run a streams worker."""

import sys

import click

from infra.log_level import LOG_LEVEL
from streams.settings import TRACKING, StreamsSettings, topologies


@click.command("streams")
@click.option(
    "--topology",
    type=click.Choice(topologies()),
    default=TRACKING,
    show_default=True,
    help="what it derives; each has a consumer group of its own",
)
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="Faust's and our own")
def command(topology: str, log_level: str) -> None:
    """Run a streams worker until it is told to stop (SIGTERM, Ctrl-C).

    Start as many as are needed: those of one topology share the partitions. What the platforms are told is derived by
    connector_tracking; the others are for whoever wants them. Settings come from EVCS_KAFKA_*, EVCS_STREAMS_*.

    \b
    Example:
      EVCS_KAFKA_BOOTSTRAP=kafka-1:9092 evcs streams
      evcs streams --topology station_load
    """
    from streams.worker import run

    sys.exit(run(StreamsSettings.from_env(topology=topology), log_level))
