"""`evcs gateway`: the server that platforms call."""

import logging
import os

import click

from connectors.gateway.settings import GatewaySettings
from infra.log_level import LOG_LEVEL

EPILOG = """\b
Example:
  evcs gateway beijing
  evcs gateway --host 0.0.0.0 --port 8443 --tls-certificate gateway.pem --tls-key gateway.key
"""


@click.command("gateway", epilog=EPILOG)
@click.argument("platforms", nargs=-1)
@click.option("--host", help="Where platforms call; by default EVCS_GATEWAY_HOST or 127.0.0.1.")
@click.option("--port", type=int, help="By default EVCS_GATEWAY_PORT or 8080; 0 takes a free one.")
@click.option("--admin-host", help="For health, readiness and metrics; EVCS_GATEWAY_ADMIN_HOST or 127.0.0.1.")
@click.option("--admin-port", type=int, help="By default EVCS_GATEWAY_ADMIN_PORT or 8081.")
@click.option("--tls-certificate", help="A PEM file with the certificate and its chain; without one it is plain http.")
@click.option("--tls-key", help="A PEM file with the certificate's key.")
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")
def command(platforms: tuple[str, ...], log_level: str, **listening: str | int) -> None:
    """Answer the calls of PLATFORMS, or of all that have a profile and the secrets of their calls, until told to stop.

    Serves query_token, query_stations_info and the others of the profile below its gateway.base_path. Secrets come
    from the environment: EVCS_<PLATFORM>_INBOUND_OPERATOR_ID and so on. /readyz on the admin port is 200 once the
    stations and connectors that Kafka holds have been read.
    """
    from connectors.gateway.process import run

    logging.getLogger().setLevel(log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    run(GatewaySettings.from_env(platforms, os.environ).listening_at(**listening))
