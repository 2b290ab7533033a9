"""The log levels that commands take."""

import click

LOG_LEVEL = click.Choice(["debug", "info", "warning", "error"], case_sensitive=False)
