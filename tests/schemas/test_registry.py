"""Ids of schemas: pinned in the repository, or given by a Schema Registry."""

import json
import socket
from itertools import pairwise
from pathlib import Path

import pytest

from schemas.codec import codec_for
from schemas.errors import MisconfiguredSchemas
from schemas.records.charger_commands import StopCharge
from schemas.registry import SchemaVersion, load_schemas, pinned_ids, registry_ids
from tests.schemas.registry_stub import registry
from tests.schemas.test_examples import example
from tests.schemas.versions import OLDER, written

SCHEMAS = load_schemas()
ORDER = SchemaVersion("order", 1)


def test_versions_sort_by_record_then_number() -> None:
    mixed = [SchemaVersion("b", 1), SchemaVersion("a", 10), SchemaVersion("a", 9)]
    assert sorted(mixed) == [SchemaVersion("a", 9), SchemaVersion("a", 10), SchemaVersion("b", 1)]
    assert str(mixed[1]) == "a.v10"


def folder_with(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["order.avsc", "order.v0.avsc", "order.v01.avsc", "Order.v1.avsc", "order.v1.0.avsc"])
def test_a_badly_named_schema_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(MisconfiguredSchemas, match=r"<record>\.v<N>\.avsc"):
        load_schemas(tmp_path)


def test_a_schema_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredSchemas, match=r"order\.v1\.avsc: not JSON"):
        load_schemas(folder_with(tmp_path, order__v1__avsc="{"))


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    assert load_schemas(folder_with(tmp_path, order__v1__avsc='{"a": 1}', notes__txt="x")) == {ORDER: {"a": 1}}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('"order.v1" = 1\n"telemetry.v1" = 1\n', "id 1 is given twice"),
        ('"order.v1" = 1\n"order.v1" = 2\n', "schema_ids.toml"),
        ('"order.v1" = 0\n', "order"),
        ('"order.v1" = "1"\n', "order"),
        ('"order.v1" = true\n', "order"),
        ('"order" = 1\n', "order"),
        ('"Order.v1" = 1\n', "Order"),
        ("order.v1 = 1\n", "order"),
        ("[", "schema_ids.toml"),
    ],
)
def test_bad_ids_are_refused(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(MisconfiguredSchemas, match=word):
        pinned_ids(folder_with(tmp_path, schema_ids__toml=text))


def test_the_registry_gives_an_id_to_every_schema() -> None:
    with registry() as stub:
        ids = registry_ids(stub.url, SCHEMAS)
        assert not stub.complaints
        assert set(ids) == set(SCHEMAS)
        assert len(set(ids.values())) == len(ids)
        for version, schema in SCHEMAS.items():
            subject = f"evcs.{schema['name']}"
            ((_, registered),) = [key for key, schema_id in stub.ids.items() if schema_id == ids[version]]
            assert json.loads(registered) == schema
            assert (subject, registered) in stub.ids


def test_a_records_versions_are_registered_oldest_first() -> None:
    """A registry holds each against those that it has: the newer one must be able to read the older."""
    with registry() as stub:
        ids = registry_ids(stub.url, dict(reversed(SCHEMAS.items())))
        for older, newer in pairwise(sorted(SCHEMAS)):
            assert older.record != newer.record or ids[older] < ids[newer]


def test_what_an_older_version_wrote_under_the_registrys_id_is_read() -> None:
    with registry() as stub:
        codec, ids = codec_for(stub.url), registry_ids(stub.url, SCHEMAS)
        for version in OLDER:
            record = example(version)
            assert codec.decode(written(version, record, ids[version])) == record
            assert codec.decode(codec.encode(record)) == record


def test_registering_again_gives_the_same_ids() -> None:
    with registry() as stub:
        assert registry_ids(stub.url, SCHEMAS) == registry_ids(stub.url + "/", SCHEMAS)
        assert len(stub.ids) == len(SCHEMAS)


def test_the_codec_uses_the_registrys_ids() -> None:
    with registry() as stub:
        codec = codec_for(stub.url)
        command = StopCharge("1", "C", 5)
        encoded = codec.encode(command)
        assert int.from_bytes(encoded[1:5], "big") >= 100
        assert codec.decode(encoded) == command
        assert codec_for(stub.url) is codec


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (409, b'{"error_code": 409, "message": "incompatible: field added"}', "refuses order.v1.*incompatible"),
        (422, b'{"error_code": 42201, "message": "Invalid schema"}', r"refuses order.v1.*Invalid schema"),
        (401, b'{"error_code": 401, "message": "Unauthorized"}', "refuses order.v1.*Unauthorized"),
        (404, b"<html>not here</html>", r"order\.v1"),
        (200, b"<html>a proxy</html>", "EVCS_SCHEMA_REGISTRY_URL"),
        (200, b"{}", r"order\.v1"),
        (200, b'{"id": "seven"}', r"order\.v1"),
    ],
)
def test_what_the_registry_answers_otherwise_is_said(status: int, body: bytes, word: str) -> None:
    with registry() as stub:
        stub.refusals["evcs.Order"] = (status, body)
        with pytest.raises(MisconfiguredSchemas, match=word) as caught:
            registry_ids(stub.url, {ORDER: SCHEMAS[ORDER]})
        assert stub.url in str(caught.value)


def test_a_registry_that_is_not_there_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(MisconfiguredSchemas, match="unset it to use the pinned ids"):
        registry_ids(url, {ORDER: SCHEMAS[ORDER]})


def test_an_address_that_is_none_is_said() -> None:
    with pytest.raises(MisconfiguredSchemas):
        registry_ids("registry:8081", {ORDER: SCHEMAS[ORDER]})
