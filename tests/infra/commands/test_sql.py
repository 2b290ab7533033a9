"""`evcs sql`, as it is typed."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.commands.sql import command
from infra.errors import OperatorError
from infra.local.ports import free_port
from tests.infra.commands.processes import evcs
from tests.whole.topics import PATIENCE_S

pytestmark = pytest.mark.clickhouse

#: Twenty seconds, at the end of each half second of which it may be ended.
SLOW = """WITH RECURSIVE slept AS (
    SELECT 1 AS n UNION ALL SELECT n + 1 + sleepEachRow(0.5) FROM slept WHERE n < 40
) SELECT n FROM slept"""


@pytest.fixture
def variables(clickhouse: Warehouse) -> dict[str, str]:
    """The environment that names the test's own database, in which there is a table `t` with two rows."""
    client = WarehouseClient(clickhouse)
    client.run("CREATE TABLE t (x Int64, word String, amount Decimal(10, 2)) ENGINE = MergeTree ORDER BY x")
    client.run("INSERT INTO t VALUES (1, 'one', 0.5), (2, '中', 12.25)")
    client.close()
    return {
        "EVCS_CLICKHOUSE_URL": clickhouse.url,
        "EVCS_CLICKHOUSE_PASSWORD": clickhouse.password.reveal(),
        "EVCS_CLICKHOUSE_DATABASE": clickhouse.database,
    }


@pytest.fixture
def warehouse(variables: dict[str, str], clean_environment: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        clean_environment.setenv(name, value)


def typed(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(command, words, input=stdin)


def refusal(*words: str) -> str:
    """The one line that a refused query is told in."""
    result = typed(*words)
    assert isinstance(result.exception, OperatorError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


@pytest.mark.usefixtures("warehouse")
def test_four_forms(tmp_path: Path) -> None:
    query = "SELECT * FROM t ORDER BY x;"
    csv = '"x","word","amount"\n1,"one",0.5\n2,"中",12.25\n'
    assert typed(query).stdout == csv  # no terminal
    assert typed(query, "--format", "csv").stdout == csv
    rows = [json.loads(line) for line in typed(query, "--format", "json").stdout.splitlines()]
    assert rows == [{"x": 1, "word": "one", "amount": 0.5}, {"x": 2, "word": "中", "amount": 12.25}]
    table = typed(query, "--format", "table").stdout.splitlines()
    assert table[0].startswith("┌─x─┬─word─┬")
    assert table[2] == "│ 2 │ 中   │  12.25 │"
    assert typed(query, "--format", "parquet").stdout_bytes[:4] == b"PAR1"

    for name, begin in (("a.csv", b'"x","word"'), ("a.parquet", b"PAR1"), ("a.jsonl", b'{"x":1')):
        done = typed(query, "--output", str(tmp_path / name))
        assert done.stdout == ""
        assert done.stderr.endswith(f" bytes in {tmp_path / name}\n")
        assert (tmp_path / name).read_bytes().startswith(begin)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.jsonl", "a.parquet"]


@pytest.mark.usefixtures("warehouse")
def test_where_the_query_comes_from(tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("-- 中\nSELECT count() AS n FROM t -- all\n", encoding="utf-8")
    assert typed("--file", str(tmp_path / "q.sql")).stdout == '"n"\n2\n'
    assert typed(stdin="SELECT 7 AS n").stdout == '"n"\n7\n'
    assert typed("--file", "-", stdin="SELECT 7 AS n").stdout == '"n"\n7\n'
    (tmp_path / "q.sql").write_bytes(b"SELECT '\xff'")
    assert refusal("--file", str(tmp_path / "q.sql")) == "the query is not UTF-8"
    assert refusal("SELECT '\udcff'") == "the query is not UTF-8"
    for wrong in (("SELECT 1", "--file", str(tmp_path / "q.sql")), (" ",), ("SELECT 1", "--output", "a.txt")):
        assert typed(*wrong).exit_code == 2


@pytest.mark.usefixtures("warehouse")
def test_parameters() -> None:
    query = "SELECT x FROM t WHERE word = {word:String} AND {day:Date} = '2026-11-25'"
    for word, found in (("one", "1\n"), ("it's 100 %\t\\", "")):
        assert typed(query, "--param", f"word={word}", "--param", "day=2026-11-25").stdout == '"x"\n' + found
    assert "Substitution `day` is not set" in refusal(query, "--param", "word=one")
    assert refusal("SELECT 1 LIKE '%'", "--param", "day=1").startswith("the query has no parameter day: write")
    assert typed(query, "--param", "word").exit_code == 2


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("INSERT INTO t (x) VALUES (3)", "this begins with INSERT, which is no query"),
        ("DROP TABLE t", "this begins with DROP, which is no query: begin with SELECT,"),
        ("/* SELECT */ (KILL QUERY WHERE 1)", "this begins with KILL"),
        ("SET readonly = 0", "this begins with SET"),
        ("SELECT 1 SETTINGS readonly = 0", "(READONLY)"),
        ("SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", "(ACCESS_DENIED)"),
        ("SELECT * FROM zeros(1)", "(READONLY)"),  # what readonly = 1 keeps out, and 2 does not
        ("SELECT * FROM file('/etc/passwd', 'LineAsString', 'a String')", "(ACCESS_DENIED)"),
        ("SELECT", "Syntax error: failed at position 7 (end of query)"),
        ("SELECT * FROM nothing", "Unknown table expression identifier 'nothing'"),
        ("SELECT\n  (1, 2", "(line 2, col 3)"),
        ("SELECT 1 FORMAT JSON;", "the query ends with FORMAT JSON: leave it out, --format says it"),
        ("SELECT 1 FORMAT JSON SETTINGS max_threads = 1", "the query ends with FORMAT JSON"),
        ("SELECT 1; SELECT 2", "one query at a time: there is something behind the semicolon"),
    ],
)
def test_what_is_refused(query: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(query, "--format", "csv")
    kept = tmp_path / "kept.csv"
    kept.write_text("before")
    assert said in refusal(query, "--output", str(kept))
    assert kept.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
    assert typed("SELECT count() AS n FROM t").stdout == '"n"\n2\n'


@pytest.mark.usefixtures("warehouse")
def test_a_query_ends_in_time_and_a_table_has_a_limit() -> None:
    assert "TIMEOUT_EXCEEDED" in refusal(SLOW, "--timeout", "1")
    table = typed("SELECT number FROM numbers(10050)", "--format", "table").stdout
    assert table.count(" │\n") == 10_000
    assert "Showed 10000 out of 10050 rows" in table


@pytest.mark.usefixtures("warehouse")
def test_a_file_that_can_not_be_written(tmp_path: Path) -> None:
    told = refusal("SELECT 1", "--output", str(tmp_path / "none" / "a.csv"))
    assert told.endswith("a.csv can't be written: No such file or directory")


def test_a_terminal_gets_a_table_and_no_parquet(variables: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVCS_")} | variables
    for words in (["SELECT 1 AS one"], ["SELECT 1 AS one", "--format", "parquet"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "infra", "sql", *words], env=environment, stdout=theirs, stderr=theirs
        )
        process.wait(PATIENCE_S)
    told = os.read(ours, 65_536).decode()
    assert "┌─one─┐" in told
    assert "parquet is not for a terminal" in told
    os.close(ours)
    os.close(theirs)


def test_interrupted_it_ends_at_once(variables: dict[str, str], tmp_path: Path) -> None:
    process = evcs("sql", SLOW, "--output", str(tmp_path / "a.csv"), **variables)
    deadline = time.monotonic() + PATIENCE_S
    while not list(tmp_path.iterdir()):  # the file is opened when the query is asked
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert process.returncode == 1
    assert told.strip() == "Aborted!"
    assert list(tmp_path.iterdir()) == []


def test_nobody_there_is_one_line() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    _, told = (process := evcs("sql", "SELECT 1", EVCS_CLICKHOUSE_URL=nobody)).communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert told.startswith(f"error: no ClickHouse answers at {nobody}: ")
    assert told.count("\n") == 1
