"""`evcs sql`: asks the warehouse."""

import os
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import click

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.errors import OperatorError
from infra.interruption import told_to_end_as_by_ctrl_c
from infra.local.progress import shown_on_stderr
from infra.warehouse.query import TABLE_ROWS_MAX, Form, ask, form_of, made_whole, write

#: How much longer than the query may run an answer is waited for: ClickHouse looks at its clock between blocks.
_PATIENCE_S = 30


@click.command("sql")
@click.argument("query", required=False)
@click.option("--file", "source", type=click.File("rb"), help="Read the query from a file; - is stdin.")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    help=f"table ({TABLE_ROWS_MAX:,} rows at most), csv, json (an object a line) or parquet. "
    "[default: what --output ends with, else table on a terminal, csv elsewhere]",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file in place of stdout."
)
@click.option("--param", "given", multiple=True, metavar="NAME=VALUE", help="What {NAME:Type} stands for. Repeatable.")
@click.option("--timeout", "limit_s", default=300, show_default=True, type=click.IntRange(1, 86_400), help="Seconds.")
def command(
    query: str | None,
    source: click.utils.LazyFile | None,
    form: str | None,
    output: Path | None,
    given: tuple[str, ...],
    limit_s: int,
) -> None:
    """Ask the warehouse: one QUERY, from --file, or from stdin; nothing can be changed by it, no file or other server
    reached, and no setting set.

    infra/clickhouse/QUERIES.md has examples; `SHOW CREATE VIEW sessions` tells a view's columns and their units. Ctrl-C
    ends the query on the server, too.

    Example: evcs sql "SELECT * FROM station_by_day(station_id = '', first_day = {day:Date}, last_day = {day:Date})"
    --param day=2026-11-25
    """
    text = _query(query, source)
    chosen = Form(form) if form else _default(output)
    if chosen is Form.PARQUET and output is None and sys.stdout.isatty():
        raise click.UsageError("parquet is not for a terminal: give --output FILE, or pipe it")
    client = WarehouseClient(Warehouse.from_env(), timeout_s=limit_s + _PATIENCE_S)
    answer = ask(client, text, chosen, _parameters(given), limit_s)
    try:
        with told_to_end_as_by_ctrl_c():
            if output is None:
                write(_begun(answer), click.get_binary_stream("stdout"))
                return
            with made_whole(output) as file:
                written = write(_begun(answer), file)
        click.echo(f"{written:,} bytes in {output}", err=True)
    finally:
        answer.close()
        client.close()


def _begun(answer: Iterator[bytes]) -> Iterator[bytes]:
    """The answer once it has begun; until then a terminal shows that it is waited for."""
    if not sys.stderr.isatty():
        return answer
    with shown_on_stderr() as tell:
        tell("waiting for the answer")
        first = next(answer, b"")
    return chain([first], answer)


def _query(query: str | None, source: click.utils.LazyFile | None) -> str:
    if query is not None and source is not None:
        raise click.UsageError("give a query or --file, not both")
    if query is None and source is None and sys.stdin.isatty():
        raise click.UsageError('give a query, such as "SELECT count() FROM orders", --file FILE, or one on stdin')
    try:
        given = os.fsencode(query) if query is not None else (source or sys.stdin.buffer).read()
        text = given.decode()
    except UnicodeDecodeError as error:
        raise OperatorError("the query is not UTF-8") from error
    if not text.strip():
        raise click.UsageError("the query is empty")
    return text


def _default(output: Path | None) -> Form:
    if output is None:
        return Form.TABLE if sys.stdout.isatty() else Form.CSV
    form = form_of(output)
    if form is None:
        raise click.UsageError(
            f"{output} does not say which format: end it with .csv, .json or .parquet, or give --format"
        )
    return form


def _parameters(given: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--param {one}: write NAME=VALUE")
        found[name] = value
    return found
