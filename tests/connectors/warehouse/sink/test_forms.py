"""What a topic's records may look like."""

import pytest

from connectors.warehouse.sink.sources import SOURCES, Source
from schemas.codec import HEADER_SIZE, RECORD_TYPES, codec_for
from schemas.errors import UndecodableRecord, UnknownSchemaId
from schemas.registry import SchemaVersion
from tests.connectors.warehouse.sink.records import CODEC, ORDERS, TELEMETRY, forms_of
from tests.schemas.strategies import newest_version
from tests.schemas.test_examples import example


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_the_newest_version_of_each_record_is_known(source: Source) -> None:
    payload = CODEC.encode(example(newest_version(source.record)))
    form = forms_of(source).of(payload[:HEADER_SIZE])
    assert form.version == newest_version(source.record)
    assert form.is_newest
    assert form.all_whole([payload])


def test_another_topics_record_is_none_of_this() -> None:
    header = codec_for("").header(RECORD_TYPES[ORDERS.record])
    with pytest.raises(UndecodableRecord, match="order") as caught:
        forms_of(TELEMETRY).of(header)
    assert caught.value.reason == "unexpected_record_type"


def test_an_id_that_no_registry_gave() -> None:
    with pytest.raises(UnknownSchemaId):
        forms_of(TELEMETRY).of(b"\x00\x7f\xff\xff\xf0")


@pytest.mark.parametrize("header", [b"", b"\x00\x00", b"\x01\x00\x00\x00\x01"])
def test_what_is_not_in_the_wire_format(header: bytes) -> None:
    with pytest.raises(UndecodableRecord, match="wire format"):
        forms_of(TELEMETRY).of(header)


def test_an_older_version_is_taken_and_known_as_older() -> None:
    from connectors.warehouse.sink.forms import Forms
    from schemas.registry import load_schemas, pinned_ids

    older = SchemaVersion("station", 1)
    header = bytes((0,)) + pinned_ids()[older].to_bytes(4, "big")
    form = Forms("station", CODEC, load_schemas()).of(header)
    assert form.version == older
    assert not form.is_newest
