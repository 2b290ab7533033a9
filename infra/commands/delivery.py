"""`evcs delivery`: report to the platforms."""

import logging
import os

import click

from connectors.delivery.process import PARTS, Part, ProcessSettings
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
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")
def run_(platforms: tuple[str, ...], parts: tuple[Part, ...], log_level: str) -> None:
    """Deliver to PLATFORMS, or to all that have a profile and secrets, until told to stop (SIGTERM, Ctrl-C).

    The router puts derived records on each platform's lanes, the lanes push them, and the retry scheduler brings
    orders back from their ladder. Secrets come from the environment variables that the platform's profile names, the
    target (test or production) from EVCS_DELIVERY_TARGET.

    \b
    Example:
      evcs delivery run beijing
      evcs delivery run --part lanes beijing chengdu
    """
    from connectors.delivery.process import run

    logging.getLogger().setLevel(log_level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = ProcessSettings.from_env(platforms, parts, os.environ)
    _await_broker(settings.cluster)
    run(settings)


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
