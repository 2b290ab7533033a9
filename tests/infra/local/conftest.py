"""Homes for brokers: short-lived, and spared the second that resolving the jars takes in each."""

import shutil
from pathlib import Path

import pytest

from infra.local.jars import KAFKA_VERSION, kafka_jars
from infra.local.layout import BrokerFiles


@pytest.fixture(scope="session")
def remembered_jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that remembers Kafka's jars; the jars themselves are in the cache, or are fetched now."""
    remembered = tmp_path_factory.mktemp("jars") / "classpath"
    kafka_jars(remembered)
    return remembered


@pytest.fixture
def home(tmp_path: Path, remembered_jars: Path) -> Path:
    """An empty home whose broker starts without asking where the jars are."""
    home = tmp_path / "evcs home é"
    home.mkdir()
    shutil.copy(remembered_jars, BrokerFiles(home).classpath(KAFKA_VERSION))
    return home
