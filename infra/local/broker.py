"""The local Kafka broker: which jars, which configuration, which storage a start needs, and whether it answers."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.local.aot_cache import aot_cache
from infra.local.errors import BrokerFailed
from infra.local.jars import KAFKA_VERSION, kafka_jars
from infra.local.java import Classes, broker_command
from infra.local.layout import BrokerFiles
from infra.local.ports import HOST, free_port
from infra.local.process import ServerProcess
from infra.local.progress import Progress
from infra.local.readiness import await_ready
from infra.local.server import LocalServer
from infra.local.server_properties import render
from infra.local.settings import DEFAULT_PORT
from infra.local.storage import prepare_storage
from schemas.cluster import KafkaCluster

#: Writing a cache keeps a core busy for some seconds.
_CACHE_TIMEOUT_S = 180.0


class LocalKafka(LocalServer):
    """One Kafka node (broker and controller) on 127.0.0.1 whose data lives under `home`.

    One that dies with its parent is up to speed sooner, and slower under a long load. `overrides` are broker settings
    beyond those in server.properties. With `writes_cache` it ends by writing an AOT cache of its classes there. A start
    may raise JarsUnavailable, too.
    """

    name = "Kafka"
    port_setting = "EVCS_KAFKA_PORT (`evcs local up` also: --port)"
    #: Kafka maps index files into memory, and dies of a full disk without a word.
    min_free_bytes = 256 * 1024**2

    def __init__(
        self,
        home: Path,
        port: int = DEFAULT_PORT,
        *,
        die_with_parent: bool = False,
        overrides: Mapping[str, str] | None = None,
        writes_cache: Path | None = None,
    ) -> None:
        self.files = BrokerFiles(home.absolute())
        super().__init__(self.files, port, KAFKA_VERSION, die_with_parent)
        self._overrides = dict(overrides or {})
        self._writes_cache = writes_cache
        self._classes = Classes([])

    @property
    def bootstrap(self) -> str:
        """The broker's address for clients, `127.0.0.1:port`."""
        return f"{HOST}:{self.port}"

    def _prepare(self, on_progress: Progress) -> None:
        jars = kafka_jars(self.files.classpath(KAFKA_VERSION), on_progress)
        cache = None if self._writes_cache else aot_cache(jars, self._train, on_progress)
        self._classes = Classes(jars, cache)

    def _train(self, home: Path, cache: Path) -> None:
        remembered = self.files.classpath(KAFKA_VERSION)
        shutil.copy(remembered, BrokerFiles(home).classpath(KAFKA_VERSION))
        with LocalKafka(home, port=0, die_with_parent=True, writes_cache=cache) as kafka:
            kafka.stop(_CACHE_TIMEOUT_S)

    def _command(self, port: int, on_progress: Progress) -> list[str]:
        files = self.files
        controller_port = free_port(other_than=port)
        files.properties.write_text(render(files.data, port, controller_port, self._overrides), encoding="utf-8")
        if prepare_storage(files, self._classes):
            on_progress(f"formatted {files.data}")
        return broker_command(self._classes, files, self._die_with_parent, self._writes_cache)

    def _answers(self, process: ServerProcess, timeout_s: float) -> bool:
        return await_ready(KafkaCluster(f"{HOST}:{process.port}"), process.is_alive, timeout_s)

    def _failed(self, what: str, tail: list[str], log: Path) -> BrokerFailed:
        return BrokerFailed(what, tail, log)
