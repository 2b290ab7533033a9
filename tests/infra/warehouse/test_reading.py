"""Which statements are taken for queries, by how they begin."""

import pytest

from infra.errors import OperatorError
from infra.warehouse.reading import require_one_query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "-- a\n/* b */ ((select 1)) UNION ALL SELECT 2;;",
        "WITH (SELECT 1) AS a SELECT a",
        "WITH x AS (SELECT 1 AS insert) SELECT insert FROM x",
        "SHOW CREATE VIEW sessions",
        "DESC t",
        "DESCRIBE TABLE t",
        "EXISTS TABLE t",
        "EXPLAIN SELECT 1",
        "EXPLAIN PLAN header = 1, actions = 1 (SELECT 1)",
        "explain query tree run_passes = 1 with 1 as a select a",
        "SELECT 'a; INSERT INTO t', `INTO` FROM t -- ; DROP TABLE t",
        "SELECT (1 AS format), format FROM t",
    ],
)
def test_what_reads(sql: str) -> None:
    require_one_query(sql)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("", "the query is empty"),
        ("-- SELECT 1\n;", "the query is empty"),
        ("INSERT INTO t SELECT 1", "begins with INSERT"),
        ("WITH x AS (SELECT 1) INSERT /* */ INTO t SELECT * FROM x", "INSERT INTO"),
        ("EXPLAIN AST INSERT INTO t SELECT 1", "EXPLAIN takes a SELECT here, not INSERT"),
        ("EXPLAIN CREATE TABLE t (a Int8) ENGINE = Log", "EXPLAIN takes a SELECT here, not CREATE"),
        ("EXPLAIN actions = 1 (DROP TABLE t)", "EXPLAIN takes a SELECT here, not DROP"),
        ("EXPLAIN EXPLAIN SELECT 1", "EXPLAIN takes a SELECT here, not EXPLAIN"),
        ("EXPLAIN", "explains nothing"),
        ("SELECT 1 // '\n; DROP TABLE t // '", "one query at a time"),
        ("SELECT 1 AS a$$; DROP TABLE b$$", "one query at a time"),
        ("SELECT 1 INTO OUTFILE '/tmp/a'", "INTO OUTFILE: leave it out, --output says it"),
        ("(SELECT 1 into outfile '/tmp/a')", "INTO OUTFILE"),
        ("CREATE TEMPORARY TABLE t (a Int8)", "begins with CREATE"),
        ("KILL QUERY WHERE 1", "begins with KILL"),
        ("SYSTEM FLUSH LOGS", "begins with SYSTEM"),
        ("USE d", "begins with USE"),
        ("'SELECT'", "begins with 'SELECT'"),
    ],
)
def test_what_does_not(sql: str, told: str) -> None:
    with pytest.raises(OperatorError) as refused:
        require_one_query(sql)
    assert told in str(refused.value)
