"""The topic files: each loads, and what belongs together is together."""

from importlib.resources import files
from pathlib import Path

import pytest

from schemas.codec import RECORD_TYPES
from schemas.errors import MisconfiguredSchemas
from schemas.topic import all_topics, load_topic

FILES = sorted((f for f in files("schemas.topics").iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
TOPICS = all_topics()
GOOD = """
why = "A reason."
key = "ConnectorID"
records = ["telemetry"]
producers = ["CSMS"]
consumers = ["streams"]
partitions = 8
replication = 3
cleanup = "delete"
retention_ms = 1000
"""


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_file_loads(file: Path) -> None:
    topic = load_topic(file)
    assert topic == TOPICS[topic.name]
    assert topic.why.strip().endswith(".")
    assert topic.key and topic.producers and topic.consumers
    assert topic.records or topic.consumers == ("nobody",)


def test_the_folder_holds_nothing_else() -> None:
    names = {f.name for f in files("schemas.topics").iterdir() if f.name not in ("__init__.py", "__pycache__")}
    assert names == {f"{name}.toml" for name in TOPICS}


@pytest.mark.parametrize("name", TOPICS)
def test_its_records_have_schemas(name: str) -> None:
    assert set(TOPICS[name].records) <= set(RECORD_TYPES)


@pytest.mark.parametrize("name", [name for name, topic in TOPICS.items() if "CSMS" in topic.producers])
def test_every_input_has_a_dead_letter_topic(name: str) -> None:
    assert f"{name}-dlq" in TOPICS


@pytest.mark.parametrize("name", [name for name in TOPICS if name.endswith("-dlq")])
def test_a_dead_letter_topic_belongs_to_a_topic(name: str) -> None:
    source, letters = TOPICS[name.removesuffix("-dlq")], TOPICS[name]
    assert letters.records == ("dead_letter",)
    assert letters.key == source.key
    assert letters.cleanup == "delete"


def test_dead_letters_are_in_no_other_topic() -> None:
    assert all(name.endswith("-dlq") for name, topic in TOPICS.items() if "dead_letter" in topic.records)


def test_topics_joined_by_key_have_the_same_partitions() -> None:
    joined = ("charger-telemetry", "charge-events", "connector-state")
    assert len({(TOPICS[name].key, TOPICS[name].partitions) for name in joined}) == 1


@pytest.mark.parametrize("name", [name for name, topic in TOPICS.items() if topic.cleanup == "compact"])
def test_a_compacted_topic_keeps_the_newest_for_ever(name: str) -> None:
    config = TOPICS[name].config(3)
    assert config["retention.ms"] == "-1"
    assert int(config["max.compaction.lag.ms"]) > 0
    assert len(TOPICS[name].records) == 1


def test_whose_clock_gives_the_times() -> None:
    assert TOPICS["delivery-clock"].config(3)["message.timestamp.type"] == "LogAppendTime"
    assert "message.timestamp.type" not in TOPICS["charge-orders"].config(3)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_in_sync_replicas_leave_room_for_one_that_is_down(replication: int, in_sync: str) -> None:
    assert TOPICS["charge-orders"].config(replication)["min.insync.replicas"] == in_sync


def test_orders_are_kept_for_a_quarter() -> None:
    assert TOPICS["charge-orders"].retention_ms >= 90 * 86_400_000


def write(folder: Path, text: str, name: str = "some-topic.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_file_loads(tmp_path: Path) -> None:
    assert load_topic(write(tmp_path, GOOD)).name == "some-topic"


@pytest.mark.parametrize("name", ["Some.toml", "some_topic.toml", "-some.toml", "some--topic.toml"])
def test_a_name_that_is_not_kebab_case_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MisconfiguredSchemas, match="kebab-case"):
        load_topic(write(tmp_path, GOOD, name))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (GOOD + "colour = 1\n", "colour"),
        (GOOD.replace('key = "ConnectorID"\n', ""), "key"),
        (GOOD.replace("partitions = 8", 'partitions = "8"'), "partitions"),
        (GOOD.replace("partitions = 8", "partitions = 0"), "start at 1"),
        (GOOD.replace("replication = 3", "replication = 0"), "start at 1"),
        (GOOD.replace('"delete"', '"shrink"'), "cleanup"),
        (GOOD + 'timestamps = "moon"\n', "timestamps"),
        (GOOD + "[", r"some-topic\.toml"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_reason(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(MisconfiguredSchemas, match=word) as caught:
        load_topic(write(tmp_path, text))
    assert "some-topic.toml" in str(caught.value)
