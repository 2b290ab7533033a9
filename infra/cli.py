"""The `evcs` command: every module in `infra/commands` adds the click command that it calls `command`."""

import errno
import importlib
import logging
import os
import pkgutil
import sys

import click

import infra.commands
from connectors.errors import ConnectorsError
from connectors.protocol.errors import ProtocolError
from infra.errors import OperatorError
from infra.log_level import LOG_LEVEL
from schemas.errors import SchemaError
from streams.errors import StreamsError

HELP_OPTIONS = ["-h", "--help"]


class _Discovered(click.Group):
    """Finds commands by file name, and imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name for m in pkgutil.iter_modules(infra.commands.__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"infra.commands.{cmd_name}").command
        command.context_settings.setdefault("help_option_names", HELP_OPTIONS)
        return command


@click.group(cls=_Discovered, context_settings={"help_option_names": HELP_OPTIONS})
@click.option("--log-level", type=LOG_LEVEL, default="warning", show_default=True, help="What goes to stderr.")
@click.version_option(package_name="evcs-streams", prog_name="evcs")
def evcs(log_level: str) -> None:
    """Reports a charging operator's chargers to city supervision platforms.

    Start with `evcs local up`, `evcs topics create`, or see everything at work with `make demo`.

    Example: evcs demo --seconds 120
    """
    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def main() -> None:
    """Runs the command line; an error of ours is one line, not a traceback."""
    try:
        evcs()
    except (SchemaError, StreamsError, ConnectorsError, ProtocolError, OperatorError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        click.echo(f"error: {error.filename or 'the output'} can't be written: {error.strerror}", err=True)
        os._exit(1)  # Python would try to write it once more
