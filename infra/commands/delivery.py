"""`evcs delivery`: report to the platforms."""

import logging
import os

import click

from connectors.delivery.parts import Parts
from connectors.delivery.process import PARTS, Part, ProcessSettings
from connectors.ports import AdminAddress
from infra.commands._backfill import backfill
from infra.commands._delivery_begin import begin
from infra.commands._delivery_status import status
from infra.errors import NoAnswer
from infra.log_level import LOG_LEVEL
from infra.topic_admin import require_broker
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)

#: A cluster that has not answered by then is told of.
_ANSWER_S = 3.0


@click.group("delivery")
def command() -> None:
    """Report derived records to the platforms.

    Example: evcs delivery run beijing
    """


command.add_command(status)
command.add_command(backfill)
command.add_command(begin)


@command.command("run")
@click.argument("platforms", nargs=-1)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help="Only this part, in a process of its own; may be repeated. By default all three.",
)
@click.option("--admin-host", help="For health, readiness and metrics; EVCS_DELIVERY_ADMIN_HOST or 127.0.0.1.")
@click.option(
    "--admin-port",
    type=int,
    help="By default EVCS_DELIVERY_ADMIN_PORT; without either nothing listens. 0 takes a free one.",
)
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")
def run_(
    platforms: tuple[str, ...], parts: tuple[Part, ...], admin_host: str | None, admin_port: int | None, log_level: str
) -> None:
    """Deliver to PLATFORMS, or to all that have a profile and secrets, until told to stop (SIGTERM, Ctrl-C).

    The router puts derived records on each platform's lanes, the lanes push them, and the retry scheduler brings
    orders back from their ladder. Router and scheduler are for all platforms, whichever are named. Secrets come from
    the environment variables that the platform's profile names, the target (test or production) from
    EVCS_DELIVERY_TARGET. /readyz on the admin port is 200 once the parts of this process have been given their
    partitions.

    \b
    Example:
      evcs delivery run beijing
      evcs delivery run --part lanes beijing chengdu
      evcs delivery run --admin-port 9085 beijing
    """
    from connectors.admin_thread import admin_beside
    from connectors.delivery.metrics import Metrics
    from connectors.delivery.process import run

    logging.getLogger().setLevel(log_level.upper())
    for name in ("httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    settings = ProcessSettings.from_env(platforms, parts, os.environ)
    told = AdminAddress.from_env(os.environ, "EVCS_DELIVERY_ADMIN_HOST", "EVCS_DELIVERY_ADMIN_PORT")
    running = Parts()
    with admin_beside(told.changed(admin_host, admin_port), Metrics(running).text, lambda: running.ready):
        _await_broker(settings.cluster)
        run(settings, running)


def _await_broker(cluster: KafkaCluster) -> None:
    """Waits until a broker answers, since it may be starting too, and says once what is waited for."""
    told = False
    while True:
        try:
            return require_broker(cluster, _ANSWER_S)
        except NoAnswer as error:
            if not told:
                log.warning("%s. Waiting for it", error)
            told = True
