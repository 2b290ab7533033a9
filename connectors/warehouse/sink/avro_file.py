"""Encoded records as a file that ClickHouse reads: Avro's object container, in which they lie as they are.

Confluent's header before each is made a field of its own, which no table has: ClickHouse passes over it, and no
payload is cut.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.codec import HEADER_SIZE
from schemas.varint import write_long

_MAGIC = b"Obj\x01"

#: The first field of every record in a file.
_HEADER = {"name": "confluent_header", "type": {"type": "fixed", "name": "ConfluentHeader", "size": HEADER_SIZE}}

#: Ends the head and the block; any sixteen bytes would do.
_SYNC = b"evcs-sink-block."


class AvroFile:
    """Files of records of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        with_header = {**schema, "fields": [_HEADER, *schema["fields"]]}
        told = {"avro.schema": json.dumps(with_header), "avro.codec": "null"}
        entries = b"".join(_text(key) + _text(value) for key, value in told.items())
        self._head = _MAGIC + write_long(len(told)) + entries + write_long(0) + _SYNC

    def of(self, payloads: Sequence[bytes]) -> bytes:
        """A file of one block of these, each in Confluent's wire format and one whole record; of none if there are
        none."""
        if not payloads:
            return self._head
        block = b"".join(payloads)
        return b"".join((self._head, write_long(len(payloads)), write_long(len(block)), block, _SYNC))


def _text(text: str) -> bytes:
    encoded = text.encode()
    return write_long(len(encoded)) + encoded
