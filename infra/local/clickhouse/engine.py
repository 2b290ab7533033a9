"""chDB, and nothing else here knows it: opens the data, runs one statement at a time, and tells what came of it."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from infra.local.clickhouse.limits import ANSWER_MAX_BYTES
from infra.local.clickhouse.refusals import Code, Refusal

_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class EngineUnusable(Exception):
    """chDB can't be loaded, or can't open its data; says why."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to run: for `database`, with `settings` and `parameters` of its own; `format` where the SQL names none."""

    sql: str
    format: str = "TabSeparated"
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it; `rows_read` and `bytes_read` are what storage gave, `rows` what the answer holds."""

    body: bytes
    rows: int
    rows_read: int
    bytes_read: int
    rows_written: int
    bytes_written: int
    elapsed_ns: int


class Engine:
    """The engine on the data below `data`, with the configuration file `config`. Not to be used by two threads at once.

    Each query has a connection of its own, since settings and the current database belong to one.
    """

    def __init__(self, data: str, config: str) -> None:
        try:
            import chdb
        except ImportError as error:
            raise EngineUnusable(f"chDB can't be loaded on this machine: {error}") from error
        self._connect_to = cast(Callable[[str], Any], chdb.connect)
        self._data = data
        try:
            self._held = self._connect_to(f"{data}?config-file={config}")  # keeps the engine open between queries
            self._make_default_plain()
        except RuntimeError as error:
            raise EngineUnusable(
                f"chDB can't open its data, which may be mended by hand, or moved away to begin anew: {error}"
            ) from error
        self.version = str(chdb.engine_version)

    def run(self, query: Query) -> Result:
        """Runs one statement. Raises Refusal with what the engine says."""
        began = time.monotonic_ns()
        connection = self._connect()
        try:
            if query.database:
                connection.query(f"USE {_quoted_name(query.database)}")
            if query.settings:
                connection.query("SET " + ", ".join(f"{_name(k)} = {_quoted(v)}" for k, v in query.settings.items()))
            answer = connection.query(query.sql, query.format, params=dict(query.parameters))
            if answer.size() > ANSWER_MAX_BYTES:
                raise Refusal.of(Code.TOO_MANY_ROWS_OR_BYTES, f"the answer has more than {ANSWER_MAX_BYTES} bytes")
            return Result(
                body=bytes(answer.bytes()),
                rows=answer.rows_read(),
                rows_read=answer.storage_rows_read(),
                bytes_read=answer.storage_bytes_read(),
                rows_written=answer.rows_written(),
                bytes_written=answer.bytes_written(),
                elapsed_ns=time.monotonic_ns() - began,
            )
        except RuntimeError as error:
            raise Refusal.told_by_engine(str(error)) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Lets go of the data."""
        self._held.close()

    def _make_default_plain(self) -> None:
        """chDB's database `default` takes the name of what is no table for a file's. The server's is a plain one, and
        so is this, unless it holds tables, which would be dropped with it."""
        tables = self._held.query("SELECT count() FROM system.tables WHERE database = 'default'", "CSV")
        if tables.bytes() == b"0\n":
            self._held.query("DROP DATABASE default SYNC")
            self._held.query("CREATE DATABASE default ENGINE = Atomic")

    def _connect(self) -> Any:
        try:
            return self._connect_to(self._data)
        except RuntimeError as error:
            raise Refusal.told_by_engine(str(error)) from error


def installed_version() -> str:
    """chDB's version, without loading it: `26.9.0`. Raises EngineUnusable where it is not installed."""
    try:
        return version("chdb-core")
    except PackageNotFoundError as error:
        raise EngineUnusable("chDB is not installed: install the project's dependencies") from error


def _name(setting: str) -> str:
    if not _SETTING.fullmatch(setting):
        raise Refusal.of(Code.BAD_ARGUMENTS, f"{setting!r} is no setting's name")
    return setting


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quoted_name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
