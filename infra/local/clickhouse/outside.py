"""Refuses SQL of a client's that reads files of this machine. Pure.

Other ways out of the data (URLs, other servers, commands, writing files) the engine refuses by itself, by the grants of
server.xml. Files it must be able to read, since an INSERT's data comes to it as one.
"""

import re
from collections.abc import Sequence
from itertools import chain, repeat

from infra.local.clickhouse.refusals import Code, Refusal
from infra.sql_tokens import Kind, Token, tokens

#: Functions that read files, disks, or the server's own process; `arrayMap(file, …)` needs no bracket behind it.
_OUTSIDE = frozenset(
    {
        "deltalakelocal",
        "disk",
        "file",
        "filecluster",
        "filesystem",
        "iceberglocal",
        "iceberglocalcluster",
        "paimonlocal",
        "python",
    }
)
#: Without one of these there is nothing to look for.
_SUSPECT = re.compile("|".join((*_OUTSIDE, "format", r"\\")), re.IGNORECASE)


def require_inside(text: str) -> None:
    """Raises Refusal (ACCESS_DENIED) for SQL that names one of these, bare or quoted; within strings they may be."""
    if not _SUSPECT.search(text):
        return
    found = list(tokens(text))
    for place, token in enumerate(found):
        name = _name(token)
        if "\\" in name:
            raise _refusal(f"{token.text}: names with a backslash")
        if name.lower() in _OUTSIDE:
            raise _refusal(f"{name}, which reaches outside the warehouse's data,")
        if name.lower() == "format" and _is_of_text(found[place + 1 : place + 4]):
            raise _refusal("the table function format, in whose text functions may be called,")


def _name(token: Token) -> str:
    if token.kind is Kind.NAME:
        return token.text[1:-1]
    return token.text if token.kind is Kind.WORD else ""


def _is_of_text(call: Sequence[Token]) -> bool:
    """Whether `format` is called, and not with a pattern as its first argument."""
    bracket, first, behind, *_ = chain(call, repeat(None, 3))
    if bracket is None or not bracket.is_sign("("):
        return False
    is_pattern = first is not None and first.kind is Kind.STRING and "{" in first.text
    return not (is_pattern and behind is not None and (behind.is_sign(",") or behind.is_sign(")")))


def _refusal(what: str) -> Refusal:
    return Refusal.of(Code.ACCESS_DENIED, f"the local ClickHouse does not take {what} in SQL")
