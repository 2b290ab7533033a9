"""`evcs warehouse`: the tables of the warehouse, made and compared."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from connectors.platform import load_platforms
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.local.progress import shown_on_stderr
from infra.warehouse.deadlines import note_deadlines
from infra.warehouse.migration import load_migrations
from infra.warehouse.runner import Line, Migrator, State


@click.group("warehouse")
def command() -> None:
    """The warehouse: the ClickHouse that EVCS_CLICKHOUSE_* names, or the local one.

    Example: evcs warehouse migrate
    """


@command.command()
def migrate() -> None:
    """Apply the migrations of `infra/clickhouse` that are pending, in their order.

    With EVCS_CLICKHOUSE_CLUSTER set, the tables are made replicated and sharded on that cluster. An applied file that
    has changed is an error, and nothing is done. Then the deadlines of the platforms' profiles are noted, by which the
    views judge delivery: run it again when a profile has changed.

    Example: evcs warehouse migrate
    """
    with _migrator() as (migrator, client):
        warehouse = client.warehouse
        with shown_on_stderr() as tell:
            done = migrator.migrate(tell)
            profiles = load_platforms()
            for fault in profiles.faults:
                tell(f"no deadlines of a profile that is wrong: {fault}")
            noted = note_deadlines(client, profiles.platforms.values())
        for name in done:
            click.echo(f"applied {name}")
        for deadline in noted:
            click.echo(f"deadline {deadline}")
        known = len(migrator.status())
        click.echo(f"{len(done)} applied, {known - len(done)} were, in {warehouse.database} at {warehouse.url}")


@command.command()
def status() -> None:
    """Tell which migrations are applied, which are pending, and which differ; exit status 1 unless all are applied.

    Example: evcs warehouse status
    """
    with _migrator() as (migrator, client):
        warehouse = client.warehouse
        lines = migrator.status()
    click.echo(f"{warehouse.database} at {warehouse.url}{f', cluster {warehouse.cluster}' * bool(warehouse.cluster)}")
    for line in lines:
        click.echo(f"  {line.name:40} {_state(line)}")
    if any(line.state is not State.APPLIED for line in lines):
        sys.exit(1)


def _state(line: Line) -> str:
    return f"{line.state} {line.applied.applied_at:%Y-%m-%d %H:%M:%S} UTC" if line.applied else str(line.state)


@contextmanager
def _migrator() -> Iterator[tuple[Migrator, WarehouseClient]]:
    client = WarehouseClient(Warehouse.from_env(), in_database=False)
    try:
        yield Migrator(client, load_migrations()), client
    finally:
        client.close()
