"""Puts a batch into its table, however long that takes, and finds the records that ClickHouse can't read.

Nothing is lost: while ClickHouse is away or slow the batch waits, and what it refuses for good is dead-lettered.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from confluent_kafka import Message

from connectors.errors import UnreadableBlock, WarehouseAway, WarehouseError, WarehouseRefused
from connectors.outage import Outage
from connectors.warehouse.sink.batch import Batch
from connectors.warehouse.sink.letters import Letters
from connectors.warehouse.sink.metrics import Metrics

log = logging.getLogger(__name__)

#: The first pause after ClickHouse did not answer, and the longest.
_PAUSE_S, _PAUSE_MAX_S = 0.25, 30.0

#: The reason of records that only ClickHouse could find wrong.
REFUSED = "refused_by_warehouse"

#: ClickHouse's numbers for an unknown table and an unknown database.
_NOT_THERE = (60, 81)

#: What every insert is run with.
SETTINGS: Mapping[str, str | int] = {
    # A block that reached its table but not what is derived from it is told to that again.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # On a cluster, confirmed means that the shards have it.
    "insert_distributed_sync": 1,
    "async_insert": 0,
}


class Inserts(Protocol):
    """What is needed of the warehouse."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Raises WarehouseAway, WarehouseRefused."""
        ...

    def insert(self, sql: str, data: bytes, token: str = "", settings: Mapping[str, str | int] | None = None) -> int:
        """Raises WarehouseAway, WarehouseRefused, UnreadableBlock."""
        ...


class _Abandoned(Exception):
    """Nobody waits for the batch any more."""


class Insertion:
    """For any number of threads, each with a batch of its own."""

    def __init__(
        self, warehouse: Inserts, letters: Letters, metrics: Metrics, jitter: Callable[[], float] = random.random
    ) -> None:
        self._warehouse = warehouse
        self._letters = letters
        self._metrics = metrics
        self._jitter = jitter
        self._waiting: set[int] = set()
        self._outage = Outage("ClickHouse", log)

    @property
    def is_waiting(self) -> bool:
        """Whether ClickHouse is waited for to come back."""
        return bool(self._waiting)

    def require_tables(self, tables: Iterable[str], given_up: threading.Event) -> bool:
        """Whether ClickHouse has all of them, which may take until it is back; False once `given_up` is set.

        Raises WarehouseRefused: for a wrong password, a missing database or table.
        """
        try:
            for table in tables:
                self._until_answered(partial(self._warehouse.rows, f"DESCRIBE TABLE {table}"), table, given_up)
        except _Abandoned:
            return False
        except WarehouseRefused as error:
            if error.code not in _NOT_THERE:
                raise
            raise WarehouseRefused(f"{error}. Run `evcs warehouse migrate`", error.code) from error
        return True

    def put_in(self, batch: Batch) -> bool:
        """Whether the batch is in its table and all that was refused of it is dead-lettered; if not, it was abandoned.

        Raises WarehouseRefused and KafkaRefused: what needs somebody to look at it.
        """
        refused = [(message, error.reason, str(error)) for message, error in batch.refused]
        try:
            if batch.messages:
                self._insert(batch, 0, len(batch.messages), refused)
        except _Abandoned:
            return False
        if not refused:
            return True
        for _, reason, detail in refused:
            self._metrics.refused.labels(batch.source.topic, reason).inc()
            log.error("a record of %s is dead-lettered: %s", batch.source.topic, detail)
        return self._letters.write(batch.source.topic, refused, batch.abandoned)

    def _insert(self, batch: Batch, first: int, end: int, refused: list[tuple[Message, str, str]]) -> None:
        """These of a batch's messages; the halves of what can't be read, until the record is found."""
        try:
            self._send(batch, first, end)
        except UnreadableBlock as error:
            if end - first == len(batch.messages):
                self._require_table(batch, error)
            if end - first == 1:
                refused.append((batch.messages[first], REFUSED, str(error)))
                return
            middle = (first + end) // 2
            self._insert(batch, first, middle, refused)
            self._insert(batch, middle, end, refused)

    def _send(self, batch: Batch, first: int, end: int) -> None:
        assert batch.form is not None
        file = batch.form.file.of(batch.payloads(first, end))
        token = batch.token(first, end, file)
        begun = time.monotonic()
        self._patiently(batch, file, token)
        self._metrics.inserted(batch.source.table, end - first, time.monotonic() - begun)

    def _patiently(self, batch: Batch, file: bytes, token: str) -> None:
        """Sends a file until ClickHouse has it. Raises UnreadableBlock, WarehouseRefused, _Abandoned."""
        assert batch.form is not None
        table = batch.source.table
        settings = {**SETTINGS, "input_format_avro_allow_missing_fields": int(not batch.form.is_newest)}
        self._until_answered(
            lambda: self._warehouse.insert(f"INSERT INTO {table} FORMAT Avro", file, token, settings),
            table,
            batch.abandoned,
        )

    def _until_answered(self, ask: Callable[[], object], table: str, abandoned: threading.Event) -> None:
        """Asks something about a table until ClickHouse answers. Raises what is no WarehouseAway, and _Abandoned."""
        pause_s = _PAUSE_S
        try:
            while not abandoned.is_set():
                try:
                    ask()
                except WarehouseAway as error:
                    self._waiting.add(id(abandoned))
                    self._outage.began(str(error))
                    self._metrics.retries.labels(table).inc()
                    abandoned.wait(pause_s * (1 - self._jitter() / 2))
                    pause_s = min(2 * pause_s, _PAUSE_MAX_S)
                else:
                    self._waiting.discard(id(abandoned))
                    if not self._waiting:
                        self._outage.over()
                    return
            raise _Abandoned
        finally:
            self._waiting.discard(id(abandoned))

    def _require_table(self, batch: Batch, error: WarehouseError) -> None:
        """Raises WarehouseRefused if the table takes no records of this form at all: that is not the records' fault."""
        assert batch.form is not None
        try:
            self._patiently(batch, batch.form.file.of([]), "")
        except UnreadableBlock:
            raise WarehouseRefused(
                f"{batch.source.table} takes no {batch.form.version}: {error}. Run `evcs warehouse migrate`", error.code
            ) from error
