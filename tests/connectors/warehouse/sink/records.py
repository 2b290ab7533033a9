"""Records of every topic that the sink reads, and messages as Kafka's client gives them."""

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from confluent_kafka import Message

from connectors.warehouse.sink.forms import Forms
from connectors.warehouse.sink.sources import SOURCES, Source
from schemas.codec import codec_for
from schemas.records.telemetry import Telemetry
from schemas.registry import load_schemas
from tests.schemas.strategies import newest_version
from tests.schemas.test_examples import example

CODEC = codec_for("")
BY_TOPIC = {source.topic: source for source in SOURCES}
TELEMETRY, ORDERS = BY_TOPIC["charger-telemetry"], BY_TOPIC["charge-orders"]

#: Noon of yesterday, UTC ms: tables drop what is old, and take no samples from the future.
NOON = (time.time_ns() // 1_000_000 // 86_400_000 - 1) * 86_400_000 + 43_200_000


def recent(record: str) -> Any:
    """The record's example, with all its instants moved by as much, so that the first is at NOON."""
    found = example(newest_version(record))
    earliest = min(_instants(found))
    return _moved(found, NOON - earliest)


def _instants(value: Any) -> Iterator[int]:
    if isinstance(value, tuple):
        for inner in value:
            yield from _instants(inner)
    elif is_dataclass(value):
        for field in fields(value):
            inner = getattr(value, field.name)
            if field.name.endswith("_at") and inner is not None:
                yield inner
            else:
                yield from _instants(inner)


def _moved(value: Any, by: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(inner, by) for inner in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {}
    for field in fields(value):
        inner = getattr(value, field.name)
        is_instant = field.name.endswith("_at") and inner is not None
        changed[field.name] = inner + by if is_instant else _moved(inner, by)
    return replace(value, **changed)


_SAMPLE: Telemetry = recent("telemetry")


def forms_of(source: Source) -> Forms:
    """What the topic's records may look like."""
    return Forms(source.record, CODEC, load_schemas())


def sample(n: int = 0, **changed: Any) -> Telemetry:
    """The connector's nth sample, ten seconds and 25 Wh after the one before."""
    moved = replace(_SAMPLE, sampled_at=_SAMPLE.sampled_at + 10_000 * n, meter_wh=_SAMPLE.meter_wh + 25 * n)
    return replace(moved, **changed)


def payloads(count: int, first: int = 0) -> list[bytes]:
    """So many samples, encoded."""
    return [CODEC.encode(sample(n)) for n in range(first, first + count)]


class FakeMessage:
    """A message as far as the sink looks at it."""

    def __init__(self, value: bytes | None, offset: int, topic: str, partition: int = 0) -> None:
        self._value = value
        self._offset = offset
        self._topic = topic
        self._partition = partition

    def value(self) -> bytes | None:
        return self._value

    def key(self) -> bytes:
        return b"key"

    def offset(self) -> int:
        return self._offset

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000


def messages(
    values: Iterable[bytes | None], first: int = 0, topic: str = TELEMETRY.topic, partition: int = 0
) -> list[Message]:
    """These values from an offset on."""
    made = (
        FakeMessage(value, offset, topic, partition)
        for value, offset in zip(values, itertools.count(first), strict=False)
    )
    return [cast(Message, message) for message in made]
