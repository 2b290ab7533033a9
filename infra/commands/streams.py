"""`evcs streams`: run a streams worker."""

import logging
import os
import sys

import click

from connectors.ports import AdminAddress
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
@click.option("--admin-host", help="For health, readiness and metrics; EVCS_STREAMS_ADMIN_HOST or 127.0.0.1.")
@click.option(
    "--admin-port",
    type=int,
    help="By default EVCS_STREAMS_ADMIN_PORT; without either nothing listens. 0 takes a free one.",
)
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="Faust's and our own")
def command(topology: str, admin_host: str | None, admin_port: int | None, log_level: str) -> None:
    """Run a streams worker until it is told to stop (SIGTERM, Ctrl-C).

    Start as many as are needed: those of one topology share the partitions. What the platforms are told is derived by
    connector_tracking; the others are for whoever wants them. Settings come from EVCS_KAFKA_*, EVCS_STREAMS_*.
    /readyz on the admin port is 200 while records are taken.

    \b
    Example:
      EVCS_KAFKA_BOOTSTRAP=kafka-1:9092 evcs streams
      evcs streams --topology station_load
      evcs streams --admin-port 9084
    """
    from connectors.admin_thread import admin_beside
    from streams.health import WorkerHealth
    from streams.worker import run

    logging.getLogger().setLevel(log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    settings = StreamsSettings.from_env(topology=topology)
    told = AdminAddress.from_env(os.environ, "EVCS_STREAMS_ADMIN_HOST", "EVCS_STREAMS_ADMIN_PORT")
    health = WorkerHealth()
    with admin_beside(told.changed(admin_host, admin_port), health.text, lambda: health.ready):
        status = run(settings, log_level, health)
    sys.exit(status)
