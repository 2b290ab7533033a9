"""Takes in a request's body: the SQL, which may begin in the URL, and behind an INSERT its data."""

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path

from infra.local.clickhouse.coding import Decoder
from infra.local.clickhouse.limits import BODY_MAX_BYTES, SQL_MAX_BYTES, VALUES_MAX_BYTES
from infra.local.clickhouse.outside import require_inside
from infra.local.clickhouse.spool import Spool
from infra.local.clickhouse.statements import Insertion, Statement, read_statement


class Reception:
    """One request's text: `statement` once `take` is done, with `spool` if it is an Insertion. To be closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._statement: Statement | Insertion | None = None
        self._head = bytearray()
        self.spool: Spool | None = None

    @property
    def statement(self) -> Statement | Insertion:
        """What is asked for."""
        assert self._statement is not None, "nothing was taken yet"
        return self._statement

    async def take(self, query: str, body: AsyncIterable[bytes], coding: str) -> None:
        """Reads the SQL: `query`, a line break and the body. Raises Refusal."""
        decoder = Decoder(coding)
        if query:
            self._head += query.encode() + b"\n"
        async for data in body:
            for piece in decoder.decode(data):
                self._add(piece)
        decoder.end()
        if self._statement is None:
            self._begin(whole=True)
        if self.spool and self._is_sql:
            await asyncio.to_thread(lambda spool: require_inside(spool.text()), self.spool)

    @property
    def _is_sql(self) -> bool:
        return isinstance(self._statement, Insertion) and self._statement.holds_expressions

    def close(self) -> None:
        """Lets go of the data."""
        if self.spool:
            self.spool.close()

    def _add(self, piece: bytes) -> None:
        if self.spool:
            self.spool.add(piece)
            return
        self._head += piece
        if len(self._head) > SQL_MAX_BYTES:
            self._begin(whole=False)

    def _begin(self, whole: bool) -> None:
        head = bytes(self._head)
        self._head.clear()
        self._statement = read_statement(head, whole)
        if isinstance(self._statement, Insertion):
            self.spool = Spool(self._folder, VALUES_MAX_BYTES if self._is_sql else BODY_MAX_BYTES)
            self.spool.add(head[self._statement.data_at :])
