"""Where an INSERT's data begins, and what the engine is given in its place."""

import pytest

from infra.local.clickhouse.refusals import Refusal
from infra.local.clickhouse.statements import Insertion, Statement, read_statement


def insertion(text: bytes) -> tuple[str, bytes]:
    """What the engine is given, and the data."""
    found = read_statement(text, whole=True)
    assert isinstance(found, Insertion)
    return " ".join(found.sql("F").split()), text[found.data_at :]


@pytest.mark.parametrize(
    ("text", "sql", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2\n", "INSERT INTO t FROM INFILE 'F' FORMAT CSV", b"1,2\n"),
        (b"INSERT INTO t FORMAT CSV 1,2", "INSERT INTO t FROM INFILE 'F' FORMAT CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV \t\r\n 1", "INSERT INTO t FROM INFILE 'F' FORMAT CSV", b" 1"),
        (b"INSERT INTO t FORMAT CSV\n\n1", "INSERT INTO t FROM INFILE 'F' FORMAT CSV", b"\n1"),
        (b"insert into t(a, b) values(1,2)", "insert into t(a, b) FROM INFILE 'F' FORMAT Values", b"(1,2)"),
        (b"INSERT INTO d.t VALUES\n(1)", "INSERT INTO d.t FROM INFILE 'F' FORMAT Values", b"\n(1)"),
        (b"INSERT INTO values.format VALUES (1)", "INSERT INTO values.format FROM INFILE 'F' FORMAT Values", b" (1)"),
        (
            b"INSERT INTO `values` (`format`) FORMAT X\n",
            "INSERT INTO `values` (`format`) FROM INFILE 'F' FORMAT X",
            b"",
        ),
        (
            b"INSERT INTO TABLE t SETTINGS a=1, b='FORMAT' FORMAT CSV\n1",
            "INSERT INTO TABLE t FROM INFILE 'F' SETTINGS a=1, b='FORMAT' FORMAT CSV",
            b"1",
        ),
        (
            b"INSERT INTO FUNCTION null('x Int8') (x) VALUES (1)",
            "INSERT INTO FUNCTION null('x Int8') (x) FROM INFILE 'F' FORMAT Values",
            b" (1)",
        ),
        (
            b"INSERT INTO {t:Identifier}.{u:Identifier} (a) FORMAT CSV\n1",
            "INSERT INTO {t:Identifier}.{u:Identifier} (a) FROM INFILE 'F' FORMAT CSV",
            b"1",
        ),
        (
            b"-- FORMAT X\nINSERT /* VALUES */ INTO t FORMAT CSV\n1",
            "-- FORMAT X INSERT /* VALUES */ INTO t FROM INFILE 'F' FORMAT CSV",
            b"1",
        ),
        (
            b"INSERT INTO t SELECT a+1 FROM input('a Int8, b String') AS i WHERE a > 1 FORMAT Avro\nObj",
            "INSERT INTO t SELECT a+1 FROM file('F', 'Avro', 'a Int8, b String') AS i WHERE a > 1",
            b"Obj",
        ),
        (
            "INSERT INTO t (`电量`) FORMAT CSV\n1".encode(),
            "INSERT INTO t (`电量`) FROM INFILE 'F' FORMAT CSV",
            b"1",
        ),
    ],
)
def test_data_is_taken_off(text: bytes, sql: str, data: bytes) -> None:
    assert insertion(text) == (sql, data)


def test_binary_data_and_what_looks_like_sql_in_it_are_left_alone() -> None:
    data = bytes(range(256)) + b"' FORMAT CSV SELECT ; "
    assert insertion(b"INSERT INTO t FORMAT Native\n" + data)[1] == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"SELECT 1", Statement("SELECT 1", "", True)),
        (b"select 1 format JSON;", Statement("select 1 format JSON;", "JSON", True)),
        (
            b"SELECT (SELECT 1 AS format), 'FORMAT CSV'",
            Statement("SELECT (SELECT 1 AS format), 'FORMAT CSV'", "", True),
        ),
        (b"CREATE TABLE t (a Int8)", Statement("CREATE TABLE t (a Int8)")),
        (b"INSERT INTO t SELECT 1", Statement("INSERT INTO t SELECT 1")),
        (b"INSERT INTO t SELECT input FROM u", Statement("INSERT INTO t SELECT input FROM u")),
        (b"INSERT INTO t WITH 1 AS a SELECT a", Statement("INSERT INTO t WITH 1 AS a SELECT a")),
        (b"INSERT", Statement("INSERT")),
        (b"INSERT INTO t FORMAT", Statement("INSERT INTO t FORMAT")),
    ],
)
def test_other_statements_are_left_as_they_are(text: bytes, expected: Statement) -> None:
    assert read_statement(text, whole=True) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"", "SYNTAX_ERROR"),
        (b" -- nothing\n", "SYNTAX_ERROR"),
        (b"SELECT 1; SELECT 2", "SYNTAX_ERROR"),
        (b"SELECT '\xff'", "SYNTAX_ERROR"),
        (b"SELECT 1 INTO OUTFILE '/etc/passwd'", "INTO_OUTFILE_NOT_ALLOWED"),
        (b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", "UNKNOWN_TYPE_OF_QUERY"),
    ],
)
def test_what_the_server_does_not_take(text: bytes, name: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_statement(text, whole=True)
    assert refused.value.name == name


def test_a_statement_that_is_too_long_is_refused_and_an_insert_whose_data_is_long_is_not() -> None:
    with pytest.raises(Refusal, match="Max query size exceeded"):
        read_statement(b"SELECT 1, ", whole=False)
    assert isinstance(read_statement(b"INSERT INTO t VALUES (1), ", whole=False), Insertion)
