"""Code, comments and literals: what hides a semicolon, and what does not."""

import pytest

from infra.sql_tokens import Kind, tokens


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", ["SELECT", "1"]),
        ("a -- b; c\n, d", ["a", ",", "d"]),
        ("a # b; c\n, d", ["a", ",", "d"]),
        ("a #! b\n, d", ["a", ",", "d"]),
        ("a /* b; \n c */ , d", ["a", ",", "d"]),
        ("'a;''b' c", ["'a;''b'", "c"]),
        (r"'a\';' c", [r"'a\';'", "c"]),
        ('"a;""b" `c``;d`', ['"a;""b"', "`c``;d`"]),
        ("$$a;b$$ $t$ c; $$ $t$", ["$$a;b$$", "$t$ c; $$ $t$"]),
        ("a // b; '\n, d // '", ["a", ",", "d"]),
        ("a$$, b$$", ["a$$", ",", "b$$"]),
        ("‘'’, b, ‘'’", ["‘'’", ",", "b", ",", "‘'’"]),
        ("“a;b” c", ["“a;b”", "c"]),
        ("1.5e3 0x1F", ["1.5e3", "0x1F"]),
        ("'never ends", ["'", "never", "ends"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_places_and_depths() -> None:
    found = list(tokens("f(a, [b])"))
    assert [(token.text, token.depth) for token in found] == [
        ("f", 0),
        ("(", 0),
        ("a", 1),
        (",", 1),
        ("[", 1),
        ("b", 2),
        ("]", 1),
        (")", 0),
    ]
    assert (found[5].start, found[5].end, found[5].kind) == (6, 7, Kind.WORD)


def test_a_closing_bracket_too_many_goes_below_nothing() -> None:
    assert [token.depth for token in tokens(") a (b")] == [0, 0, 0, 1]


def test_keywords_are_words_of_any_case_but_no_names() -> None:
    select, name, string = tokens("sElect `SELECT` 'SELECT'")
    assert select.is_word("FROM", "SELECT")
    assert not name.is_word("SELECT")
    assert not string.is_word("SELECT")
