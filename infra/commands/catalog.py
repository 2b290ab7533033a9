"""`evcs catalog`: the operator's stations, from a file onto `station-catalog`."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

import click

from connectors.platform import load_platforms
from infra.catalog import topic
from infra.catalog.changes import Changes, changes
from infra.catalog.file import read_catalog
from infra.catalog.tables import longest_of, tables
from infra.catalog.telling import Telling
from infra.local.progress import shown_on_stderr
from infra.topic_admin import require_broker
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.station import Station

#: Of stations that are named one by one.
_NAMED_MAX = 50

EPILOG = """\b
Example:
  evcs catalog sample --csv > stations.csv
  evcs catalog check stations.csv
  evcs catalog load stations.csv
"""

#: By which spreadsheets know UTF-8.
_MARK = "\ufeff"

_file = click.argument("file", type=click.Path(path_type=Path))


@click.group("catalog", epilog=EPILOG)
def command() -> None:
    """The operator's stations, with equipment, connectors and tariffs, from a file onto `station-catalog`.

    FILE ends with .json or .csv. Fields are called as in schemas/records/station.v2.avsc, and take the numbers of
    T/CEC 102. What has a default there may be left out. `evcs catalog sample` prints a file to begin with.

    JSON is {"stations": [...]}, nested as the record: each station has `equipment`, each equipment `connectors`.
    Decimals are numbers or text. `tariff` is a list of {"starts_at_s": seconds since midnight, "elec_price": CNY/kWh,
    "service_price": CNY/kWh}, and empty where there is none.

    CSV has one row for each connector, with the columns of its station and its equipment repeated, and its first line
    names the columns. The equipment's begin with equipment_, such as equipment_power_kw, and the connector's with
    connector_. The column `tariff` says `00:00 0.3000+0.4000; 08:00 1.2000+0.8000`: from midnight on 0.3 CNY/kWh for
    electricity and 0.4 for service, and more from eight. `pictures` are separated by blanks. Save it as UTF-8.
    """


@command.command()
@_file
def check(file: Path) -> None:
    """Check FILE: one line for each fault, with its line or path, its field and the reason; exit status 1 if any.

    Example: evcs catalog check stations.csv
    """
    with shown_on_stderr() as tell:
        stations = _read(file, Telling(tell))
    equipment = [one for station in stations for one in station.equipment]
    connectors = sum(len(one.connectors) for one in equipment)
    click.echo(f"right: {_count(stations, 'station')}, {len(equipment)} equipment, {connectors} connectors")


@command.command()
@_file
@click.option("--remove-missing", is_flag=True, help="Take out the stations that are on the topic and not in FILE.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def load(file: Path, remove_missing: bool, dry_run: bool) -> None:
    """Write FILE's stations onto `station-catalog`: those that are new or differ from what lies there.

    Nothing is written unless all of FILE is right. Stations that are written get now as their time of change.

    Example: evcs catalog load stations.csv --dry-run
    """
    cluster = KafkaCluster.from_env()
    with shown_on_stderr() as tell:
        telling = Telling(tell)
        stations = _read(file, telling)
        require_broker(cluster)
        codec = codec_for(cluster.schema_registry_url)
        there = topic.stations_there(cluster, codec, telling.read)
        todo = changes(stations, there, wall_ms(), remove_missing)
        if not dry_run:
            topic.write(cluster, codec, todo, telling.written)
    if dry_run:
        _tell_each("would add", (station.station_id for station in todo.added))
        _tell_each("would change", (station.station_id for station in todo.changed))
        _tell_each("would remove", todo.removed)
    if todo.left:
        click.echo(f"{_count(todo.left, 'station')} not in {file}, left as before; --remove-missing takes out:")
        _tell_each(" ", todo.left)
    click.echo(_done(todo, "to be " if dry_run else ""))


@command.command()
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet; without it as JSON.")
def sample(as_csv: bool) -> None:
    """Print a catalog to begin with: two stations with everything that can be said of one.

    Example: evcs catalog sample --csv > stations.csv
    """
    name = "sample.csv" if as_csv else "sample.json"
    begin = _MARK if as_csv else ""
    click.echo(begin + (files("infra.catalog") / name).read_text(encoding="utf-8"), nl=False)


def _read(file: Path, telling: Telling) -> list[Station]:
    longest = longest_of(load_platforms().platforms.values())
    return read_catalog(file, tables(longest), codec_for(""), telling.checked)


def _done(todo: Changes, to_be: str) -> str:
    removed = f", {len(todo.removed)} {to_be}removed" if todo.removed else ""
    return f"{_count(todo.written, 'station')} {to_be}written, {todo.unchanged} unchanged{removed}"


def _tell_each(what: str, names: Iterable[str]) -> None:
    every = list(names)
    for name in every[:_NAMED_MAX]:
        click.echo(f"{what} {name}")
    if len(every) > _NAMED_MAX:
        click.echo(f"{what} {len(every) - _NAMED_MAX} more that are not named")


def _count(things: Sequence[object], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"
