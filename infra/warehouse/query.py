"""An analyst's query: it changes nothing, ends in time, and its answer comes in one of four forms, piece by piece."""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO

from connectors.errors import WarehouseError
from connectors.warehouse.client import WarehouseClient
from infra.errors import OperatorError
from infra.warehouse.reading import require_one_query

#: What more a person reads is better written to a file; the server keeps a table's rows until it knows their widths.
TABLE_ROWS_MAX = 10_000

#: Of a syntax error: dozens of words that might have come instead.
_EXPECTED = re.compile(r"\. Expected one of: .*?(?=\. \([A-Z_]+\)$|$)")
_PARAMETER = re.compile(r"\{\s*([A-Za-z_]\w*)\s*:")


class Form(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


_FORMATS = {
    Form.TABLE: "PrettyCompactMonoBlock",
    Form.CSV: "CSVWithNames",
    Form.JSON: "JSONEachRow",
    Form.PARQUET: "Parquet",
}
_ENDINGS = {".csv": Form.CSV, ".json": Form.JSON, ".jsonl": Form.JSON, ".ndjson": Form.JSON, ".parquet": Form.PARQUET}


class QueryFailed(OperatorError):
    """ClickHouse's own words, in one line."""


def form_of(file: Path) -> Form | None:
    """What the file's name says; None if nothing."""
    return _ENDINGS.get(file.suffix.lower())


def ask(
    client: WarehouseClient, sql: str, form: Form, parameters: Mapping[str, str], limit_s: int
) -> Generator[bytes, None, None]:
    """The answer. A table has TABLE_ROWS_MAX rows at most, and says when there are more; json is an object a line.

    Closed before its end, it ends the query on the server. Raises OperatorError.
    """
    require_one_query(sql)
    unused = parameters.keys() - set(_PARAMETER.findall(sql))
    if unused:
        name = min(unused)
        raise OperatorError(f"the query has no parameter {name}: write it as {{{name}:Date}}, or with another type")
    try:
        yield from client.stream(sql, _FORMATS[form], parameters, _settings(client, limit_s))
    except WarehouseError as error:
        raise QueryFailed(_EXPECTED.sub("", " ".join(str(error).split()))) from error


def _settings(client: WarehouseClient, limit_s: int) -> dict[str, int]:
    ((readonly,),) = client.rows("SELECT getSetting('readonly')")
    wanted = {
        "readonly": 1,  # no settings of the query's own, and no functions that reach outside the warehouse
        "max_execution_time": limit_s,
        "cancel_http_readonly_queries_on_client_close": 1,
        "output_format_pretty_color": 0,
        "output_format_pretty_row_numbers": 0,
        "output_format_pretty_max_rows": TABLE_ROWS_MAX,
    }
    if int(readonly) == 1:  # a user of this kind may not even say these
        return {}
    # With 2, which can't be made stricter, it is the user's grants that close what lies outside.
    return {name: value for name, value in wanted.items() if name != "readonly" or not int(readonly)}


def write(pieces: Iterable[bytes], file: IO[bytes]) -> int:
    """Writes all pieces; returns how many bytes they were."""
    written = 0
    for piece in pieces:
        file.write(piece)
        written += len(piece)
    file.flush()
    return written


@contextmanager
def made_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there under its name once all is written, and not before. Raises OperatorError."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise OperatorError(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
