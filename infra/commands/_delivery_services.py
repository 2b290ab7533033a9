"""`evcs delivery router` and `evcs delivery retries`: the services between the derived topics and the lanes."""

import logging

import click

from infra.log_level import LOG_LEVEL

_LOG_LEVEL = click.option("--log-level", type=LOG_LEVEL, default="info", show_default=True, help="What goes to stderr.")


@click.command()
@click.argument("platforms", nargs=-1)
@_LOG_LEVEL
def router(platforms: tuple[str, ...], log_level: str) -> None:
    """Put derived records onto the lanes of PLATFORMS, by default of all that have a profile, until told to stop
    (SIGTERM, Ctrl-C).

    Several share the work: give each the same platforms, and its own EVCS_DELIVERY_INSTANCE.

    Example: evcs delivery router beijing
    """
    from connectors.delivery.at_work import run_until_told
    from connectors.delivery.routing.router import Router
    from connectors.delivery.routing.settings import RouterSettings

    logging.getLogger().setLevel(log_level.upper())
    run_until_told(Router(RouterSettings.from_env(platforms)))


@click.command()
@click.argument("platforms", nargs=-1)
@_LOG_LEVEL
def retries(platforms: tuple[str, ...], log_level: str) -> None:
    """Send the orders of PLATFORMS, by default of all that have a profile, again when they are due, until told to stop
    (SIGTERM, Ctrl-C).

    Several share the work: give each the same platforms, and its own EVCS_DELIVERY_INSTANCE.

    Example: evcs delivery retries
    """
    from connectors.delivery.at_work import run_until_told
    from connectors.delivery.clock import BrokerClock
    from connectors.delivery.retries import RetryScheduler, RetrySettings

    logging.getLogger().setLevel(log_level.upper())
    settings = RetrySettings.from_env(platforms)
    with BrokerClock(settings.cluster) as clock:
        run_until_told(RetryScheduler(settings, clock.now_ms))
