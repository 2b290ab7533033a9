"""Speaks to the warehouse. The only file that knows clickhouse-connect: its exceptions leave here as ours.

Times go in and come out with a zone: ClickHouse's driver would shift those without one by the host's own.
"""

import logging
import math
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError
from clickhouse_connect.driver.httpclient import HttpClient
from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3 import HTTPResponse, Timeout
from urllib3.exceptions import HTTPError

from connectors.errors import UnreadableBlock, WarehouseError
from connectors.warehouse.answer import BrokenOff, whole
from connectors.warehouse.failures import failure
from connectors.warehouse.settings import Warehouse

#: What the driver and its connections meet is told when it fails for good, by us; their own retries are not. The driver
#: sets urllib3's level as it is imported, so this is said behind it.
for _driver in ("urllib3", "clickhouse_connect"):
    logging.getLogger(_driver).setLevel(logging.ERROR)

T = TypeVar("T")
Settings = Mapping[str, str | int]
Parameters = Mapping[str, Any]

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 300.0

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORTS = {"http": 80, "https": 443}
_NETWORK = (HTTPError, OSError)
#: A distributed table answers once the shards have the rows, not once it has noted to send them.
_CONFIRMED: Settings = {"distributed_foreground_insert": 1}
#: Of an answer that is passed on as it comes.
_PIECE_BYTES = 256 * 1024
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
_DEDUPLICATION = "insert_deduplication_token"


class WarehouseClient:
    """One warehouse, for any number of threads. Connects when it is first asked, so that it may be made while
    ClickHouse is away.

    Every method raises WarehouseAway and WarehouseRefused; inserts UnreadableBlock, too. `timeout_s` is how long an
    answer may take; the statement itself goes on unless its `max_execution_time` ends it. `in_database` off is for
    work on the database itself: names must be qualified.
    """

    def __init__(self, warehouse: Warehouse, *, timeout_s: float = ANSWER_TIMEOUT_S, in_database: bool = True) -> None:
        self.warehouse = warehouse
        self._timeout_s = timeout_s
        self._in_database = in_database
        self._making = threading.Lock()
        self._client: Client | None = None

    def rows(
        self, sql: str, parameters: Parameters | None = None, settings: Settings | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a query; `{name:Type}` in it takes `parameters`. Times have a zone."""
        _require_zones((parameters or {}).values())
        result = self._asked(lambda client: client.query(sql, dict(parameters or {}), dict(settings or {})))
        return [tuple(row) for row in result.result_rows]

    def blocks(
        self, sql: str, parameters: Parameters | None = None, settings: Settings | None = None
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query as `rows` has them, a block at a time as ClickHouse sends them: for more of them than
        should be in memory."""
        _require_zones((parameters or {}).values())
        stream = self._asked(
            lambda client: client.query_row_block_stream(sql, dict(parameters or {}), dict(settings or {}))
        )
        with stream:
            while (block := self._asked(lambda _: next(stream, None))) is not None:
                yield block

    def stream(
        self, sql: str, format_: str, parameters: Parameters | None = None, settings: Settings | None = None
    ) -> Generator[bytes, None, None]:
        """A query's answer in one of ClickHouse's formats, piece by piece; `{name:Type}` in it takes `parameters`.
        Nothing is added to the query: a FORMAT of its own would win, and errors tell places in it as it was given.

        Asked for at the first piece. Closed before its end, it ends the connection, by which a server that is told
        `cancel_http_readonly_queries_on_client_close` ends the query.
        """
        _require_zones((parameters or {}).values())
        answer = self._asked(
            lambda client: client.raw_stream(
                sql,
                dict(parameters or {}),
                dict(settings or {}),
                transport_settings={"X-ClickHouse-Format": format_, **_UNCOMPRESSED},
            )
        )
        assert isinstance(answer, HTTPResponse)
        pieces = whole(answer.stream(_PIECE_BYTES), answer.headers.get("X-ClickHouse-Exception-Tag", ""))
        try:
            while (piece := self._asked(lambda _: next(pieces, None))) is not None:
                yield piece
        finally:
            answer.close()

    def run(self, sql: str, parameters: Parameters | None = None, settings: Settings | None = None) -> None:
        """Runs a statement that gives no rows."""
        _require_zones((parameters or {}).values())
        self._asked(lambda client: client.command(sql, dict(parameters or {}), settings=dict(settings or {})))

    def insert(self, sql: str, data: bytes, token: str = "", settings: Settings | None = None) -> int:
        """Runs `INSERT … FORMAT …` with `data` in that format; returns how many rows were written.

        A block whose `token` the table has seen within its deduplication window is dropped (and counted all the
        same): after WarehouseAway, do it again with the same token. When the connection ends before the answer, the
        driver itself sends it once more, as in `insert_rows`.
        """
        block = b"".join((sql.encode(), b"\n", data))  # `command` would look through the data as if it were SQL
        summary = self._asked(
            lambda client: client.raw_insert("", insert_block=block, settings=self._with(token, settings)), True
        )
        return int(summary.written_rows)

    def insert_rows(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        token: str = "",
        settings: Settings | None = None,
    ) -> int:
        """Inserts Python values, a tenth as fast as a block; returns how many rows were written.

        When the connection ends before the answer, the driver sends them once more: give a `token`.
        """
        for row in rows:
            _require_zones(row)
        try:
            summary = self._asked(
                lambda client: client.insert(table, rows, column_names=columns, settings=self._with(token, settings)),
                True,
            )
        except WarehouseError:
            raise
        except Exception as error:  # whatever the driver meets in a value that is not of its column's type
            raise UnreadableBlock(f"{table}: {type(error).__name__}: {error}") from error
        return int(summary.written_rows)

    def close(self) -> None:
        """Lets go of the connections."""
        with self._making:
            if self._client is not None:
                self._client.close_connections()
                self._client.close()
                self._client = None

    def _asked(self, ask: Callable[[Client], T], inserting: bool = False) -> T:
        try:
            return ask(self._connected())
        except (ClickHouseError, BrokenOff, *_NETWORK) as error:
            if inserting and isinstance(error, DataError):  # the driver's own, while it packed the values
                raise UnreadableBlock(f"the values can't be packed: {error}") from error
            code = getattr(error, "code", None)
            raise failure(error, code, self.warehouse.url, inserting=inserting, network=_NETWORK) from error

    def _with(self, token: str, settings: Settings | None) -> dict[str, Any]:
        given = dict(_CONFIRMED if self.warehouse.cluster else {})
        given.update(settings or {})
        if token:
            given[_DEDUPLICATION] = token
        return given

    def _connected(self) -> Client:
        with self._making:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Client:
        warehouse, parts = self.warehouse, urlsplit(self.warehouse.url)
        local = parts.hostname in _LOOPBACK
        client = clickhouse_connect.get_client(
            interface=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            proxy_path=parts.path.strip("/"),
            username=warehouse.user,
            password=warehouse.password.reveal(),
            database=warehouse.database if self._in_database else None,
            connect_timeout=int(CONNECT_TIMEOUT_S),
            send_receive_timeout=math.ceil(self._timeout_s),
            compress=not local,
            pool_mgr=get_pool_manager() if local else None,  # no proxy leads to this machine
            autogenerate_session_id=False,  # with one, requests would have to wait for each other
            tz_mode="aware",
            client_name="evcs-streams",
        )
        assert isinstance(client, HttpClient)
        client.timeout = Timeout(connect=CONNECT_TIMEOUT_S, read=self._timeout_s)  # whole seconds are all it takes
        return client


def _require_zones(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone: the driver would take the host's")
        if isinstance(value, (list, tuple)):
            _require_zones(value)
