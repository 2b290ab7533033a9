"""Consecutive records of one partition that go into their table together."""

import threading
import zlib
from dataclasses import dataclass, field

from confluent_kafka import Message

from connectors.ends import Partition
from connectors.warehouse.sink.forms import Form
from connectors.warehouse.sink.sources import Source
from schemas.errors import UndecodableRecord


@dataclass(slots=True)
class Batch:
    """`messages` are whole records of one form, in order; `refused` are those in between that are none. `size` is what
    it holds in bytes, `next_offset` lies behind the last of both. Whoever works on it gives it up once `abandoned` is
    set."""

    source: Source
    place: Partition
    begun_at: float
    form: Form | None = None
    messages: list[Message] = field(default_factory=list)
    refused: list[tuple[Message, UndecodableRecord]] = field(default_factory=list)
    size: int = 0
    next_offset: int = 0
    abandoned: threading.Event = field(default_factory=threading.Event)

    def payloads(self, first: int, end: int) -> list[bytes]:
        """Those of some of its messages, by their places in the list."""
        return [message.value() or b"" for message in self.messages[first:end]]

    def token(self, first: int, end: int, file: bytes) -> str:
        """What ClickHouse knows these messages by if they come again. The offsets alone would not do: a topic that was
        deleted and made anew counts from zero again."""
        (topic, partition), messages = self.place, self.messages
        offsets = f"{messages[first].offset()}-{messages[end - 1].offset()}"
        return f"{topic}/{partition}/{offsets}/{zlib.crc32(file):08x}"
