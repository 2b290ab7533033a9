"""The client on a real ClickHouse, and on servers that fail it: what comes out is ours."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors.errors import UnreadableBlock, WarehouseAway, WarehouseError, WarehouseRefused
from connectors.protocol.credentials import Secret
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.local.ports import free_port
from tests.whole.topics import PATIENCE_S

SHANGHAI = timezone(timedelta(hours=8))


@pytest.fixture
def client(clickhouse: Warehouse) -> Iterator[WarehouseClient]:
    """With a table `t`."""
    client = WarehouseClient(clickhouse)
    client.run(
        "CREATE TABLE t (x UInt64, at DateTime64(3)) ENGINE = MergeTree ORDER BY x "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    yield client
    client.close()


@contextmanager
def of(warehouse: Warehouse, timeout_s: float = 300.0) -> Iterator[WarehouseClient]:
    client = WarehouseClient(warehouse, timeout_s=timeout_s)
    try:
        yield client
    finally:
        client.close()


@pytest.mark.clickhouse
def test_blocks_rows_and_what_comes_back(client: WarehouseClient) -> None:
    sql = "INSERT INTO t FORMAT CSV"
    for _ in range(2):
        assert client.insert(sql, b"1,2026-01-01 00:00:00.500\n", token="a") == 1
        assert client.insert_rows("t", ["x", "at"], [(2, datetime(2026, 1, 1, 8, tzinfo=SHANGHAI))], token="b") == 1
    assert client.rows("SELECT x, at FROM t ORDER BY x") == [
        (1, datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC)),
        (2, datetime(2026, 1, 1, tzinfo=UTC)),
    ]
    assert client.rows(
        "SELECT x FROM t WHERE at = {at:DateTime64(3)} AND x IN {xs:Array(UInt64)}",
        {"at": datetime(2026, 1, 1, 8, tzinfo=SHANGHAI), "xs": [1, 2]},
    ) == [(2,)]


@pytest.mark.clickhouse
def test_an_answer_comes_in_pieces(client: WarehouseClient) -> None:
    query = "SELECT number FROM numbers({count:UInt64})"
    pieces = list(client.stream(query, "TSV", {"count": 500_000}, {"max_block_size": 1_000}))
    assert len(pieces) > 5
    assert b"".join(pieces) == b"".join(b"%d\n" % number for number in range(500_000))
    begun = client.stream(query, "TSV", {"count": 500_000})
    assert next(begun).startswith(b"0\n1\n")
    begun.close()
    assert list(client.stream("SELECT 1 WHERE 0", "TSV")) == []
    with pytest.raises(WarehouseRefused, match="UNKNOWN_TABLE"):
        next(client.stream("SELECT * FROM nothing", "TSV"))


@pytest.mark.clickhouse
def test_many_rows_come_in_blocks(client: WarehouseClient) -> None:
    sql = "SELECT number, toDateTime64(number, 3, 'UTC') FROM numbers({count:UInt64}) ORDER BY number"
    blocks = list(client.blocks(sql, {"count": 200_000}))
    assert len(blocks) > 1
    rows = [row for block in blocks for row in block]
    assert [row[0] for row in rows] == list(range(200_000))
    assert rows[1] == (1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert list(client.blocks(sql, {"count": 0})) == []


@pytest.mark.clickhouse
@pytest.mark.parametrize("sql", ["SELECT x FROM nowhere", "SELECT throwIf(number = 200000) FROM numbers(300000)"])
def test_blocks_that_fail_at_once_or_on_their_way(sql: str, client: WarehouseClient) -> None:
    with pytest.raises(WarehouseRefused):
        list(client.blocks(sql, settings={"max_block_size": 10_000}))
    assert client.rows("SELECT 1") == [(1,)]


@pytest.mark.clickhouse
def test_blocks_that_nobody_reads_to_the_end(client: WarehouseClient) -> None:
    assert next(client.blocks("SELECT number FROM numbers(1000000)"))
    assert client.rows("SELECT 1") == [(1,)]


@pytest.mark.clickhouse
def test_settings_go_with_a_statement(client: WarehouseClient) -> None:
    sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    assert client.rows(sql, settings={"max_block_size": 77}) == [("77",)]


@pytest.mark.clickhouse
def test_times_without_a_zone_are_refused(client: WarehouseClient) -> None:
    naive = datetime(2026, 1, 1)
    for ask in (
        lambda: client.rows("SELECT {at:DateTime64(3)}", {"at": naive}),
        lambda: client.rows("SELECT {at:Array(DateTime64(3))}", {"at": [naive]}),
        lambda: client.insert_rows("t", ["x", "at"], [(1, naive)]),
    ):
        with pytest.raises(ValueError, match="no time zone"):
            ask()


@pytest.mark.clickhouse
def test_threads_share_a_client(client: WarehouseClient) -> None:
    def ask(number: int) -> int:
        client.insert("INSERT INTO t (x) FORMAT CSV", b"%d\n" % number)
        return int(client.rows("SELECT {x:UInt64}", {"x": number})[0][0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == list(range(40))
    assert client.rows("SELECT count() FROM t") == [(40,)]


@pytest.mark.clickhouse
@pytest.mark.parametrize(
    ("sql", "data"),
    [
        ("INSERT INTO t FORMAT CSV", b"none,2026-01-01 00:00:00\n"),
        ("INSERT INTO t FORMAT Avro", b"Obj\x01"),
        ("INSERT INTO t FORMAT Native", b"junk"),
        ("INSERT INTO t FORMAT Parquet", b"junk"),
        ("INSERT INTO t FORMAT JSONEachRow", b'{"x": '),
    ],
)
def test_data_that_can_not_be_read(client: WarehouseClient, sql: str, data: bytes) -> None:
    with pytest.raises(UnreadableBlock) as failed:
        client.insert(sql, data)
    assert failed.value.code
    assert client.rows("SELECT count() FROM t") == [(0,)]


@pytest.mark.clickhouse
def test_values_that_are_not_the_columns(client: WarehouseClient) -> None:
    for row in (("none", datetime(2026, 1, 1, tzinfo=UTC)), (-1, datetime(2026, 1, 1, tzinfo=UTC)), (1, "none")):
        with pytest.raises(UnreadableBlock):
            client.insert_rows("t", ["x", "at"], [row])
    assert client.rows("SELECT count() FROM t") == [(0,)]


@pytest.mark.clickhouse
def test_what_is_refused(client: WarehouseClient) -> None:
    for ask in (
        lambda: client.rows("SELECT * FROM none_such"),
        lambda: client.rows("SELEC 1"),
        lambda: client.rows("SELECT {x:UInt8}", {"x": "none"}),
        lambda: client.run("DROP TABLE none_such"),
        lambda: client.insert("INSERT INTO none_such FORMAT CSV", b"1\n"),
        lambda: client.insert_rows("none_such", ["x"], [(1,)]),
        lambda: client.insert_rows("t", ["none_such"], [(1,)]),
        lambda: client.insert_rows("t", ["x", "at"], [(1,)]),
    ):
        with pytest.raises(WarehouseRefused):
            ask()


@pytest.mark.clickhouse
def test_strangers_and_wrong_places(clickhouse: Warehouse) -> None:
    for warehouse in (
        replace(clickhouse, password=Secret("wrong")),
        replace(clickhouse, password=Secret("")),
        replace(clickhouse, user="bob"),
        replace(clickhouse, database="none_such"),
        replace(clickhouse, url=f"{clickhouse.url}/elsewhere"),
    ):
        with of(warehouse) as client, pytest.raises(WarehouseRefused) as refused:
            client.rows("SELECT 1")
        assert clickhouse.password.reveal() not in str(refused.value)


@pytest.mark.clickhouse
def test_what_passes(client: WarehouseClient) -> None:
    for sql, settings in (
        ("SELECT sleepEachRow(0.1) FROM numbers(99)", {"max_execution_time": 1, "max_block_size": 1}),
        ("SELECT groupArray(number) FROM numbers(10000000)", {"max_memory_usage": 1_000_000}),
    ):
        with pytest.raises(WarehouseAway):
            client.rows(sql, settings=settings)


@pytest.mark.clickhouse
def test_an_answer_that_takes_too_long(clickhouse: Warehouse) -> None:
    with of(clickhouse, timeout_s=0.5) as client, pytest.raises(WarehouseAway):
        client.rows("SELECT sleep(2)")


def served(answer: bytes) -> tuple[str, threading.Thread]:
    """A server's address that gives every request this answer and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(PATIENCE_S)

    def serve() -> None:
        with listening:
            while True:
                connection, _ = listening.accept()
                with connection:
                    if not connection.recv(65536):
                        return
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}", thread


def hang_up(url: str) -> None:
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        """An empty request ends the server."""


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", WarehouseAway),
        (b"HTTP/1.1 200 OK\r\n", WarehouseAway),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", WarehouseAway),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", WarehouseAway),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", WarehouseAway),
        (b"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n", WarehouseRefused),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", WarehouseRefused),
        (b"SSH-2.0-OpenSSH\r\n", WarehouseAway),
    ],
)
def test_servers_that_are_none(answer: bytes, kind: type[WarehouseError]) -> None:
    url, thread = served(answer)
    with of(Warehouse(url)) as client:
        for ask in (
            lambda: client.rows("SELECT 1"),
            lambda: client.run("SELECT 1"),
            lambda: list(client.stream("SELECT 1", "CSV")),
            lambda: client.insert("INSERT INTO t FORMAT CSV", b"1"),
            lambda: client.insert_rows("t", ["x"], [(1,)]),
        ):
            with pytest.raises(kind):
                ask()
    hang_up(url)
    thread.join(PATIENCE_S)


def test_nobody_there() -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "http://none.invalid:8123", "https://127.0.0.1:1"):
        with of(Warehouse(url)) as client, pytest.raises(WarehouseAway, match="evcs local up"):
            client.rows("SELECT 1")


def test_what_the_driver_tries_again_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with of(Warehouse(url=f"http://127.0.0.1:{free_port()}")) as client, pytest.raises(WarehouseAway):
        client.rows("SELECT 1")
    assert [record.getMessage() for record in caplog.records] == []
