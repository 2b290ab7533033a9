"""Jars are resolved once and remembered while they are there."""

from pathlib import Path

import pytest

from infra.local.errors import JarsUnavailable, StorageUnusable
from infra.local.jars import kafka_jars
from infra.local.progress import Progress


class Resolving:
    """A resolver that counts its calls."""

    def __init__(self, jars: list[Path]) -> None:
        self.jars = jars
        self.asked: list[str] = []

    def __call__(self, version: str, on_progress: Progress) -> list[Path]:
        self.asked.append(version)
        return self.jars


def offline(version: str, on_progress: Progress) -> list[Path]:
    raise JarsUnavailable("no network")


def test_the_second_start_needs_no_network(tmp_path: Path) -> None:
    jar = tmp_path / "kafka.jar"
    jar.touch()
    remembered = tmp_path / "home" / "classpath"
    assert kafka_jars(remembered, version="4.1.2", resolve=Resolving([jar])) == [jar]
    assert kafka_jars(remembered, version="4.1.2", resolve=offline) == [jar]


def test_a_jar_that_has_gone_is_resolved_anew(tmp_path: Path) -> None:
    jar = tmp_path / "kafka.jar"
    jar.touch()
    resolving = Resolving([jar])
    kafka_jars(tmp_path / "classpath", resolve=resolving, version="1")
    jar.unlink()
    kafka_jars(tmp_path / "classpath", resolve=resolving, version="1")
    assert resolving.asked == ["1", "1"]


def test_nothing_is_remembered_of_a_fetch_that_failed(tmp_path: Path) -> None:
    with pytest.raises(JarsUnavailable):
        kafka_jars(tmp_path / "classpath", resolve=offline)
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnusable):
        kafka_jars(tmp_path / "file" / "classpath", resolve=Resolving([tmp_path]))
