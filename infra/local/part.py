"""A part of the local stack as `evcs local` shows it: brought up, taken down, looked at; or another in its place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from infra.local.errors import OnAnotherPort
from infra.local.progress import Progress
from infra.local.server import LocalServer

#: The unit of st_blocks, whatever the file system's own block is.
_BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True)
class PartStatus:
    """What `status` tells: `shown` for people, label by label, `fields` for programs; `problem` is empty while all is
    well."""

    running: bool
    shown: Mapping[str, str]
    fields: Mapping[str, object] = field(default_factory=dict)
    problem: str = ""


class Part(Protocol):
    """One server of the stack. Methods return the sentence to show, and raise OperatorErrors and ConnectorsErrors."""

    name: str

    def up(self, tell: Progress) -> str:
        """Starts it and waits until it answers, or finds that another is used."""

    def down(self, force: bool) -> str:
        """Stops it, if it is run from here."""

    def status(self) -> PartStatus:
        """Its state now."""


def start(server: LocalServer, port: int, variable: str, tell: Progress) -> str:
    """Starts a server on `port`, or says that it runs already: `is up` or `is already up`. Raises OnAnotherPort when
    those who come after would look for it elsewhere."""
    started = server.start(tell)
    if port not in (0, server.port):
        raise OnAnotherPort(server.name, server.port, port, variable)
    return "is up" if started else "is already up"


def stop(server: LocalServer, force: bool, instead: str = "") -> str:
    """Stops a server; `instead` is the address of another that is used in its place."""
    if server.kill() if force else server.stop():
        return f"{server.name} is down"
    if instead:
        return f"nothing to stop: the {server.name} at {instead} is not run from here"
    return f"{server.name} was not running"


def size_on_disk(directory: Path) -> int:
    """Bytes that the files below `directory` take on the disk; Kafka's index files are mostly holes."""
    return sum(_taken(path) for path in _files_below(directory))


def _files_below(directory: Path) -> Iterable[Path]:
    return (path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else ()


def _taken(path: Path) -> int:
    try:
        return path.stat().st_blocks * _BLOCK_BYTES
    except FileNotFoundError:
        return 0  # deleted by the server since it was listed
