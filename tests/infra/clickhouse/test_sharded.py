"""The views on distributed tables answer as on plain ones, and ask no shard for what lies on others."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.sql_tokens import Kind, Token, tokens
from infra.warehouse.migration import load_migrations

ROOT = Path(__file__).parents[3]


@pytest.mark.clickhouse
def test_views_stand_on_distributed_tables(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.infra.clickhouse.sharded", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:-1] == []
    assert int(lines[-1].removeprefix("compared ")) >= 28


def parted(sql: str) -> list[str]:
    """The INs and JOINs of a statement that each shard would do with its own rows alone: those that aren't GLOBAL, but
    for lists of literals and ARRAY JOIN."""
    found = list(tokens(sql))
    wrong = []
    for n, token in enumerate(found):
        before = found[max(0, n - 4) : n]
        if token.is_word("IN"):
            literal = found[n + 1].is_sign("(") and found[n + 2].kind in (Kind.STRING, Kind.NUMBER)
            alone = not (literal or before[-1].is_word("GLOBAL"))
        else:
            alone = token.is_word("JOIN") and not any(one.is_word("GLOBAL", "ARRAY") for one in before)
        if alone:
            wrong.append(shown(sql, token))
    return wrong


def shown(sql: str, token: Token) -> str:
    """The line that the token is in."""
    return sql[sql.rfind("\n", 0, token.start) + 1 : token.end].strip()


def test_no_view_is_parted_by_shards() -> None:
    views = [
        statement.sql
        for migration in load_migrations()
        for statement in migration.statements
        if statement.sql.startswith("CREATE OR REPLACE VIEW")
    ]
    assert len(views) >= 18
    assert [line for view in views for line in parted(view)] == []


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("SELECT a IN ('x', 'y'), b IN (1) FROM t ARRAY JOIN c", []),
        ("SELECT 1 FROM t WHERE a GLOBAL IN (SELECT 1) AND (a, b) GLOBAL IN u", []),
        ("SELECT 1 FROM t\nWHERE a IN (SELECT 1)", ["WHERE a IN"]),
        ("SELECT 1 FROM t\nWHERE a IN u", ["WHERE a IN"]),
        ("SELECT 1 FROM t GLOBAL ASOF LEFT JOIN u USING a", []),
        ("SELECT 1 FROM t\nANY LEFT JOIN u USING a", ["ANY LEFT JOIN"]),
    ],
)
def test_what_is_parted_is_found(sql: str, wrong: list[str]) -> None:
    assert parted(sql) == wrong
