"""What a topic is: its key, partitions, retention and record types, read from `schemas/topics/<name>.toml`."""

import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

import msgspec

from schemas.errors import MisconfiguredSchemas

#: A compacted topic drops superseded records after this long at most, so that recovery reads little more
#: than one record a key.
_COMPACTION_LAG_MAX_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as its file declares it; `retention_ms` is -1 where compaction alone decides. `timestamps` says whose
    clock gives a record its time."""

    name: str
    why: str
    key: str
    records: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int
    replication: int
    cleanup: str
    retention_ms: int
    timestamps: Literal["producer", "broker"] = "producer"

    def config(self, replication: int) -> dict[str, str]:
        """The broker-side settings of this topic when it has `replication` replicas."""
        config = {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_ms),
            "min.insync.replicas": str(max(1, min(2, replication - 1))),
        }
        if self.timestamps == "broker":
            config["message.timestamp.type"] = "LogAppendTime"
        if self.cleanup == "compact":
            config["max.compaction.lag.ms"] = str(_COMPACTION_LAG_MAX_MS)
            config["min.cleanable.dirty.ratio"] = "0.2"
        return config


def load_topic(file: Traversable) -> Topic:
    """One topic's file. Raises MisconfiguredSchemas naming file, key and reason."""
    where = f"schemas/topics/{file.name}"
    name = file.name.removesuffix(".toml")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise MisconfiguredSchemas(f"{where}: topic names are kebab-case")
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise MisconfiguredSchemas(f"{where}: {error}") from error
    odd = ", ".join(sorted(set(raw) - {"timestamps"} ^ {f.name for f in fields(Topic)} - {"name", "timestamps"}))
    if odd:
        raise MisconfiguredSchemas(f"{where}: missing or unknown keys: {odd}")
    try:
        topic = msgspec.convert({"name": name, **raw}, Topic)
    except msgspec.ValidationError as error:
        raise MisconfiguredSchemas(f"{where}: {error}") from error
    if topic.cleanup not in ("delete", "compact"):
        raise MisconfiguredSchemas(f"{where}: cleanup is {topic.cleanup!r}: use delete or compact")
    if topic.partitions < 1 or topic.replication < 1:
        raise MisconfiguredSchemas(f"{where}: partitions and replication start at 1")
    return topic


@cache
def all_topics() -> dict[str, Topic]:
    """Every declared topic by name."""
    folder = files("schemas.topics")
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {topic.name: topic for topic in map(load_topic, found)}
