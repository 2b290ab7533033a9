"""`evcs streams`: run a streams worker."""

import sys

import click

from infra.log_level import LOG_LEVEL
from streams.settings import StreamsSettings


@click.command("streams")
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="Faust's and our own")
def command(log_level: str) -> None:
    """Run a streams worker until it is told to stop (SIGTERM, Ctrl-C).

    Start as many as are needed: they share the partitions. Settings come from EVCS_KAFKA_*, EVCS_STREAMS_*.

    Example: EVCS_KAFKA_BOOTSTRAP=kafka-1:9092 evcs streams
    """
    from streams.worker import run

    sys.exit(run(StreamsSettings.from_env(), log_level))
