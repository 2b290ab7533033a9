"""`evcs delivery`: report to a platform."""

import logging

import click

from connectors.delivery.settings import DeliverySettings
from infra.commands._delivery_services import router
from infra.log_level import LOG_LEVEL


@click.group("delivery")
def command() -> None:
    """Report derived records to the platforms."""


command.add_command(router)


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
    run(DeliverySettings.from_env(platform))
