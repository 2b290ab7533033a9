"""Reads a request's SQL as far as the server must know it: where an INSERT's data begins, and in which format it is.

chDB has no input stream, so that data is handed to it as a file: what ClickHouse reads behind `FORMAT` becomes
`FROM INFILE`, and `input()` becomes `file()`. Pure; offsets are bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.local.clickhouse.limits import SQL_MAX_BYTES
from infra.local.clickhouse.outside import require_inside
from infra.local.clickhouse.refusals import Code, Refusal
from infra.sql_tokens import Kind, Token, tokens

#: An opening brace stands for a name: `{table:Identifier}`.
_BRACKETS = frozenset("()[]}")
_READERS = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "FROM")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that is run as it stands. `format` is its FORMAT clause's, "" without; `reads` if it gives rows."""

    sql: str
    format: str = ""
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Insertion:
    """An INSERT whose data, in `format`, begins `data_at` bytes into the text."""

    before: str
    after: str
    format: str
    data_at: int
    by_function: bool = False

    @property
    def holds_expressions(self) -> bool:
        """Whether the data is SQL itself."""
        return self.format.lower() == "values"

    def sql(self, path: str) -> str:
        """The same INSERT with its data in the file at `path`, which holds no quotes and no globs."""
        if self.by_function:
            return f"{self.before}file('{path}', '{self.format}', {self.after}"
        return f"{self.before} FROM INFILE '{path}' {self.after} FORMAT {self.format}"


def read_statement(head: bytes, whole: bool) -> Statement | Insertion:
    """What the text that begins with `head`, and is all of it if `whole`, asks for. Raises Refusal."""
    text = head.decode("latin-1")  # so that places in the text are places in the bytes
    first = next(tokens(text), None)
    if first is None:
        raise Refusal.of(Code.SYNTAX_ERROR, "Empty query")
    insertion = _insertion(text) if first.is_word("INSERT") else None
    if insertion:
        require_inside(insertion.before)
        require_inside(insertion.after)
        return insertion
    if not whole:
        raise Refusal.of(Code.SYNTAX_ERROR, f"Max query size exceeded: a statement has {SQL_MAX_BYTES} bytes at most")
    return _statement(text, reads=first.is_word(*_READERS) or first.is_sign("("))


def _statement(text: str, reads: bool) -> Statement:
    ended, format_, before = False, "", None
    for token in tokens(text):
        if ended and not token.is_sign(";"):
            raise Refusal.of(Code.SYNTAX_ERROR, "Multi-statements are not allowed")
        ended = token.is_sign(";")
        if before is not None and before.is_word("INTO") and token.is_word("OUTFILE"):
            raise Refusal.of(Code.INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed")
        if before is not None and before.is_word("FORMAT") and token.kind is Kind.WORD and not token.depth:
            format_ = token.text
        before = token
    sql = _sql(text)
    require_inside(sql)
    return Statement(sql, format_, reads)


def _insertion(text: str) -> Insertion | None:
    """The INSERT with data at the beginning of `text`; None for one that brings its own, by SELECT, or is cut off."""
    clauses = _clauses(text)
    settings: int | None = None
    for token in clauses:
        if token.is_word("FROM", "SELECT", "WITH"):
            following = next(clauses, None)
            if token.is_word("FROM") and following is not None and following.is_word("INFILE"):
                raise Refusal.of(Code.UNKNOWN_TYPE_OF_QUERY, "Query has infile and was send directly to server")
            return _by_function(text)
        if token.is_word("SETTINGS"):
            settings = token.start if settings is None else settings
        if token.is_word("VALUES", "FORMAT"):
            place = token.start if settings is None else settings
            before, after = _sql(text[:place]), _sql(text[place : token.start])
            if token.is_word("VALUES"):
                return Insertion(before, after, "Values", token.end)
            named = next(clauses, None)
            return Insertion(before, after, named.text, _data_after(text, named.end)) if named else None
    return None


def _clauses(text: str) -> Iterator[Token]:
    """An INSERT's tokens outside brackets, behind the name of the table: `INSERT INTO values.format (a, b)`."""
    outside = (token for token in tokens(text) if not token.depth and token.text not in _BRACKETS)
    token = next(outside, None)
    while token is not None and token.is_word("INSERT", "INTO", "TABLE", "FUNCTION"):
        token = next(outside, None)
    token = next(outside, None)  # behind the name, or behind its database
    while token is not None and token.is_sign("."):
        next(outside, None)
        token = next(outside, None)
    if token is not None:
        yield token
        yield from outside


def _by_function(text: str) -> Insertion | None:
    """`INSERT … SELECT … FROM input('structure') FORMAT f` and data."""
    found = list(_until_data(text))
    call = next((n for n, token in enumerate(found) if _is_input(found[n : n + 4])), None)
    if call is None or len(found) < 2 or not found[-2].is_word("FORMAT"):
        return None
    structure, format_, named = found[call + 2], found[-2], found[-1]
    return Insertion(
        before=_sql(text[: found[call].start]),
        after=_sql(text[structure.start : format_.start]),
        format=named.text,
        data_at=_data_after(text, named.end),
        by_function=True,
    )


def _until_data(text: str) -> Iterator[Token]:
    names_format = False
    for token in tokens(text):
        yield token
        if names_format and token.kind is Kind.WORD:
            return
        names_format = token.is_word("FORMAT") and not token.depth


def _is_input(call: Sequence[Token]) -> bool:
    return (
        len(call) == 4
        and call[0].is_word("INPUT")
        and call[1].is_sign("(")
        and call[2].kind is Kind.STRING
        and call[3].is_sign(")")
    )


def _data_after(text: str, place: int) -> int:
    """Data begins behind the spaces after the format's name, and one line break."""
    while place < len(text) and text[place] in " \t\f":
        place += 1
    if text.startswith("\r", place):
        place += 1
    if text.startswith("\n", place):
        place += 1
    return place


def _sql(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise Refusal.of(Code.SYNTAX_ERROR, "the statement is not UTF-8") from None
