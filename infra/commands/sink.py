"""`evcs sink`: what lies on the topics goes into ClickHouse."""

import logging

import click

from infra.log_level import LOG_LEVEL

EPILOG = """\b
Example:
  evcs sink
  evcs sink --admin-host 0.0.0.0 --admin-port 9082
"""


@click.command("sink", epilog=EPILOG)
@click.option("--admin-host", help="For health, readiness and metrics; EVCS_SINK_ADMIN_HOST or 127.0.0.1.")
@click.option("--admin-port", type=int, help="By default EVCS_SINK_ADMIN_PORT or 8082; 0 takes a free one.")
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")
def command(admin_host: str | None, admin_port: int | None, log_level: str) -> None:
    """Put telemetry, statuses, progress, orders, attempts and disputes into ClickHouse, until told to stop.

    As many processes as needed share the partitions. The tables are made by `evcs warehouse migrate`. What ClickHouse
    can't read is dead-lettered; while it is away, everything waits. /readyz on the admin port is 200 while records
    are taken.
    """
    from connectors.warehouse.sink.process import run
    from connectors.warehouse.sink.settings import SinkSettings

    logging.getLogger().setLevel(log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    run(SinkSettings.from_env().listening_at(admin_host, admin_port))
