"""The data directory before a start: what is refused, and what room is asked for."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.local.broker import LocalKafka
from infra.local.directories import make_directories
from infra.local.errors import ForeignData, StorageUnusable, storage_errors
from infra.local.java import Classes
from infra.local.layout import BrokerFiles
from infra.local.storage import new_cluster_id, prepare_storage

MIN_FREE = LocalKafka.min_free_bytes


@pytest.fixture
def files(tmp_path: Path) -> BrokerFiles:
    files = BrokerFiles(tmp_path)
    make_directories(files, "Kafka", MIN_FREE)
    return files


@pytest.mark.parametrize("by", ["4.1.2", "4.1.9", "4.0.0", "3.9.1", ""])
def test_data_of_this_kafka_or_an_older_one_is_used(files: BrokerFiles, by: str) -> None:
    (files.data / "meta.properties").write_text("#\n#Tue Jan 6\ncluster.id=x\nnode.id=1\nversion=1\n")
    if by:
        files.formatted_by.write_text(by)
    assert prepare_storage(files, Classes([])) is False


@pytest.mark.parametrize(
    ("meta", "by", "reason"),
    [
        ("version=1\nnode.id=1", "4.2.0", "formatted by Kafka 4.2.0"),
        ("version=1\nnode.id=1", "10.0.0", "formatted by Kafka 10.0.0"),
        ("version=0\nbroker.id=1", "4.1.2", "storage format 0"),
        ("version=1\nnode.id=7", "", "Kafka node 7"),
        ("", "", "storage format None"),
    ],
)
def test_data_of_another_kafka_is_refused(files: BrokerFiles, meta: str, by: str, reason: str) -> None:
    (files.data / "meta.properties").write_text(meta)
    files.formatted_by.write_text(by)
    with pytest.raises(ForeignData, match=re.escape(reason)):
        prepare_storage(files, Classes([]))


def test_a_home_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnusable, match=r"can't be written.*EVCS_HOME"):
        make_directories(BrokerFiles(tmp_path / "file"), "Kafka", MIN_FREE)


def test_a_disk_with_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=5 * 1024**2))
    with pytest.raises(StorageUnusable, match="full: 5 MB are free"):
        make_directories(BrokerFiles(tmp_path), "Kafka", MIN_FREE)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StorageUnusable, match="is full"), storage_errors(tmp_path):
        Path("/dev/full").write_text("x")


def test_cluster_ids_are_22_characters_and_differ() -> None:
    ids = {new_cluster_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[\w-]{22}", one) for one in ids)
