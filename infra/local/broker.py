"""The local Kafka broker as an object: start, stop, kill. Decides the order of a start and what a failure means.

The parts do the work: jars, storage, configuration, process, readiness. Needs a POSIX system.
"""

import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.errors import BrokerFailed, PortTaken, StopTimedOut, storage_errors
from infra.local.file_lock import exclusive
from infra.local.jars import KAFKA_VERSION, kafka_jars
from infra.local.java import broker_command
from infra.local.layout import BrokerFiles
from infra.local.log_tail import set_aside, tail_of
from infra.local.ports import free_port, is_free, require_free
from infra.local.process import BrokerProcess
from infra.local.progress import Progress, quiet
from infra.local.readiness import READY_TIMEOUT_S, await_ready
from infra.local.server_properties import HOST, render
from infra.local.settings import DEFAULT_PORT
from infra.local.spawn import await_end, spawn_bound, spawn_detached
from infra.local.storage import make_directories, prepare_storage
from schemas.cluster import KafkaCluster

STOP_TIMEOUT_S = 30.0
_KILL_TIMEOUT_S = 60.0
_PORT_TRIES = 3


class LocalKafka:
    """One Kafka node (broker and controller) on 127.0.0.1 whose data lives under `home`.

    Objects hold no broker: it is found by its pid file, so any object with the same home sees the same one.
    `port` 0 means a free one, which the object keeps for its later starts. The broker outlives this process
    unless `die_with_parent`, which binds it to the process, not to the object. `overrides` are broker
    settings beyond those in server.properties.

    As a context manager it starts on entry and stops on exit, with SIGKILL if SIGTERM does not do.
    """

    def __init__(
        self,
        home: Path,
        port: int = DEFAULT_PORT,
        *,
        die_with_parent: bool = False,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self.files = BrokerFiles(home.absolute())
        self._port = port
        self._any_port = port == 0
        self._die_with_parent = die_with_parent
        self._overrides = dict(overrides or {})

    @property
    def port(self) -> int:
        """The running broker's port; else the one for the next start, 0 while that is not chosen."""
        process = self._process()
        return process.port if process else self._port

    @property
    def bootstrap(self) -> str:
        """The broker's address for clients, `127.0.0.1:port`."""
        return f"{HOST}:{self.port}"

    @property
    def version(self) -> str:
        """The running broker's Kafka version; else that of the next start."""
        process = self._process()
        return process.version if process else KAFKA_VERSION

    @property
    def pid(self) -> int | None:
        """The running broker's process; None if there is none."""
        process = self._process()
        return process.pid if process else None

    def start(self, on_progress: Progress = quiet, ready_timeout_s: float = READY_TIMEOUT_S) -> bool:
        """Starts the broker and waits until it answers; False if it was already running.

        Raises PortTaken, JarsUnavailable, StorageUnusable, ForeignData, BrokerFailed. After any of them, and
        after Ctrl-C, no process of this start is left; one that was already running is left alone.
        """
        make_directories(self.files)
        with storage_errors(self.files.lock), exclusive(self.files.lock):
            running = self._process()
            if running:
                self._require_ready(running, ready_timeout_s)
                return False
            if not self._any_port:
                require_free(self._port)
            jars = kafka_jars(self.files.classpath(KAFKA_VERSION), on_progress)
            for tries_left in reversed(range(_PORT_TRIES)):
                try:
                    self._start_once(jars, on_progress, ready_timeout_s)
                    break
                except PortTaken:
                    if not tries_left:
                        raise
            return True

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Asks the broker to end and waits until it has; False if none was running. Raises StopTimedOut."""
        process = self._process()
        if process:
            process.send(signal.SIGTERM)
            if not process.wait(timeout_s):
                raise StopTimedOut(process.pid, timeout_s)
            await_end(process.pid)
        self.files.process.unlink(missing_ok=True)
        return process is not None

    def kill(self) -> bool:
        """Ends the broker with SIGKILL, as a crash would; False if none was running. Raises StopTimedOut."""
        process = self._process()
        if process:
            process.send(signal.SIGKILL)
            if not process.wait(_KILL_TIMEOUT_S):
                raise StopTimedOut(process.pid, _KILL_TIMEOUT_S)
            await_end(process.pid)
        return process is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except StopTimedOut:
            self.kill()

    def _process(self) -> BrokerProcess | None:
        process = BrokerProcess.load(self.files.process)
        return process if process and process.is_alive() else None

    def _start_once(self, jars: list[Path], on_progress: Progress, ready_timeout_s: float) -> None:
        files = self.files
        if self._any_port and not (self._port and is_free(self._port)):
            self._port = free_port()
        require_free(self._port)
        controller_port = free_port(other_than=self._port)
        files.properties.write_text(render(files.data, self._port, controller_port, self._overrides), encoding="utf-8")
        if prepare_storage(files, jars):
            on_progress(f"formatted {files.data}")
        set_aside(files.server_log)
        on_progress(f"starting Kafka {KAFKA_VERSION} on {HOST}:{self._port}")
        process = self._spawn(jars)
        try:
            process.save(files.process)
            self._require_ready(process, ready_timeout_s)
        except BaseException:
            process.send(signal.SIGKILL)
            process.wait(_KILL_TIMEOUT_S)
            files.process.unlink(missing_ok=True)
            raise

    def _spawn(self, jars: list[Path]) -> BrokerProcess:
        files = self.files
        spawn = spawn_bound if self._die_with_parent else spawn_detached
        try:
            pid = spawn(broker_command(jars, files), files.root, files.console_log)
        except OSError as error:
            raise BrokerFailed(f"Java can't be run ({error})", tail_of(files.console_log), files.console_log) from error
        return BrokerProcess.of(pid, self._port, KAFKA_VERSION)

    def _require_ready(self, process: BrokerProcess, ready_timeout_s: float) -> None:
        if not await_ready(KafkaCluster(f"{HOST}:{process.port}"), process.is_alive, ready_timeout_s):
            raise self._failure(process, ready_timeout_s)

    def _failure(self, process: BrokerProcess, ready_timeout_s: float) -> BrokerFailed | PortTaken:
        alive = process.is_alive()
        tail = tail_of(self.files.server_log, self.files.console_log)
        if not alive and any("Address already in use" in line for line in tail):
            return PortTaken(process.port)
        what = f"did not answer within {ready_timeout_s:g} s" if alive else "ended while starting"
        return BrokerFailed(f"the broker {what}", tail, self.files.server_log)
