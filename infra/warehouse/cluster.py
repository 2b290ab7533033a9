"""Renders a single ClickHouse's statements for a cluster: replicated tables, spread over shards. Pure.

A table `t` becomes `t_local` on every node and `t`, a Distributed table over these. Materialized views work shard by
shard, from and to `_local` tables; ordinary views stand on the distributed ones. Everything is made `ON CLUSTER`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.sql_tokens import Kind, Token, tokens
from infra.warehouse.errors import BadMigration
from infra.warehouse.migration import Migration, Statement

_LOCAL = "_local"
_REPLICA = "'{replica}'"
#: The window of deduplication has another name in replicated tables.
_SETTINGS = {"non_replicated_deduplication_window": "replicated_deduplication_window"}
_WHOLE = ("DATABASE", "FUNCTION")
_OBJECTS = ("TABLE", "VIEW", "DICTIONARY", *_WHOLE)
#: They change no schema: run once, by way of the distributed tables.
_LEFT_ALONE = ("INSERT", "SELECT", "WITH")
_ON_COLUMNS = ("ADD", "DROP", "MODIFY", "RENAME", "COMMENT", "ALTER")
_ON_STORAGE = ("TRUNCATE", "OPTIMIZE")


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Head:
    """What a statement is about: `verb` and `what` as words, `name` without its database, and where that name ends."""

    verb: str
    what: str
    name: Token
    materialized: bool

    @property
    def bare(self) -> str:
        return _bare(self.name)


class ClusterRenderer:
    """Renders migrations in their order, for `database` on `cluster`: it remembers which tables it has seen made."""

    def __init__(self, cluster: str, database: str) -> None:
        self._on_cluster = f" ON CLUSTER '{cluster}'"
        self._cluster = cluster
        self._database = database
        self._sharded: set[str] = set()

    def render(self, migration: Migration) -> list[str]:
        """The statements to run. Raises BadMigration for what can't be rendered."""
        return [sql for statement in migration.statements for sql in self._render(migration.name, statement)]

    def _render(self, file: str, statement: Statement) -> list[str]:
        sql = statement.in_database(self._database)
        found = list(tokens(sql))
        if found[0].is_word(*_LEFT_ALONE):
            return [sql]
        head = self._head(file, found)
        if head.verb == "CREATE" and head.what == "TABLE":
            return self._table(file, sql, found, head, statement.shard_by)
        if head.verb == "CREATE":
            return [self._other(file, sql, found, head)]
        if head.verb == "ALTER":
            return self._alteration(sql, found, head)
        if head.verb == "DROP" and head.bare in self._sharded:
            self._sharded.discard(head.bare)
            return [self._named(sql, head), self._named(sql, head, _LOCAL)]
        on_storage = head.verb in _ON_STORAGE and head.bare in self._sharded
        return [self._named(sql, head, _LOCAL if on_storage else "")]

    def _head(self, file: str, found: Sequence[Token]) -> _Head:
        verb = found[0].text.upper()
        if verb not in ("CREATE", "ALTER", "DROP", *_ON_STORAGE):
            raise BadMigration(file, f"{verb} can't be rendered for a cluster")
        place = next((n for n, token in enumerate(found[:6]) if token.is_word(*_OBJECTS)), None)
        if place is None:
            raise BadMigration(file, f"{verb} of something that is no {', '.join(_OBJECTS).lower()}")
        what, materialized = found[place].text.upper(), found[place - 1].is_word("MATERIALIZED")
        place += 1
        while place < len(found) and found[place].is_word("IF", "NOT", "EXISTS"):
            place += 1
        if what not in _WHOLE:
            if not self._is_ours(found[place : place + 3]):
                raise BadMigration(file, f"{verb} {what} needs a name like $database.name")
            place += 2
        return _Head(verb, what, found[place], materialized)

    def _table(self, file: str, sql: str, found: Sequence[Token], head: _Head, shard_by: str) -> list[str]:
        if not shard_by:
            raise BadMigration(file, f"a comment line `-- shard by: <expression>` is missing before table {head.bare}")
        engine = next((n for n, token in enumerate(found) if token.is_word("ENGINE") and not token.depth), None)
        if engine is None:
            raise BadMigration(file, f"table {head.bare} has no ENGINE")
        self._sharded.add(head.bare)
        edits = [self._name_edit(head, _LOCAL), *self._engine_edits(file, sql, found[engine + 1 :], head)]
        local, database = f"{head.bare}{_LOCAL}", self._database
        over = (
            f"CREATE TABLE IF NOT EXISTS {database}.{head.bare}{self._on_cluster} AS {database}.{local} "
            f"ENGINE = Distributed('{self._cluster}', '{database}', '{local}', {shard_by})"
        )
        return [_edited(sql, edits), over]

    def _engine_edits(self, file: str, sql: str, behind: Sequence[Token], head: _Head) -> list[_Edit]:
        """`MergeTree(args)` becomes replicated; engines that keep nothing, such as Null, stay."""
        rest = behind[1:] if behind and behind[0].is_sign("=") else behind
        if not rest or rest[0].text.startswith(("Replicated", "Shared", "Distributed")):
            raise BadMigration(file, f"table {head.bare} must have an engine that a single ClickHouse has")
        engine = rest[0]
        if not engine.text.endswith("MergeTree"):
            return []
        end, arguments = engine.end, ""
        if len(rest) > 1 and rest[1].is_sign("("):
            closing = next(token for token in rest[2:] if token.is_sign(")") and token.depth == rest[1].depth)
            end, arguments = closing.end, sql[rest[1].end : closing.start].strip()
        path = f"'/clickhouse/tables/{{shard}}/{self._database}/{head.bare}'"
        all_of_them = ", ".join(argument for argument in (path, _REPLICA, arguments) if argument)
        return [
            _Edit(engine.start, end, f"Replicated{engine.text}({all_of_them})"),
            *(_Edit(one.start, one.end, _SETTINGS[one.text]) for one in rest if one.text in _SETTINGS),
        ]

    def _other(self, file: str, sql: str, found: Sequence[Token], head: _Head) -> str:
        if not head.materialized:
            return self._named(sql, head)
        if not any(token.is_word("TO") and not token.depth for token in found):
            raise BadMigration(file, f"materialized view {head.bare} must write TO a table of its own")
        return _edited(sql, [self._name_edit(head), *self._to_local(found)])

    def _alteration(self, sql: str, found: Sequence[Token], head: _Head) -> list[str]:
        if head.bare not in self._sharded:  # a materialized view's query
            return [_edited(sql, [self._name_edit(head), *self._to_local(found)])]
        commands = _commands(sql, [token for token in found if token.start >= head.name.end])
        columns = [command for command, changes_columns in commands if changes_columns]
        altered = [self._named(sql, head, _LOCAL)]
        if columns:
            altered.append(f"ALTER TABLE {self._database}.{head.bare}{self._on_cluster} {', '.join(columns)}")
        return altered

    def _to_local(self, found: Sequence[Token]) -> list[_Edit]:
        """Every table of ours that is named becomes its local part."""
        triples = zip(found, found[1:], found[2:], strict=False)
        named = (triple[2] for triple in triples if self._is_ours(triple))
        return [_Edit(name.start, name.end, _bare(name) + _LOCAL) for name in named if _bare(name) in self._sharded]

    def _is_ours(self, triple: Sequence[Token]) -> bool:
        return (
            len(triple) == 3
            and _bare(triple[0]) == self._database
            and triple[1].is_sign(".")
            and triple[2].kind in (Kind.WORD, Kind.NAME)
        )

    def _named(self, sql: str, head: _Head, ending: str = "") -> str:
        return _edited(sql, [self._name_edit(head, ending)])

    def _name_edit(self, head: _Head, ending: str = "") -> _Edit:
        return _Edit(head.name.start, head.name.end, f"{head.bare}{ending}{self._on_cluster}")


def _bare(name: Token) -> str:
    return name.text[1:-1] if name.kind is Kind.NAME else name.text


def _commands(sql: str, found: Sequence[Token]) -> list[tuple[str, bool]]:
    """An ALTER's commands, and whether each changes columns, which a distributed table has as well."""
    commands: list[list[Token]] = [[]]
    for token in found:
        if token.is_sign(",") and not token.depth:
            commands.append([])
        else:
            commands[-1].append(token)
    return [
        (sql[command[0].start : command[-1].end], command[0].is_word(*_ON_COLUMNS) and command[1].is_word("COLUMN"))
        for command in commands
        if len(command) > 1
    ]


def _edited(sql: str, edits: Iterable[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        sql = sql[: edit.start] + edit.text + sql[edit.end :]
    return sql
