"""What clients may not reach: by the text for files, by the engine's grants for all else."""

from pathlib import Path

import pytest

from connectors.warehouse.settings import Warehouse
from infra.local.clickhouse.limits import VALUES_MAX_BYTES
from infra.local.clickhouse.outside import require_inside
from infra.local.clickhouse.refusals import Refusal
from tests.infra.local.clickhouse.http_client import ask

ACCESS_DENIED = 497


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString', 'a String')",
        "SELECT FiLe ('/etc/passwd')",
        "SELECT file/* ' */('/etc/passwd') -- '",
        "SELECT \"file\"('/etc/passwd'), 1",
        "SELECT `file`('/etc/passwd')",
        r"""SELECT "fi\x6ce"('/etc/passwd')""",
        "SELECT “file”('/etc/passwd')",
        "SELECT ‘'’, file('/etc/passwd'), ‘'’",
        "SELECT 1 AS a$$, file('/etc/passwd') AS b$$",
        "SELECT 1 // '\n, file('/etc/passwd') // '",
        "SELECT arrayMap(file, ['/etc/passwd'])",
        "SELECT * APPLY file FROM t",
        "DESCRIBE TABLE file('/etc/passwd')",
        "INSERT INTO FUNCTION file('/tmp/a', 'CSV') SELECT 1",
        "CREATE TABLE t (a String DEFAULT file('/etc/passwd')) ENGINE = Memory",
        "SELECT * FROM icebergLocal('/etc')",
        "SELECT * FROM Python(x)",
        "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 'local', path = '/tmp/a')",
        "SELECT * FROM format(Values, 'a String', '(file(''/etc/passwd''))')",
        "SELECT * FROM format('Values', 'a String', '(file(''/etc/passwd''))')",
        "SELECT * FROM format('{' = '' ? '' : 'Values', 'a String', '(file(''/etc/passwd''))')",
    ],
)
def test_what_reads_files_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="does not take") as refused:
        require_inside(text)
    assert refused.value.name == "ACCESS_DENIED"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'file(''/etc/passwd'')', $$ file('a') $$ -- file('b')",
        "SELECT file_name, profile, disk_name FROM t /* file('a') */",
        "SELECT format('{} of {}', a, b), format('{}') FROM t FORMAT JSON",
        r"SELECT 'a\'b', 'file' FROM t",
        "INSERT INTO `values` (`format`) FORMAT X",
    ],
)
def test_what_only_looks_so_is_not(text: str) -> None:
    require_inside(text)


@pytest.mark.clickhouse
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'a String')",
        "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'LineAsString', 'a String') SELECT 'a'",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "SELECT * FROM odbc('DSN=x', 't')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV', 'a String')",
        "SELECT * FROM sqlite('/tmp/x', 't')",
        "CREATE TABLE t (a String) ENGINE = File(CSV)",
        "CREATE TABLE t (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
        "CREATE TABLE t (a String) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'CSV')",
        "CREATE DATABASE d ENGINE = Filesystem('/etc')",
        "CREATE DATABASE d ENGINE = SQLite('/tmp/x')",
        "CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(EXECUTABLE(command 'id' format 'CSV')) LAYOUT(FLAT()) "
        "LIFETIME(0)",
        "CREATE FUNCTION f AS (x) -> x",
        "BACKUP TABLE t TO Disk('default', 'b')",
        "SYSTEM SHUTDOWN",
        "INSERT INTO t VALUES (/* */ file('/etc/passwd'))",
        "INSERT INTO t SELECT a FROM input('a String') WHERE file('/etc/passwd') != '' FORMAT CSV\n1",
        "INSERT INTO FUNCTION file('/tmp/a', 'CSV', 'a String') FORMAT CSV\n1",
    ],
)
def test_each_way_out_is_closed(clickhouse: Warehouse, sql: str) -> None:
    ask(clickhouse, b"CREATE TABLE t (a String) ENGINE = Memory")
    answer = ask(clickhouse, sql.encode())
    assert answer.code == ACCESS_DENIED, answer.body
    assert ask(clickhouse, b"SELECT count() FROM t").body == b"0\n"


@pytest.mark.clickhouse
@pytest.mark.parametrize(
    "setting",
    [
        "additional_result_filter = 'a != 1'",
        "additional_table_filters = {'t': 'a = 1'}",
        "allow_experimental_eval_table_function = 1",
    ],
)
def test_settings_that_hold_sql_can_not_be_set(clickhouse: Warehouse, setting: str) -> None:
    assert ask(clickhouse, f"SELECT 1 AS a SETTINGS {setting}".encode()).code == 452
    assert ask(clickhouse, f"SET {setting}".encode()).code == 452


@pytest.mark.clickhouse
def test_nothing_is_written(clickhouse: Warehouse, tmp_path: Path) -> None:
    sql = f"INSERT INTO FUNCTION file('{tmp_path}/a', 'LineAsString', 'a String') SELECT 'a'"
    assert ask(clickhouse, sql.encode()).code == ACCESS_DENIED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.clickhouse
def test_values_may_hold_the_words_and_have_a_limit(clickhouse: Warehouse) -> None:
    ask(clickhouse, b"CREATE TABLE t (a String) ENGINE = Memory")
    assert ask(clickhouse, b"INSERT INTO t VALUES ('file(''x'')'), (upper('a') || 'b')").status == 200
    assert ask(clickhouse, b"SELECT a FROM t ORDER BY a").body == b"Ab\nfile(\\'x\\')\n"
    long = b"INSERT INTO t VALUES " + b"('a')," * (VALUES_MAX_BYTES // 6 + 1)
    assert ask(clickhouse, long).code == 307
