"""Fetching Kafka: what goes wrong without network, with a version that is none, with broken files."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.local.errors import JarsUnavailable, StorageUnusable
from infra.local.maven import fetch_kafka
from infra.local.ports import free_port

POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>
<dependencies>{dependencies}</dependencies></project>"""
LOG4J = """<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId>
<version>2.0</version></dependency>"""
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


class Repository:
    """A Maven repository in memory: path to content."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""

    def add(self, group: str, name: str, version: str, jar: bytes, dependencies: str = "") -> None:
        stem = f"/{group.replace('.', '/')}/{name}/{version}/{name}-{version}"
        pom = POM.format(group=group, name=name, version=version, dependencies=dependencies)
        self.files[f"{stem}.pom"] = pom.encode()
        self.files[f"{stem}.jar"] = jar


@pytest.fixture
def repository() -> Iterator[Repository]:
    store = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            store.asked.append(self.path)
            content = store.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield store
        server.shutdown()
        thread.join()


@pytest.fixture
def kafka_1(repository: Repository) -> Repository:
    """A repository with a Kafka of version 1.0 that needs log4j."""
    repository.add("org.apache.kafka", "kafka_2.13", "1.0", EMPTY_ZIP, LOG4J)
    repository.add("org.apache.logging.log4j", "log4j-core", "2.0", EMPTY_ZIP)
    repository.add("org.apache.logging.log4j", "log4j-slf4j-impl", "2.0", EMPTY_ZIP)
    return repository


def fetch(repository: Repository, cache: Path, version: str = "1.0") -> list[Path]:
    return fetch_kafka(version, repo_cache=cache, remote_repos={"test": repository.url})


def test_kafka_comes_with_its_dependencies_and_the_bridge_to_log4j(kafka_1: Repository, tmp_path: Path) -> None:
    told: list[str] = []
    jars = fetch_kafka("1.0", told.append, repo_cache=tmp_path, remote_repos={"test": kafka_1.url})
    assert [jar.name for jar in jars] == ["kafka_2.13-1.0.jar", "log4j-core-2.0.jar", "log4j-slf4j-impl-2.0.jar"]
    assert told == [
        "resolving what Kafka 1.0 needs",
        "fetching 1 of 3: kafka_2.13-1.0.jar",
        "fetching 2 of 3: log4j-core-2.0.jar",
        "fetching 3 of 3: log4j-slf4j-impl-2.0.jar",
    ]


def test_what_is_in_the_cache_is_not_fetched_again(kafka_1: Repository, tmp_path: Path) -> None:
    jars = fetch(kafka_1, tmp_path)
    kafka_1.asked.clear()
    assert fetch(kafka_1, tmp_path) == jars
    assert kafka_1.asked == []


def test_a_jar_cut_short_in_the_cache_is_fetched_again(kafka_1: Repository, tmp_path: Path) -> None:
    broken = fetch(kafka_1, tmp_path)[1]
    broken.write_bytes(b"PK")
    fetch(kafka_1, tmp_path)
    assert broken.read_bytes() == EMPTY_ZIP


def test_a_page_in_the_place_of_a_jar_is_refused_and_not_kept(kafka_1: Repository, tmp_path: Path) -> None:
    kafka_1.add("org.apache.logging.log4j", "log4j-core", "2.0", b"<html>sign in</html>")
    with pytest.raises(JarsUnavailable, match=r"log4j-core-2\.0\.jar is no jar"):
        fetch(kafka_1, tmp_path)
    assert not list(tmp_path.rglob("log4j-core-2.0.jar"))


def test_a_version_that_does_not_exist_is_told(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(JarsUnavailable, match=r"Kafka 0\.0\.0 can't be resolved"):
        fetch(repository, tmp_path, "0.0.0")


def test_without_network_the_first_start_says_so(tmp_path: Path) -> None:
    nowhere = {"test": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(JarsUnavailable, match="no connection to the Maven repository"):
        fetch_kafka("1.0", repo_cache=tmp_path, remote_repos=nowhere)


def test_a_cache_that_can_not_be_written_is_told(kafka_1: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnusable, match="can't be written"):
        fetch(kafka_1, tmp_path / "file" / "cache")
