"""Tells code from comments and literals in ClickHouse's SQL, token by token. Knows no grammar."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a token is."""

    WORD = "word"  # a keyword or a bare identifier
    NAME = "name"  # a quoted identifier
    STRING = "string"
    NUMBER = "number"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `start` and `end` are its place in the text, `depth` the brackets that it lies in."""

    kind: Kind
    text: str
    start: int
    end: int
    depth: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of the keywords `words`, given in capitals."""
        return self.kind is Kind.WORD and self.text.upper() in words

    def is_sign(self, sign: str) -> bool:
        """Whether this is the sign `sign`."""
        return self.kind is Kind.SIGN and self.text == sign


_TOKEN = re.compile(
    r"""
    (?P<skip> \s+ | --[^\n]* | //[^\n]* | \#[!\ ][^\n]* | /\*.*?\*/ )
  | (?P<string> '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | ‘[^’]*’ )
  | (?P<name> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" | “[^”]*” )
  | (?P<word> [A-Za-z_][\w$]* )
  | (?P<number> \d[\w.]* )
  | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, without spaces and comments. A literal that does not end comes as signs and words."""
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "skip":
            continue
        token = match.group()
        if token in _CLOSING:
            depth = max(0, depth - 1)
        yield Token(Kind(kind), token, match.start(), match.end(), depth)
        if token in _OPENING:
            depth += 1
