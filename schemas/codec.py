"""Records to bytes and back: Avro in Confluent's wire format (0x00, 4-byte big-endian schema id, Avro body).

The only file that knows fastavro. Instants stay integers of milliseconds (datetimes would cost more than
the rest of a decode); decimals are `Decimal`.
"""

import io
import struct
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar

import fastavro
import msgspec

from schemas.encoding import compile_fields
from schemas.errors import MisconfiguredSchemas, UndecodableRecord, UnencodableRecord, UnknownSchemaId
from schemas.records.charge_events import BillIssued, ChargeStarted, ChargeStartFailed, ChargeStopped
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.connector_state import ConnectorState
from schemas.records.delivery import Attempt, Dispute, LaneStatus
from schemas.records.derived import ChargeProgress, Order, StartResult, StatusChange, StopResult
from schemas.records.faults import Anomaly, DeadLetter
from schemas.records.order_checks import OrderCheckEnded, OrderCheckPlanned
from schemas.records.station import Station
from schemas.records.station_load import StationLoad
from schemas.records.telemetry import Telemetry
from schemas.registry import SchemaVersion, load_schemas, pinned_ids, registry_ids

#: A record's file name and the dataclass of its newest version.
RECORD_TYPES: dict[str, type] = {
    "telemetry": Telemetry,
    "charge_started": ChargeStarted,
    "charge_start_failed": ChargeStartFailed,
    "charge_stopped": ChargeStopped,
    "bill_issued": BillIssued,
    "start_charge": StartCharge,
    "stop_charge": StopCharge,
    "station": Station,
    "connector_state": ConnectorState,
    "status_change": StatusChange,
    "charge_progress": ChargeProgress,
    "start_result": StartResult,
    "stop_result": StopResult,
    "order": Order,
    "anomaly": Anomaly,
    "dead_letter": DeadLetter,
    "attempt": Attempt,
    "dispute": Dispute,
    "lane_status": LaneStatus,
    "order_check_planned": OrderCheckPlanned,
    "order_check_ended": OrderCheckEnded,
    "station_load": StationLoad,
}

MAGIC = b"\x00"
HEADER_SIZE = 5
_HEADER = struct.Struct(">BI")

T = TypeVar("T")


def _without_instants(schema: Any) -> Any:
    """The same schema with timestamp-millis read and written as plain longs."""
    if isinstance(schema, Mapping):
        return {
            key: _without_instants(value)
            for key, value in schema.items()
            if not (key == "logicalType" and value == "timestamp-millis")
        }
    if isinstance(schema, list):
        return [_without_instants(part) for part in schema]
    return schema


class Codec:
    """Encodes and decodes every record type under the schema ids it was made with.

    `ids` gives each schema version its id. Encoding uses the newest version; decoding takes any version
    and resolves it to the newest.
    """

    def __init__(self, ids: Mapping[SchemaVersion, int]) -> None:
        schemas = load_schemas()
        missing = sorted(set(schemas) - set(ids))
        if missing:
            raise MisconfiguredSchemas(f"no id for {', '.join(map(str, missing))}: add it to schema_ids.toml")
        self._versions = {schema_id: version for version, schema_id in ids.items()}
        self._readers: dict[int, tuple[Any, Any, type]] = {}
        self._writers: dict[type, tuple[bytes, Callable[[Any], bytes]]] = {}
        self._fields: dict[type, list[dict[str, Any]]] = {}
        self._heads: dict[tuple[type, tuple[str, ...]], Callable[[Any], bytes]] = {}
        for record, record_type in RECORD_TYPES.items():
            versions = sorted(v for v in schemas if v.record == record)
            if not versions:
                raise MisconfiguredSchemas(f"schemas/records/{record}.v1.avsc is missing")
            parsed = {v: fastavro.parse_schema(_without_instants(schemas[v])) for v in versions}
            newest = versions[-1]
            for version in versions:
                resolve_to = None if version == newest else parsed[newest]
                self._readers[ids[version]] = (parsed[version], resolve_to, record_type)
            self._fields[record_type] = schemas[newest]["fields"]
            self._writers[record_type] = (_HEADER.pack(0, ids[newest]), compile_fields(schemas[newest]["fields"]))

    def header(self, record_type: type) -> bytes:
        """The five bytes before every newest-version record of this type."""
        return self._writers[record_type][0]

    def version_of(self, header: bytes) -> SchemaVersion:
        """What a record's first five bytes say it is. Raises UnknownSchemaId, or UndecodableRecord."""
        if len(header) != HEADER_SIZE or header[:1] != MAGIC:
            raise UndecodableRecord("not in Confluent's wire format: no zero byte and schema id in front")
        schema_id = _HEADER.unpack(header)[1]
        version = self._versions.get(schema_id)
        if version is None:
            raise UnknownSchemaId(schema_id)
        return version

    def encode(self, record: Any) -> bytes:
        """A record's wire format. Raises UnencodableRecord, naming the record's type."""
        writer = self._writers.get(type(record))
        if writer is None:
            raise UnencodableRecord(f"{type(record).__name__} is no record that flows")
        header, write = writer
        return header + _guarded(write, record, type(record))

    def encode_head(self, record_type: type, values: Mapping[str, Any]) -> bytes:
        """The wire format's beginning: the header and the first `len(values)` fields, in order.

        Avro writes a record's fields one after another, so the rest may be appended as bytes.
        """
        key = (record_type, tuple(values))
        write = self._heads.get(key)
        if write is None:
            first = self._fields[record_type][: len(values)]
            if [f["name"] for f in first] != list(values):
                raise UnencodableRecord(f"{record_type.__name__}: {list(values)} are not its first fields")
            write = self._heads[key] = compile_fields(first)
        return self.header(record_type) + _guarded(write, SimpleNamespace(**values), record_type)

    def decode(self, data: bytes | None) -> Any:
        """The record in these bytes, of whichever type their schema id says.

        Raises UnknownSchemaId, or UndecodableRecord for anything that is not exactly one whole record.
        """
        if data is None or len(data) < HEADER_SIZE or data[:1] != MAGIC:
            raise UndecodableRecord("not in Confluent's wire format: no zero byte and schema id in front")
        schema_id = _HEADER.unpack_from(data)[1]
        reader = self._readers.get(schema_id)
        if reader is None:
            raise UnknownSchemaId(schema_id)
        writer_schema, reader_schema, record_type = reader
        body = io.BytesIO(data)
        body.seek(HEADER_SIZE)
        try:
            value = fastavro.schemaless_reader(body, writer_schema, reader_schema)
            record: Any = msgspec.convert(value, record_type, builtin_types=_AS_THEY_ARE)
        except Exception as error:  # fastavro raises what its C code happens to meet
            raise UndecodableRecord(f"{record_type.__name__}: {type(error).__name__}: {error}") from error
        if body.tell() != len(data):
            raise UndecodableRecord(f"{record_type.__name__}: {len(data) - body.tell()} bytes too many")
        return record

    def decode_as(self, record_type: type[T], data: bytes | None) -> T:
        """The record in these bytes, which must be of this type. Raises as `decode`."""
        record = self.decode(data)
        if type(record) is not record_type:
            raise UndecodableRecord(
                f"is a {type(record).__name__}, not a {record_type.__name__}", reason="unexpected_record_type"
            )
        return record


_AS_THEY_ARE = (bytes,)


def _guarded(write: Callable[[Any], bytes], record: Any, record_type: type) -> bytes:
    try:
        return write(record)
    except (ValueError, TypeError, OverflowError, AttributeError, ArithmeticError, struct.error) as error:
        raise UnencodableRecord(f"{record_type.__name__}: {error}") from error


@cache
def codec_for(schema_registry_url: str) -> Codec:
    """The codec for this Schema Registry; with an empty URL the one for the repository's pinned ids."""
    if schema_registry_url:
        return Codec(registry_ids(schema_registry_url, load_schemas()))
    return Codec(pinned_ids())
