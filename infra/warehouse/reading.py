"""Tells a query from what changes something, by how it begins. The server has the last word: `readonly` is set, too."""

from collections.abc import Sequence
from itertools import pairwise

from infra.errors import OperatorError
from infra.sql_tokens import Kind, Token, tokens

_READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN")
#: What may stand between EXPLAIN and what it explains, besides `name = value`.
_EXPLAINED_AS = ("AST", "SYNTAX", "QUERY", "TREE", "PLAN", "PIPELINE", "ESTIMATE")


def require_one_query(sql: str) -> None:
    """Raises OperatorError unless this is one statement that reads, and names neither a file nor a format."""
    found = list(tokens(sql))
    while found and found[-1].is_sign(";"):
        found.pop()
    if any(token.is_sign(";") for token in found):
        raise OperatorError("one query at a time: there is something behind the semicolon")
    _require_reading(found)
    for before, token in pairwise(found):
        if before.is_word("INTO") and token.is_word("OUTFILE"):
            raise OperatorError("the query has INTO OUTFILE: leave it out, --output says it")
        if before.is_word("INSERT") and token.is_word("INTO"):
            raise OperatorError("the query has INSERT INTO: nothing can be changed from here")
    for place, token in enumerate(found[:-1]):
        named, behind = found[place + 1], found[place + 2 : place + 3]
        ends = not behind or behind[0].is_word("SETTINGS")
        if token.is_word("FORMAT") and not token.depth and named.kind is Kind.WORD and ends:
            raise OperatorError(f"the query ends with FORMAT {named.text}: leave it out, --format says it")


def _require_reading(found: Sequence[Token]) -> None:
    rest = _without_brackets(found)
    if rest and rest[0].is_word("EXPLAIN"):
        rest = _without_brackets(_explained(rest[1:]))
        if rest and not rest[0].is_word("SELECT", "WITH"):
            raise OperatorError(f"EXPLAIN takes a SELECT here, not {_shown(rest[0])}")
    if not rest:
        raise OperatorError("the query is empty, or explains nothing")
    if not rest[0].is_word(*_READING):
        raise OperatorError(
            f"this begins with {_shown(rest[0])}, which is no query: begin with {', '.join(_READING[:-1])} "
            f"or {_READING[-1]}. Nothing can be changed from here"
        )


def _without_brackets(found: Sequence[Token]) -> Sequence[Token]:
    place = 0
    while place < len(found) and found[place].is_sign("("):
        place += 1
    return found[place:]


def _explained(found: Sequence[Token]) -> Sequence[Token]:
    """What is explained, behind the kind of explanation and its settings."""
    place = 0
    while place < len(found):
        if place + 2 < len(found) and found[place].kind is Kind.WORD and found[place + 1].is_sign("="):
            place += 3
        elif found[place].is_sign(",") or found[place].is_word(*_EXPLAINED_AS):
            place += 1
        else:
            break
    return found[place:]


def _shown(token: Token) -> str:
    return token.text[:40].upper() if token.kind is Kind.WORD else token.text[:40]
