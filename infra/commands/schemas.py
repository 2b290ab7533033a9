"""`evcs schemas`: check the record schemas."""

import sys

import click

from schemas.compatibility import problems
from schemas.registry import load_schemas


@click.group("schemas")
def command() -> None:
    """The record schemas under schemas/records.

    Example: evcs schemas check
    """


@command.command()
def check() -> None:
    """Check that every newer version of a record reads every older one; exit status 1 if not.

    Example: evcs schemas check
    """
    found = problems()
    for problem in found:
        click.echo(problem, err=True)
    if found:
        sys.exit(1)
    click.echo(f"{len(load_schemas())} schemas are compatible")
