"""What can go wrong with the servers on this machine; every message says what to do about it.

LocalStackError               (an OperatorError: the message says how to mend it)
├── PortTaken                another program listens on the port
├── OnAnotherPort            the server runs already, but not where it is asked for
├── JarsUnavailable          Kafka can't be fetched: no network, or the repository does not have it
├── ProcessFailed            a process of ours ended or never answered; carries the log's tail
│   ├── BrokerFailed         the broker, or its storage tool
│   └── EngineFailed         the ClickHouse engine
├── StopTimedOut             the server got its signal and is still there
├── ForeignData              the data directory was written by a version that this one can't follow
├── DataInUse                another process has the data directory
├── StorageUnusable          the directory can't be written, or the disk is full
├── ClusterUnreachable       the external cluster does not answer
└── MisconfiguredLocalStack  a setting can't be read
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.errors import OperatorError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class LocalStackError(OperatorError):
    """Base of all errors of this package: the command line shows them as one line."""


class PortTaken(LocalStackError):
    """Nothing can be bound to `port` on the loopback address."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(f"port {port} is taken: choose another with {setting}, or stop what listens there")
        self.port = port


class OnAnotherPort(LocalStackError):
    """The server of this home runs on `port` and was asked for on `wanted`; it is left alone."""

    def __init__(self, server: str, port: int, wanted: int, variable: str) -> None:
        super().__init__(
            f"{server} already runs on port {port}, not on {wanted}: use it there with {variable}={port}, "
            "or move it with `evcs local down` first"
        )
        self.port = port
        self.wanted = wanted


class JarsUnavailable(LocalStackError):
    """Kafka's jars are neither on this machine nor to be had; what was fetched so far is kept."""


class ProcessFailed(LocalStackError):
    """A process of ours ended or did not answer in time; `tail` is the end of what it logged."""

    def __init__(self, what: str, tail: Sequence[str], log: Path | None = None) -> None:
        shown = "\n".join(f"  {line}" for line in tail) or "  (nothing was logged)"
        super().__init__(f"{what}; the end of {log or 'its output'}:\n{shown}")
        self.tail = tuple(tail)
        self.log = log


class BrokerFailed(ProcessFailed):
    """The broker or its storage tool."""


class EngineFailed(ProcessFailed):
    """The ClickHouse engine."""


class StopTimedOut(LocalStackError):
    """The server was asked to end and has not within `waited_s` seconds; it is still running."""

    def __init__(self, server: str, pid: int, waited_s: float) -> None:
        super().__init__(
            f"{server} (pid {pid}) has not ended within {waited_s:g} s: wait and try again, or use --force"
        )
        self.pid = pid


class ForeignData(LocalStackError):
    """The data directory belongs to another version; starting on it could damage it, so nothing was touched."""

    def __init__(self, data: Path, reason: str) -> None:
        super().__init__(f"{data} {reason}: move it away, or choose another directory with EVCS_HOME")
        self.data = data


class DataInUse(LocalStackError):
    """Another process, `holder` by its own word, writes to the data directory; two would destroy it."""

    def __init__(self, data: Path, holder: str) -> None:
        super().__init__(
            f"{data} is in use by another process ({holder or 'unknown'}): "
            "stop that one, or choose another directory with EVCS_HOME"
        )
        self.data = data


class StorageUnusable(LocalStackError):
    """A file or directory of ours can't be written."""


class ClusterUnreachable(LocalStackError):
    """The cluster that EVCS_KAFKA_BOOTSTRAP names does not answer."""

    def __init__(self, bootstrap: str, reason: str) -> None:
        super().__init__(
            f"the Kafka cluster at {bootstrap} does not answer ({reason}): "
            "check EVCS_KAFKA_BOOTSTRAP and the EVCS_KAFKA_ security settings"
        )
        self.bootstrap = bootstrap


class MisconfiguredLocalStack(LocalStackError):
    """A setting from the environment or the command line can't be used; says which and why."""


@contextmanager
def storage_errors(where: Path) -> Iterator[None]:
    """Turns the OSErrors of file work under `where` into StorageUnusable."""
    try:
        yield
    except OSError as error:
        raise storage_unusable(where, error) from error


def storage_unusable(where: Path, error: OSError) -> StorageUnusable:
    """The error to show for a file operation under `where` that failed."""
    place = error.filename or where
    if error.errno in _FULL:
        return StorageUnusable(f"the disk that holds {place} is full: free some space and try again")
    return StorageUnusable(
        f"{place} can't be written ({error.strerror or error}): "
        "check its permissions, or choose another directory with EVCS_HOME"
    )
