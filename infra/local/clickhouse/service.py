"""ClickHouse's HTTP interface before the engine: each request is checked, taken in, run in its turn, answered."""

import asyncio
import logging
from collections.abc import AsyncIterable, Mapping
from pathlib import Path

from aiohttp import BodyPartReader, web

from infra.local.clickhouse.access import Access
from infra.local.clickhouse.answering import error_headers, result_headers
from infra.local.clickhouse.asking import Asking
from infra.local.clickhouse.coding import accepted, encoded
from infra.local.clickhouse.engine import Engine, Query, Result
from infra.local.clickhouse.limits import FORM_MAX_BYTES, STOP_S, URL_MAX_BYTES
from infra.local.clickhouse.reception import Reception
from infra.local.clickhouse.refusals import Code, Refusal
from infra.local.clickhouse.statements import Insertion
from infra.local.clickhouse.turns import Turns

_log = logging.getLogger(__name__)

_DEFAULT_FORMAT = "TabSeparated"
#: A client that is refused goes on sending its body; an end of the connection before that would hide the answer.
_LINGER_S = 60.0
#: Clients keep their connections; one that is closed beneath them costs them an attempt.
_KEEP_ALIVE_S = 3600.0
#: How far a connection is read ahead; with aiohttp's own 64 KB, a large body is stopped and let go at every piece.
_READ_BYTES = 1024**2
#: Below this, a thread costs more than compressing.
_COMPRESS_HERE_BYTES = 64 * 1024


class Service:
    """The HTTP server's side of the engine. `spool` is a folder for data on its way; times are told in `timezone`."""

    def __init__(self, engine: Engine, access: Access, spool: Path, timezone: str = "UTC") -> None:
        self._engine = engine
        self._access = access
        self._spool = spool
        self._timezone = timezone
        self._turns = Turns()
        self._runner: web.AppRunner | None = None

    async def listen(self, host: str, port: int) -> None:
        """Takes requests from now on. Raises OSError when the port is taken."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # ours knows lz4, and where it ends
            max_line_size=URL_MAX_BYTES,
            lingering_time=_LINGER_S,
            keepalive_timeout=_KEEP_ALIVE_S,
            read_bufsize=_READ_BYTES,
            shutdown_timeout=STOP_S,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def close(self) -> None:
        """Takes no more requests, and waits for those that run, `STOP_S` at most before they lose their asker."""
        if self._runner:
            await self._runner.cleanup()
        await asyncio.to_thread(self._turns.close)

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method not in ("GET", "HEAD", "POST"):
            return web.Response(status=405, text="use GET or POST\n", headers={"Allow": "GET, HEAD, POST"})
        if request.path in ("/ping", "/") and request.method != "POST" and "query" not in request.query:
            return web.Response(text="Ok.\n")
        if request.path != "/":
            return web.Response(status=404, text=f"There is no handle {request.path}\n")
        query_id = request.query.get("query_id", "")
        try:
            self._access.check(request.headers, request.query)
            return await self._run(request)
        except Refusal as refusal:
            _log.info("refused %s: %s", refusal.name, refusal.reason)
            return self._refused(refusal, query_id)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            _log.exception("a request failed")
            return self._refused(Refusal.of(Code.UNKNOWN_EXCEPTION, f"{type(error).__name__}: {error}"), query_id)

    async def _run(self, request: web.Request) -> web.Response:
        reading = request.method != "POST"
        given: Mapping[str, str] = request.query
        body: AsyncIterable[bytes] = request.content.iter_any()
        if request.content_type == "multipart/form-data":
            given, body = {**given, **await _form(request)}, _nothing()
        asking = Asking.of(given, request.headers, reading)
        reception = Reception(self._spool)
        try:
            await reception.take(asking.query, body, request.headers.get("Content-Encoding", ""))
            result = await self._turns.take(lambda: self._work(reception, asking), lambda: _is_there(request))
        except (Refusal, ConnectionError):
            reception.close()  # when cancelled, the work may still be reading: it closes by itself
            raise
        return await self._told(request, asking, reception, result)

    def _work(self, reception: Reception, asking: Asking) -> Result:
        try:
            statement, spool = reception.statement, reception.spool
            if isinstance(statement, Insertion):
                assert spool is not None
                sql = statement.sql(spool.path)
            else:
                sql = statement.sql
            format_ = asking.format or _DEFAULT_FORMAT
            return self._engine.run(Query(sql, format_, asking.database, asking.settings, asking.parameters))
        finally:
            reception.close()

    async def _told(self, request: web.Request, asking: Asking, reception: Reception, result: Result) -> web.Response:
        statement = reception.statement
        reads = not isinstance(statement, Insertion) and (statement.reads or bool(result.body))
        format_ = (getattr(statement, "format", "") or asking.format or _DEFAULT_FORMAT) if reads else ""
        timezone = asking.settings.get("session_timezone") or self._timezone
        headers = result_headers(result, format_, asking.query_id, timezone)
        coding = accepted(request.headers.get("Accept-Encoding", "")) if asking.compressed and result.body else ""
        body = result.body
        if coding:
            headers["Content-Encoding"] = coding
            large = len(body) > _COMPRESS_HERE_BYTES
            body = await asyncio.to_thread(encoded, body, coding) if large else encoded(body, coding)
        return web.Response(body=body, headers=headers)

    def _refused(self, refusal: Refusal, query_id: str) -> web.Response:
        headers = error_headers(refusal.code, query_id, self._timezone)
        if refusal.code == Code.REQUIRED_PASSWORD:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        return web.Response(status=refusal.status, body=refusal.body(self._engine.version), headers=headers)


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of a form: a statement and parameters that are too long for a URL."""
    fields: dict[str, str] = {}
    left = FORM_MAX_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.filename or not part.name:
            raise Refusal.of(Code.NOT_IMPLEMENTED, "the local ClickHouse takes no external tables")
        data = bytearray()
        while chunk := await part.read_chunk():
            data += chunk
            left -= len(chunk)
            if left < 0:
                raise Refusal.of(Code.TOO_MANY_BYTES, f"the form has more than {FORM_MAX_BYTES} bytes")
        fields[part.name] = data.decode()
    return fields


async def _nothing() -> AsyncIterable[bytes]:
    return
    yield b""


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()
