"""Which schema has which id: pinned in the repository, or given by a Schema Registry.

The files are the truth about schemas; a registry only gives ids. Subjects follow RecordNameStrategy, since
`charge-events` carries several record types.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from schemas.errors import MisconfiguredSchemas

_FILE_NAME = re.compile(r"(?P<record>[a-z_]+)\.v(?P<version>[1-9][0-9]*)\.avsc")


@dataclass(frozen=True, slots=True, order=True)
class SchemaVersion:
    """One version of one record's schema, e.g. `telemetry.v1`."""

    record: str
    version: int

    def __str__(self) -> str:
        return f"{self.record}.v{self.version}"


def records_folder() -> Traversable:
    """Where the `.avsc` files lie."""
    return files("schemas.records")


def load_schemas(folder: Traversable | None = None) -> dict[SchemaVersion, dict[str, Any]]:
    """Every `.avsc` file by record and version. Raises MisconfiguredSchemas for a bad name or bad JSON."""
    found: dict[SchemaVersion, dict[str, Any]] = {}
    for file in sorted((folder or records_folder()).iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".avsc"):
            continue
        match = _FILE_NAME.fullmatch(file.name)
        if match is None:
            raise MisconfiguredSchemas(f"schemas/records/{file.name}: name it <record>.v<N>.avsc")
        try:
            schema = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise MisconfiguredSchemas(f"schemas/records/{file.name}: not JSON: {error}") from error
        found[SchemaVersion(match["record"], int(match["version"]))] = schema
    return found


def pinned_ids(folder: Traversable | None = None) -> dict[SchemaVersion, int]:
    """The ids in `schema_ids.toml`. Raises MisconfiguredSchemas if one is given twice or the file is wrong."""
    text = ((folder or records_folder()) / "schema_ids.toml").read_text(encoding="utf-8")
    try:
        pinned = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MisconfiguredSchemas(f"schema_ids.toml: {error}") from error
    ids: dict[SchemaVersion, int] = {}
    for name, schema_id in pinned.items():
        match = _FILE_NAME.fullmatch(f"{name}.avsc")
        if match is None or type(schema_id) is not int or schema_id < 1:
            raise MisconfiguredSchemas(f'schema_ids.toml: {name!r}: write "<record>.v<N>" = <id from 1>')
        if schema_id in ids.values():
            raise MisconfiguredSchemas(f"schema_ids.toml: id {schema_id} is given twice")
        ids[SchemaVersion(match["record"], int(match["version"]))] = schema_id
    return ids


def registry_ids(url: str, schemas: Mapping[SchemaVersion, Mapping[str, Any]]) -> dict[SchemaVersion, int]:
    """Registers every schema with the Schema Registry at `url` and returns the ids it gives.

    Registering is idempotent. Raises MisconfiguredSchemas when the registry can't be reached or refuses a
    schema (it checks compatibility itself).
    """
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    hint = "Check EVCS_SCHEMA_REGISTRY_URL, or unset it to use the pinned ids"
    try:
        client = SchemaRegistryClient({"url": url, "timeout": 10, "max.retries": 2})
    except Exception as error:
        raise MisconfiguredSchemas(f"Schema Registry {url}: {error}. {hint}") from error
    ids: dict[SchemaVersion, int] = {}
    with client:
        for version in sorted(schemas):
            schema = schemas[version]
            subject = f"{schema['namespace']}.{schema['name']}"
            try:
                schema_id: object = client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
            except SchemaRegistryError as error:
                raise MisconfiguredSchemas(f"Schema Registry {url} refuses {version}: {error}") from error
            except Exception as error:
                raise MisconfiguredSchemas(
                    f"Schema Registry {url} can't be used for {version}: {type(error).__name__}: {error}. {hint}"
                ) from error
            if not isinstance(schema_id, int):
                raise MisconfiguredSchemas(f"Schema Registry {url} gave {version} the id {schema_id!r}. {hint}")
            ids[version] = schema_id
    return ids
