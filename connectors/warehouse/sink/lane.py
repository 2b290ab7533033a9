"""One partition's records on their way into a table: cut into batches, which go in one after the other. Pure, but for
the messages, which are Kafka's.

A batch is cut when it is large, when it is old, and where the records' schema changes. What is no whole record of the
topic's is put aside with its reason: nothing behind it may be read from a wrong place.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Message

from connectors.ends import Partition
from connectors.warehouse.sink.batch import Batch
from connectors.warehouse.sink.forms import Form, Forms
from connectors.warehouse.sink.sources import Source
from schemas.codec import HEADER_SIZE
from schemas.errors import UndecodableRecord
from schemas.offsets import ContiguousOffsets

#: So many records are looked at together: if all are good, as they nearly always are, none costs a step of its own.
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class Cuts:
    """When a batch is cut. ClickHouse makes a part of each, and has to merge parts: few large ones cost it less."""

    rows: int = 100_000
    bytes: int = 16 * 1024 * 1024
    wait_s: float = 5.0


class Lane:
    """One partition's. Times are those of one monotonic clock, s."""

    def __init__(self, place: Partition, source: Source, forms: Forms, cuts: Cuts) -> None:
        self.place = place
        self.paused = False
        #: The bytes of all records here.
        self.held = 0
        self._source = source
        self._forms = forms
        self._cuts = cuts
        self._books = ContiguousOffsets()
        self._begun_at_offset: int | None = None
        self._read_up_to = 0
        self._open: Batch | None = None
        self._waiting: deque[Batch] = deque()
        self._going_in: Batch | None = None

    def put(self, messages: Sequence[Message], now: float) -> None:
        """Records as they were read."""
        if (messages[0].offset() or 0) < self._read_up_to:
            self._start_over()
        if self._begun_at_offset is None:
            self._begun_at_offset = messages[0].offset()
        step = min(_LOOKED_AT, self._cuts.rows)
        for first in range(0, len(messages), step):
            some = messages[first : first + step]
            values = [message.value() or b"" for message in some]
            form = self._form_of_all(values)
            if form is not None:
                self._add(some, values, form, now)
            else:
                self._sort(some, values, now)
        self._read_up_to = (messages[-1].offset() or 0) + 1

    def _form_of_all(self, values: Sequence[bytes]) -> Form | None:
        """The form of these if they are all of one and whole, as they nearly always are."""
        headers = {value[:HEADER_SIZE] for value in values}
        if len(headers) != 1:
            return None
        try:
            form = self._forms.of(headers.pop())
        except UndecodableRecord:
            return None
        return form if form.all_whole(values) else None

    def _sort(self, messages: Sequence[Message], values: Sequence[bytes], now: float) -> None:
        """One by one."""
        for message, value in zip(messages, values, strict=True):
            try:
                form = self._forms.of(value[:HEADER_SIZE])
                if not form.all_whole([value]):
                    raise UndecodableRecord(f"{form.version}: not exactly one record")
            except UndecodableRecord as error:
                self._open_batch(now).refused.append((message, error))
                self._count([message], [value])
            else:
                self._add([message], [value], form, now)

    def _add(self, messages: Sequence[Message], values: Sequence[bytes], form: Form, now: float) -> None:
        """Whole records of one form."""
        batch = self._open_batch(now)
        if batch.form is not form and batch.form is not None:
            self._cut(batch)
            batch = self._open_batch(now)
        batch.form = form
        batch.messages.extend(messages)
        self._count(messages, values)

    def _open_batch(self, now: float) -> Batch:
        if self._open is None:
            self._open = Batch(self._source, self.place, now)
        return self._open

    def _count(self, messages: Sequence[Message], values: Sequence[bytes]) -> None:
        """These have gone into the open batch, which may be large enough now."""
        batch = self._open
        assert batch is not None
        size = sum(map(len, values))
        batch.next_offset = (messages[-1].offset() or 0) + 1
        batch.size += size
        self.held += size
        if batch.size >= self._cuts.bytes or len(batch.messages) + len(batch.refused) >= self._cuts.rows:
            self._cut(batch)

    def reached(self, offset: int) -> None:
        """The partition's end: what lies between it and the last record is marks of transactions."""
        self._read_up_to = max(self._read_up_to, offset)
        if self._open is not None:
            self._open.next_offset = max(self._open.next_offset, offset)
        else:
            self._books.reached(offset)

    def next_batch(self, now: float) -> Batch | None:
        """What may go in now; None while another is on its way, or nothing is large or old enough."""
        if self._going_in is not None:
            return None
        if not self._waiting and self._open is not None and now - self._open.begun_at >= self._cuts.wait_s:
            self._cut(self._open)
        if self._waiting:
            self._going_in = self._waiting.popleft()
        return self._going_in

    def finish(self) -> None:
        """Nothing more will come: what there is may go in."""
        if self._open is not None:
            self._cut(self._open)

    def done(self, batch: Batch) -> None:
        """A batch is in the table, and what was refused of it is dead-lettered."""
        if batch is self._going_in:
            self._going_in = None
            self.held -= batch.size
            self._books.done(batch.next_offset - 1)

    def abandon(self) -> None:
        """Nothing of it counts any more."""
        for batch in self._batches:
            batch.abandoned.set()

    @property
    def is_empty(self) -> bool:
        """Whether all that was read is in."""
        return not self._batches

    @property
    def committable(self) -> int | None:
        """The offset to commit, None if nothing is in yet."""
        return self._books.committable()

    def behind(self, end: int) -> int:
        """How many records before the partition's end are not in; marks of transactions count as records."""
        in_up_to = self._begun_at_offset if self.committable is None else self.committable
        return 0 if in_up_to is None else max(0, end - in_up_to)

    @property
    def oldest_at(self) -> float | None:
        """Since when the oldest record here waits, None if there is none."""
        return min((batch.begun_at for batch in self._batches), default=None)

    @property
    def _batches(self) -> list[Batch]:
        return [batch for batch in (self._going_in, *self._waiting, self._open) if batch is not None]

    def _cut(self, batch: Batch) -> None:
        self._books.handed_out(batch.next_offset - 1)
        self._waiting.append(batch)
        self._open = None

    def _start_over(self) -> None:
        """The client reads from further back, as after a rebalance that we were not told of: what is here is read
        again, so nothing of it may be committed."""
        self.abandon()
        self._open, self._going_in, self.held = None, None, 0
        self._waiting.clear()
        self._books = ContiguousOffsets()
