"""What can go wrong with schemas and records.

SchemaError
├── UndecodableRecord   the bytes are not a record of ours (final: dead-letter it)
│   └── UnknownSchemaId the wire format's schema id is in no registry
├── UnencodableRecord   a field's value does not fit its schema (a programming fault)
└── MisconfiguredSchemas a schema, topic or settings file is wrong (fix it and start again)
"""


class SchemaError(Exception):
    """Base of all errors of this package."""


class UndecodableRecord(SchemaError):
    """The bytes can't be read as the record they claim to be; `reason` is a short word for dead letters."""

    def __init__(self, message: str, reason: str = "undecodable") -> None:
        super().__init__(message)
        self.reason = reason


class UnknownSchemaId(UndecodableRecord):
    """The schema id in the wire format's header belongs to no schema of ours."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema id {schema_id} is not known", reason="unknown_schema_id")
        self.schema_id = schema_id


class UnencodableRecord(SchemaError):
    """A record's value does not fit its Avro schema."""


class MisconfiguredSchemas(SchemaError):
    """A file under schemas/, or a setting that points to a cluster or registry, is wrong; says which and why."""
