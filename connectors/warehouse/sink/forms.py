"""What a topic's records may look like: the versions of its record, told by the first five bytes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from connectors.warehouse.sink.avro_file import AvroFile
from schemas.codec import Codec
from schemas.errors import UndecodableRecord
from schemas.registry import SchemaVersion
from schemas.walking import AllWhole, compile_all_whole


class Form(NamedTuple):
    """One version of a record: `all_whole` tells what is whole, `is_newest` whether every column has its field."""

    version: SchemaVersion
    all_whole: AllWhole
    file: AvroFile
    is_newest: bool


class Forms:
    """Those of one record, by header; `schemas` are all that there are."""

    def __init__(self, record: str, codec: Codec, schemas: Mapping[SchemaVersion, Mapping[str, Any]]) -> None:
        self._record = record
        self._codec = codec
        self._schemas = schemas
        self._newest = max(version for version in schemas if version.record == record)
        self._known: dict[bytes, Form] = {}

    def of(self, header: bytes) -> Form:
        """That of a record which begins so. Raises UndecodableRecord, as the codec does."""
        form = self._known.get(header)
        if form is None:
            version = self._codec.version_of(header)
            if version.record != self._record:
                raise UndecodableRecord(f"is a {version}, not a {self._record}", reason="unexpected_record_type")
            schema = self._schemas[version]
            form = Form(version, compile_all_whole(schema), AvroFile(schema), version == self._newest)
            self._known[header] = form
        return form
