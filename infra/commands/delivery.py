"""`evcs delivery`: report to a platform."""

import logging

import click

from connectors.delivery.settings import DeliverySettings
from infra.commands._backfill import backfill
from infra.commands._delivery_services import retries, router
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


for _one in (router, retries, backfill):
    command.add_command(_one)


@command.command("run")
@click.argument("platform")
@click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")
def run_(platform: str, log_level: str) -> None:
    """Deliver to PLATFORM until told to stop (SIGTERM, Ctrl-C).

    Secrets come from the environment variables that the platform's profile names, the target (test or
    production) from EVCS_DELIVERY_TARGET.

    Example: evcs delivery run beijing
    """
    from connectors.delivery.service import run

    logging.getLogger().setLevel(log_level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = DeliverySettings.from_env(platform)
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
