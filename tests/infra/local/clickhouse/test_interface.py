"""ClickHouse's HTTP interface before the real engine, byte by byte."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connectors.protocol.credentials import Secret
from connectors.warehouse.settings import Warehouse
from infra.local.clickhouse import coding, limits
from tests.infra.local.clickhouse.http_client import ask

pytestmark = pytest.mark.clickhouse

TABLE = b"""CREATE TABLE t (x UInt64, s LowCardinality(String), d DateTime64(3, 'UTC'), n Nullable(Decimal(10, 2)))
ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100"""
SOURCE = b"""SELECT number AS x, toString(number % 7) AS s, toDateTime64(number, 3, 'UTC') AS d,
    toNullable(number::Decimal(10, 2)) AS n"""
FORMATS = (
    "Native",
    "RowBinary",
    "CSV",
    "CSVWithNames",
    "TabSeparated",
    "JSONEachRow",
    "Avro",
    "Parquet",
    "Arrow",
    "ArrowStream",
    "Values",
)


@pytest.fixture
def table(clickhouse: Warehouse) -> Warehouse:
    assert ask(clickhouse, TABLE).status == 200
    return clickhouse


def count(warehouse: Warehouse) -> int:
    return int(ask(warehouse, b"SELECT count() FROM t").body)


def test_a_query_its_headers_and_its_summary(clickhouse: Warehouse) -> None:
    answer = ask(clickhouse, b"SELECT 1 AS a, 'b' AS b", query_id="mine")
    assert (answer.status, answer.body) == (200, b"1\tb\n")
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
    assert answer.headers["Content-Type"] == "text/tab-separated-values; charset=UTF-8"
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "1"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_sql_may_be_in_the_url(clickhouse: Warehouse, method: str) -> None:
    assert ask(clickhouse, method=method, query="SELECT 2 FORMAT JSONEachRow").body == b'{"2":2}\n'


def test_the_sql_may_begin_in_the_url_and_go_on_in_the_body(clickhouse: Warehouse) -> None:
    assert ask(clickhouse, b"+ 3", query="SELECT 2").body == b"5\n"


def test_what_get_asks_for_changes_nothing(table: Warehouse) -> None:
    answer = ask(table, method="GET", query="DROP TABLE t")
    assert (answer.status, answer.code) == (500, 164)
    assert count(table) == 0


def test_formats_by_parameter_by_header_and_by_clause(clickhouse: Warehouse) -> None:
    assert ask(clickhouse, b"SELECT 1 AS a", default_format="JSONEachRow").body == b'{"a":1}\n'
    assert ask(clickhouse, b"SELECT 1 AS a", headers={"X-ClickHouse-Format": "CSVWithNames"}).body == b'"a"\n1\n'
    clause = ask(clickhouse, b"SELECT 1 AS a FORMAT Native", default_format="JSONEachRow")
    assert (clause.body, clause.headers["X-ClickHouse-Format"]) == (b"\x01\x01\x01a\x05UInt8\x01", "Native")


def test_parameters(clickhouse: Warehouse) -> None:
    sql = b"SELECT {a:UInt8} + 1, {s:String}, {l:Array(String)}, {n:Nullable(String)}, {t:DateTime64(3)}"
    values = {"a": "1", "s": r"it's\ta tab", "l": "['a','b']", "n": r"\N", "t": "2026-01-02 03:04:05.678"}
    answer = ask(clickhouse, sql, parameters=values)
    assert answer.body == b"2\tit\\'s\\ta tab\t['a','b']\t\\N\t2026-01-02 03:04:05.678\n"


def test_settings_are_the_requests_own(clickhouse: Warehouse) -> None:
    sql = b"SELECT value FROM system.settings WHERE name = 'max_block_size'"
    assert ask(clickhouse, sql, max_block_size="77").body == b"77\n"
    assert ask(clickhouse, sql).body != b"77\n"
    ask(clickhouse, b"SET max_block_size = 78")
    assert ask(clickhouse, sql).body != b"78\n"


def test_the_database_is_the_requests_own(clickhouse: Warehouse) -> None:
    assert ask(clickhouse, b"SELECT currentDatabase()").body.decode().strip() == clickhouse.database
    assert ask(clickhouse, b"SELECT currentDatabase()", database="").body == b"default\n"
    assert ask(clickhouse, b"SELECT 1", database="none_such").code == 81


@pytest.mark.parametrize("format_", FORMATS)
def test_inserts_of_every_format(table: Warehouse, format_: str) -> None:
    block, other = (
        ask(table, SOURCE + f" FROM numbers({start}, 1000) FORMAT {format_}".encode()).body for start in (0, 1000)
    )
    head = f"INSERT INTO t (x, s, d, n) FORMAT {format_}"
    by_url = ask(table, block, query=head)
    assert (by_url.status, by_url.body) == (200, b"")
    assert json.loads(by_url.headers["X-ClickHouse-Summary"])["written_rows"] == "1000"
    assert "X-ClickHouse-Format" not in by_url.headers
    in_body = ask(table, head.encode() + b"\n" + other)
    assert in_body.status == 200
    assert ask(table, b"SELECT count(), sum(x), sum(n), max(d) FROM t").body == (
        b"2000\t1999000\t1999000\t1970-01-01 00:33:19.000\n"
    )


@pytest.mark.parametrize("format_", ["Native", "Avro", "CSV"])
def test_a_repeated_token_drops_the_block(table: Warehouse, format_: str) -> None:
    blocks = [
        ask(table, SOURCE + f" FROM numbers({start}, 10) FORMAT {format_}".encode()).body for start in (0, 10, 20)
    ]
    sql = f"INSERT INTO t (x, s, d, n) FORMAT {format_}"
    for block, token in ((blocks[0], "a"), (blocks[1], "b"), (blocks[0], "a"), (blocks[2], "a")):
        assert ask(table, block, query=sql, insert_deduplication_token=token).status == 200
    assert ask(table, b"SELECT count(), max(x) FROM t").body == b"20\t19\n"


def test_a_repeated_token_drops_a_large_insert_of_many_blocks(table: Warehouse) -> None:
    block = ask(table, SOURCE + b" FROM numbers(400000) FORMAT Native").body
    for _ in range(2):
        answer = ask(
            table,
            block,
            query="INSERT INTO t FORMAT Native",
            insert_deduplication_token="a",
            max_insert_block_size="50000",
            min_insert_block_size_rows="50000",
        )
        assert answer.status == 200
    assert count(table) == 400_000


def test_an_insert_by_input_function(table: Warehouse) -> None:
    block = ask(table, b"SELECT toInt32(number) AS a, 'z' AS b FROM numbers(10) FORMAT Avro").body
    sql = "INSERT INTO t (x, s) SELECT a * 2, upper(b) FROM input('a Int32, b String') WHERE a > 5 FORMAT Avro"
    for _ in range(2):
        assert ask(table, block, query=sql, insert_deduplication_token="a").status == 200
    assert ask(table, b"SELECT x, s FROM t ORDER BY x FORMAT CSV").body == b'12,"Z"\n14,"Z"\n16,"Z"\n18,"Z"\n'


def test_the_default_database_holds_tables_not_files(clickhouse: Warehouse) -> None:
    name = f"{clickhouse.database}_kept"
    assert ask(clickhouse, f"CREATE TABLE {name} (x Int8) ENGINE = Memory".encode(), database="default").status == 200
    assert ask(clickhouse, f"DROP TABLE {name} SYNC".encode(), database="default").status == 200
    assert ask(clickhouse, b"SELECT * FROM `/etc/hostname`", database="default").code == 60


def test_inserts_that_bring_their_own_data(table: Warehouse) -> None:
    for sql in (b"INSERT INTO t (x, s) VALUES (1, 'a;b'), (1 + 1, 'FORMAT')", b"INSERT INTO t (x) SELECT 3"):
        assert ask(table, sql).status == 200
    assert ask(table, b"INSERT INTO {table:Identifier} (x) FORMAT CSV\n4", parameters={"table": "t"}).status == 200
    assert ask(table, b"SELECT x, s FROM t ORDER BY x FORMAT CSV").body == b'1,"a;b"\n2,"FORMAT"\n3,""\n4,""\n'


def test_settings_in_the_insert(table: Warehouse) -> None:
    sql = b"INSERT INTO t (x) SETTINGS input_format_csv_skip_first_lines = 1 FORMAT CSV\nx\n1\n"
    assert ask(table, sql).status == 200
    assert count(table) == 1


@pytest.mark.parametrize("name", ["gzip", "lz4", "zstd", "deflate"])
def test_bodies_are_decompressed_and_answers_compressed(table: Warehouse, name: str) -> None:
    def pack(data: bytes) -> bytes:
        return coding.encoded(data, name)

    encoding = {"Content-Encoding": name}
    assert ask(table, pack(b"INSERT INTO t (x) FORMAT CSV\n1\n") + pack(b"2\n"), headers=encoding).status == 200
    assert ask(table, pack(b"3\n"), headers=encoding, query="INSERT INTO t (x) FORMAT CSV").status == 200
    assert count(table) == 3
    accept = {"Accept-Encoding": name}
    for sql in (b"SELECT x FROM t ORDER BY x", b"SELECT number FROM numbers(100000)"):
        plain = ask(table, sql, headers=accept)
        assert "Content-Encoding" not in plain.headers
        packed = ask(table, sql, headers=accept, enable_http_compression="1")
        assert packed.headers["Content-Encoding"] == name
        assert b"".join(coding.Decoder(name).decode(packed.body)) == plain.body


def test_statements_that_give_nothing(clickhouse: Warehouse) -> None:
    answer = ask(clickhouse, TABLE)
    assert (answer.status, answer.body) == (200, b"")
    assert "X-ClickHouse-Format" not in answer.headers
    assert ask(clickhouse, b"SELECT * FROM t").headers["X-ClickHouse-Format"] == "TabSeparated"


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        (b"SELEC 1", 400, 62, "SYNTAX_ERROR"),
        (b"", 400, 62, "SYNTAX_ERROR"),
        (b"SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        (b"SELECT * FROM none_such", 404, 60, "UNKNOWN_TABLE"),
        (b"SELECT none_such", 404, 47, "UNKNOWN_IDENTIFIER"),
        (b"SELECT 1 SETTINGS none_such = 1", 404, 115, "UNKNOWN_SETTING"),
        (b"INSERT INTO none_such FORMAT CSV\n1", 404, 60, "UNKNOWN_TABLE"),
        (b"INSERT INTO t FORMAT NoneSuch\n1", 404, 73, "UNKNOWN_FORMAT"),
        (b"INSERT INTO t (x, s) FORMAT CSV\n1,a\nfoo,b\n", 400, 27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"),
        (b"INSERT INTO t (x) FORMAT Avro\nObj\x01", 500, 1001, "STD_EXCEPTION"),
        (b"SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        (b"SELECT 1 INTO OUTFILE '/tmp/none'", 500, 358, "INTO_OUTFILE_NOT_ALLOWED"),
    ],
)
def test_errors_are_clickhouses(table: Warehouse, sql: bytes, status: int, code: int, name: str) -> None:
    answer = ask(table, sql)
    assert (answer.status, answer.code) == (status, code)
    text = answer.body.decode()
    assert text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name}) (version " in text
    assert "/proc/" not in text
    assert count(table) == 0


def test_limits_of_time_and_memory_are_told(clickhouse: Warehouse) -> None:
    slow = ask(clickhouse, b"SELECT sleepEachRow(0.1) FROM numbers(99)", max_execution_time="1", max_block_size="1")
    assert (slow.status, slow.code) == (408, 159)
    hungry = ask(clickhouse, b"SELECT groupArray(number) FROM numbers(10000000)", max_memory_usage="1000000")
    assert (hungry.status, hungry.code) == (500, 241)


def test_who_may_ask(clickhouse: Warehouse) -> None:
    for stranger, status, code in (
        (replace(clickhouse, password=Secret("wrong")), 403, 516),
        (replace(clickhouse, user="bob"), 403, 516),
        (replace(clickhouse, password=Secret("")), 401, 194),
    ):
        answer = ask(stranger, b"CREATE TABLE stolen (x Int8) ENGINE = Memory")
        assert (answer.status, answer.code) == (status, code)
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert ask(clickhouse, b"EXISTS TABLE stolen").body == b"0\n"
    by_header = {"X-ClickHouse-User": clickhouse.user, "X-ClickHouse-Key": clickhouse.password.reveal()}
    assert ask(replace(clickhouse, user="bob"), b"SELECT 1", headers=by_header).status == 200


def test_a_stranger_with_a_large_body_is_told_so(clickhouse: Warehouse) -> None:
    stranger = replace(clickhouse, password=Secret("wrong"))
    answer = ask(stranger, bytes(20 * 1024**2), query="INSERT INTO t FORMAT Native")
    assert (answer.status, answer.code) == (403, 516)


def test_handles_beside_queries(clickhouse: Warehouse) -> None:
    stranger = replace(clickhouse, password=Secret(""))
    for path in ("/ping", "/"):
        assert ask(stranger, method="GET", path=path).body == b"Ok.\n"
    assert ask(clickhouse, method="GET", path="/none").status == 404
    assert ask(clickhouse, b"SELECT 1", method="PUT").status == 405


def test_a_form_holds_what_is_too_long_for_the_url(clickhouse: Warehouse) -> None:
    value = "x" * 100_000
    body = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in (("query", "SELECT length({s:String})"), ("param_s", value))
    )
    form = {"Content-Type": "multipart/form-data; boundary=cut"}
    assert ask(clickhouse, f"{body}--cut--\r\n".encode(), headers=form).body == b"100000\n"
    external = body.replace('name="query"', 'name="t"; filename="t"')
    answer = ask(clickhouse, f"{external}--cut--\r\n".encode(), headers=form)
    assert (answer.status, answer.code) == (501, 48)


def test_a_long_url(clickhouse: Warehouse) -> None:
    assert ask(clickhouse, b"SELECT length({s:String})", parameters={"s": "x" * 200_000}).body == b"200000\n"


@pytest.mark.parametrize("name", ["snappy", "br"])
def test_a_coding_that_is_not_known(clickhouse: Warehouse, name: str) -> None:
    answer = ask(clickhouse, b"SELECT 1", headers={"Content-Encoding": name})
    assert (answer.status, answer.code) == (501, 48)


def test_a_statement_that_is_too_long(clickhouse: Warehouse) -> None:
    answer = ask(clickhouse, b"SELECT '" + b"x" * limits.SQL_MAX_BYTES + b"'")
    assert (answer.status, answer.code) == (400, 62)


@pytest.mark.slow
def test_inserts_of_some_hundred_megabytes_go_and_larger_than_the_limit_do_not(table: Warehouse) -> None:
    line = b"1234567,some text that is repeated,2026-01-01 00:00:00.000,1.25\n"
    large = line * (200 * 1024**2 // len(line))
    answer = ask(table, large, query="INSERT INTO t FORMAT CSV")
    assert answer.status == 200
    assert count(table) == len(large) // len(line)
    # The limit is on what is unpacked: a small body may be as large.
    bomb = coding.encoded(line * (limits.BODY_MAX_BYTES // len(line) + 1000), "zstd")
    answer = ask(table, bomb, query="INSERT INTO t FORMAT CSV", headers={"Content-Encoding": "zstd"})
    assert (answer.status, answer.code) == (413, 307)


def test_clients_in_parallel_take_turns(table: Warehouse) -> None:
    def work(number: int) -> bytes:
        assert ask(table, f"INSERT INTO t (x) VALUES ({number})".encode()).status == 200
        return ask(table, b"SELECT {a:UInt32}", parameters={"a": str(number)}, max_block_size=str(number + 1)).body

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(work, range(60)))
    assert answers == [f"{number}\n".encode() for number in range(60)]
    assert ask(table, b"SELECT count(), uniqExact(x) FROM t").body == b"60\t60\n"
