"""One migration: a file `NNNN_verb_object.sql` of plain SQL for a single ClickHouse, taken apart into statements.

A `;` ends a statement. `$database` is the only placeholder. A comment line `-- shard by: <expression>` says how the
tables made from there on are spread over a cluster's shards.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise

from infra.sql_tokens import Kind, Token, tokens
from infra.warehouse.errors import BadMigration

PLACEHOLDER = "$database"

_NAME = re.compile(r"(\d{4})_[a-z]+(?:_[a-z0-9]+)+\.sql")
_SHARD_BY = re.compile(r"^\s*--\s*shard by:\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, with its placeholder; `shard_by` is "" where no comment says."""

    sql: str
    shard_by: str = ""

    def in_database(self, database: str) -> str:
        """As it is run on a single ClickHouse."""
        return self.sql.replace(PLACEHOLDER, database)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `checksum` is of its text, whatever its line ends."""

    number: int
    name: str
    checksum: str
    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, name: str, text: str) -> "Migration":
        """From a file's name and text. Raises BadMigration."""
        named = _NAME.fullmatch(name)
        if not named:
            raise BadMigration(name, "is not called like 0001_create_telemetry.sql")
        text = text.replace("\r\n", "\n")
        _require_one_placeholder(name, text)
        statements = tuple(_statements(text))
        if not statements:
            raise BadMigration(name, "holds no statement")
        return cls(int(named[1]), name, hashlib.sha256(text.encode()).hexdigest(), statements)


def load_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Those of `folder`, else of `infra/clickhouse`, by number. Raises BadMigration, also for a number that is used
    twice."""
    folder = files("infra") / "clickhouse" if folder is None else folder
    found = [_read(file) for file in folder.iterdir() if file.name.endswith(".sql")] if folder.is_dir() else []
    found.sort(key=lambda migration: migration.name)
    for before, after in pairwise(found):
        if before.number == after.number:
            raise BadMigration(after.name, f"has the number of {before.name}")
    return found


def _read(file: Traversable) -> Migration:
    try:
        return Migration.of(file.name, file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadMigration(file.name, "is not UTF-8") from error


def _statements(text: str) -> Iterator[Statement]:
    start, shard_by = 0, ""
    found: list[Token] = []
    for token in (*tokens(text), Token(Kind.SIGN, ";", len(text), len(text), 0)):
        if not token.is_sign(";"):
            found.append(token)
            continue
        said = _SHARD_BY.findall(text[start : token.start])
        shard_by = said[-1] if said else shard_by
        if found:
            yield Statement(text[found[0].start : found[-1].end], shard_by)
        start, found = token.end, []


def _require_one_placeholder(name: str, text: str) -> None:
    for other in re.findall(r"\$[A-Za-z_]\w*", text):
        if other != PLACEHOLDER:
            raise BadMigration(name, f"has {other}: {PLACEHOLDER} is the only placeholder")
