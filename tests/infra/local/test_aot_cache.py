"""Java's cache of Kafka's classes: made once for the same jars, and a start does without where it can't be had."""

from pathlib import Path

import pytest

from infra.local.aot_cache import aot_cache
from infra.local.broker import LocalKafka
from infra.local.errors import BrokerFailed


class Training:
    """A trainer that counts its runs."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.runs = 0
        self._fails = fails

    def __call__(self, home: Path, cache: Path) -> None:
        self.runs += 1
        assert list(home.iterdir()) == []
        cache.write_bytes(b"classes")
        if self._fails:
            raise self._fails


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    made = tmp_path / "kafka.jar"
    made.write_bytes(b"jar")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "server"
    made.mkdir()
    return made


def test_it_is_made_once_and_told(jar: Path, folder: Path) -> None:
    training, told = Training(), list[str]()
    first = aot_cache([jar], training, told.append, folder=folder)
    assert first is not None
    assert first.read_bytes() == b"classes"
    assert aot_cache([jar], training, told.append, folder=folder) == first
    assert training.runs == 1
    assert told == ["preparing quick starts of Kafka: once, some ten seconds"]


def test_other_jars_get_another_and_the_old_one_goes(jar: Path, folder: Path) -> None:
    first = aot_cache([jar], Training(), folder=folder)
    jar.write_bytes(b"another jar")
    second = aot_cache([jar], Training(), folder=folder)
    assert second is not None
    assert first != second
    assert list(folder.glob("*.aot")) == [second]


@pytest.mark.parametrize("fails", [OSError(28, "No space left on device"), BrokerFailed("Kafka ended", ["the log"])])
def test_a_start_does_without_where_it_can_not_be_made(jar: Path, folder: Path, fails: Exception) -> None:
    told: list[str] = []
    assert aot_cache([jar], Training(fails), told.append, folder=folder) is None
    assert told[-1] == f"Kafka's starts stay slow, since they could not be prepared: {fails}"
    assert [left.name for left in folder.iterdir()] == ["kafka.aot.lock"]
    assert aot_cache([jar], Training(), told.append, folder=folder) is not None


def test_what_a_killed_run_left_is_in_nobodys_way(jar: Path, folder: Path) -> None:
    work = folder / "kafka.aot.new"
    work.mkdir()
    (work / "draft.aot").write_bytes(b"half")
    made = aot_cache([jar], Training(), folder=folder)
    assert made is not None
    assert made.read_bytes() == b"classes"
    assert not work.exists()


def test_no_start_depends_on_the_folder(jar: Path, tmp_path: Path) -> None:
    told: list[str] = []
    assert aot_cache([jar], Training(), told.append, folder=tmp_path / "none") is None
    assert "kafka.aot.lock" in told[-1]


@pytest.mark.kafka
def test_a_broker_runs_with_it(broker: LocalKafka) -> None:
    mapped = Path(f"/proc/{broker.pid}/maps").read_text(encoding="utf-8")
    assert "/kafka-" in mapped
    assert ".aot\n" in mapped
    assert "[aot" not in broker.files.console_log.read_text(encoding="utf-8"), "Java has refused it"
