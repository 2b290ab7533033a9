"""A server on this machine as an object: start, stop, kill. Decides the order of a start and what a failure means.

What is started, and how it is asked whether it answers, each server says itself. Needs a POSIX system.
"""

import signal
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from infra.local.directories import make_directories
from infra.local.errors import PortTaken, ProcessFailed, StopTimedOut, storage_errors
from infra.local.file_lock import exclusive
from infra.local.layout import ServerFiles
from infra.local.log_tail import set_aside, tail_of
from infra.local.ports import HOST, free_port, is_free, require_free
from infra.local.process import ServerProcess
from infra.local.progress import Progress, quiet
from infra.local.spawn import await_end, spawn_bound, spawn_detached

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_KILL_TIMEOUT_S = 60.0
_PORT_TRIES = 3

#: How a server's log tells that another was quicker to take the port.
_PORT_TAKEN = ("Address already in use", " is taken: choose another with ")


class LocalServer(ABC):
    """One server process on 127.0.0.1 whose data lives under its files' home.

    Objects hold no process: it is found by its pid file, so any object with the same home sees the same one.
    `port` 0 means a free one, which the object keeps for its later starts. The process outlives this one
    unless `die_with_parent`, which binds it to the process, not to the object.

    As a context manager it starts on entry and stops on exit, with SIGKILL if SIGTERM does not do.
    """

    #: What it is called in messages.
    name: ClassVar[str]
    #: Where its port can be set, for messages.
    port_setting: ClassVar[str]
    #: A server that runs out of room may die without a word.
    min_free_bytes: ClassVar[int]

    def __init__(self, files: ServerFiles, port: int, version: str, die_with_parent: bool) -> None:
        self._files = files
        self._port = port
        self._any_port = port == 0
        self._version = version
        self._die_with_parent = die_with_parent

    @property
    def port(self) -> int:
        """The running server's port; else the one for the next start, 0 while that is not chosen."""
        process = self._process()
        return process.port if process else self._port

    @property
    def version(self) -> str:
        """The running server's version; else that of the next start."""
        process = self._process()
        return process.version if process else self._version

    @property
    def pid(self) -> int | None:
        """The running server's process; None if there is none."""
        process = self._process()
        return process.pid if process else None

    def start(self, on_progress: Progress = quiet, ready_timeout_s: float = READY_TIMEOUT_S) -> bool:
        """Starts the server and waits until it answers; False if it was already running.

        Raises PortTaken, StorageUnusable, ForeignData, ProcessFailed and what else `_prepare` raises. After any of
        them, and after Ctrl-C, no process of this start is left; one that was already running is left alone.
        """
        make_directories(self._files, self.name, self.min_free_bytes)
        with storage_errors(self._files.lock), exclusive(self._files.lock):
            running = self._process()
            if running:
                self._require_ready(running, ready_timeout_s)
                return False
            if not self._any_port:
                require_free(self._port, self.port_setting)
            self._prepare(on_progress)
            for tries_left in reversed(range(_PORT_TRIES)):
                try:
                    self._start_once(on_progress, ready_timeout_s)
                    break
                except PortTaken:
                    if not tries_left:
                        raise
            return True

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Asks the server to end and waits until it has; False if none was running. Raises StopTimedOut."""
        process = self._process()
        if process:
            process.send(signal.SIGTERM)
            if not process.wait(timeout_s):
                raise StopTimedOut(self.name, process.pid, timeout_s)
            await_end(process.pid)
        self._files.process.unlink(missing_ok=True)
        return process is not None

    def kill(self) -> bool:
        """Ends the server with SIGKILL, as a crash would; False if none was running. Raises StopTimedOut."""
        process = self._process()
        if process:
            process.send(signal.SIGKILL)
            if not process.wait(_KILL_TIMEOUT_S):
                raise StopTimedOut(self.name, process.pid, _KILL_TIMEOUT_S)
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

    @abstractmethod
    def _prepare(self, on_progress: Progress) -> None:
        """What has to be there before the port is chosen; may take long, and raises errors of its own."""

    @abstractmethod
    def _command(self, port: int, on_progress: Progress) -> list[str]:
        """The command line that runs the server on `port` in the foreground; writes its configuration."""

    @abstractmethod
    def _answers(self, process: ServerProcess, timeout_s: float) -> bool:
        """Whether the server answers a real client within `timeout_s`; False at once when its process has ended."""

    @abstractmethod
    def _failed(self, what: str, tail: list[str], log: Path) -> ProcessFailed:
        """The error for a process that could not be run, has ended, or does not answer."""

    def _process(self) -> ServerProcess | None:
        process = ServerProcess.load(self._files.process)
        return process if process and process.is_alive() else None

    def _start_once(self, on_progress: Progress, ready_timeout_s: float) -> None:
        files = self._files
        if self._any_port and not (self._port and is_free(self._port)):
            self._port = free_port()
        require_free(self._port, self.port_setting)
        command = self._command(self._port, on_progress)
        set_aside(files.server_log)
        on_progress(f"starting {self.name} {self._version} on {HOST}:{self._port}")
        process = self._spawn(command)
        try:
            process.save(files.process)
            self._require_ready(process, ready_timeout_s)
        except BaseException:
            process.send(signal.SIGKILL)
            process.wait(_KILL_TIMEOUT_S)
            files.process.unlink(missing_ok=True)
            raise

    def _spawn(self, command: list[str]) -> ServerProcess:
        files = self._files
        spawn = spawn_bound if self._die_with_parent else spawn_detached
        try:
            pid = spawn(command, files.root, files.console_log)
        except OSError as error:
            what = f"{self.name} can't be run ({error})"
            raise self._failed(what, tail_of(files.console_log), files.console_log) from error
        return ServerProcess.of(pid, self._port, self._version)

    def _require_ready(self, process: ServerProcess, ready_timeout_s: float) -> None:
        if not self._answers(process, ready_timeout_s):
            raise self._failure(process, ready_timeout_s)

    def _failure(self, process: ServerProcess, ready_timeout_s: float) -> ProcessFailed | PortTaken:
        alive = process.is_alive()
        tail = tail_of(self._files.server_log, self._files.console_log)
        if not alive and any(said in line for line in tail for said in _PORT_TAKEN):
            return PortTaken(process.port, self.port_setting)
        what = f"did not answer within {ready_timeout_s:g} s" if alive else "ended while starting"
        return self._failed(f"{self.name} {what}", tail, self._files.server_log)
