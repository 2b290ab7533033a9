"""The examples under schemas/examples: one per schema version, each a record of its type."""

import json
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from schemas.codec import RECORD_TYPES, codec_for
from schemas.registry import SchemaVersion, load_schemas
from tests.schemas.strategies import newest_version
from tests.schemas.versions import shaped, written

FOLDER = files("schemas") / "examples"
CODEC = codec_for("")
SCHEMAS = load_schemas()


def example(version: SchemaVersion) -> Any:
    """The example of this version, as a record of the newest one."""
    value = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    newest = shaped(SCHEMAS[newest_version(version.record)], value)
    return msgspec.json.decode(json.dumps(newest), type=RECORD_TYPES[version.record])


def test_exactly_one_per_schema_version() -> None:
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(f"{version}.json" for version in SCHEMAS)


@pytest.mark.parametrize("version", SCHEMAS, ids=str)
def test_encodes_and_decodes(version: SchemaVersion) -> None:
    record = example(version)
    assert CODEC.decode(CODEC.encode(record)) == record
    assert CODEC.decode(written(version, record)) == record


@pytest.mark.parametrize("version", SCHEMAS, ids=str)
def test_says_every_field_and_no_other(version: SchemaVersion) -> None:
    text = (FOLDER / f"{version}.json").read_text(encoding="utf-8")
    assert shaped(SCHEMAS[version], json.loads(msgspec.json.encode(example(version)))) == json.loads(text)
