"""Answers that come in pieces, through a server in between that spoils them as a real one may: with an error behind the
rows, by breaking off; and what an answer that is let go of does to the connection."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from connectors.errors import WarehouseAway
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from tests.whole.topics import PATIENCE_S

pytestmark = pytest.mark.clickhouse

TAG = "abcdefghijklmnop"
REASON = "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 26.9.2.1)"
ERROR = f"\r\n__exception__\r\n{TAG}\r\n{REASON}\n{len(REASON)} {TAG}\r\n__exception__\r\n".encode()
ENDLESS = b"7\n" * 50_000


class Between(ThreadingHTTPServer):
    """Passes everything on to `url`; what a query that has one of these words answers is its own."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = url
        self.let_go = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, Between)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        word = next((word for word in (b"FAILS", b"BREAKS", b"ENDLESS") if word in body), None)
        if word is None:
            self._pass_on(body, self.server.url)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-ClickHouse-Exception-Tag", TAG)
        self.end_headers()
        self._chunk(b"1\n2\n")
        if word == b"FAILS":
            self._chunk(ERROR)
            self._chunk(b"")
        self.close_connection = True
        while word == b"ENDLESS":
            try:
                self._chunk(ENDLESS)
            except OSError:
                self.server.let_go.set()
                return

    def _pass_on(self, body: bytes, url: str) -> None:
        headers = {name: value for name, value in self.headers.items() if name not in ("Host", "Content-Length")}
        with urllib3.PoolManager() as pool:
            answer = pool.request("POST", url + self.path, body=body, headers=headers, decode_content=False)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name not in ("Content-Length", "Transfer-Encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def between(clickhouse: Warehouse) -> Iterator[Between]:
    server = Between(clickhouse.url)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server
    server.shutdown()
    serving.join(PATIENCE_S)
    server.server_close()


@pytest.fixture
def client(between: Between, clickhouse: Warehouse) -> Iterator[WarehouseClient]:
    client = WarehouseClient(replace(clickhouse, url=f"http://127.0.0.1:{between.server_port}"))
    yield client
    client.close()


def test_what_is_whole_comes_as_it_is(client: WarehouseClient) -> None:
    assert b"".join(client.stream("SELECT number FROM numbers(3)", "TSV")) == b"0\n1\n2\n"


def test_an_error_behind_rows_is_told(client: WarehouseClient) -> None:
    with pytest.raises(WarehouseAway, match=r"Memory limit exceeded\. \(MEMORY_LIMIT_EXCEEDED\)$") as failed:
        list(client.stream("SELECT 'FAILS'", "TSV"))
    assert failed.value.code == 241


def test_an_answer_that_breaks_off_is_told(client: WarehouseClient) -> None:
    with pytest.raises(WarehouseAway, match="the answer broke off: "):
        list(client.stream("SELECT 'BREAKS'", "TSV"))


def test_an_answer_that_is_let_go_of_ends_its_connection(client: WarehouseClient, between: Between) -> None:
    answer = client.stream("SELECT 'ENDLESS'", "TSV")
    assert next(answer).startswith(b"1\n2\n7\n7\n")
    assert not between.let_go.is_set()
    answer.close()
    assert between.let_go.wait(PATIENCE_S)
    assert client.rows("SELECT 1") == [(1,)]
