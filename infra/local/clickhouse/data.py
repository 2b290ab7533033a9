"""The data folder before the engine sees it: one process at a time has it, and none that is older than its data."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.clickhouse.layout import ClickHouseFiles
from infra.local.errors import DataInUse, ForeignData, storage_errors


@contextmanager
def exclusive_data(files: ClickHouseFiles) -> Iterator[None]:
    """Has the data folder while inside; the system takes it back from a process that dies.

    Raises DataInUse at once if another process has it, StorageUnusable.
    """
    with storage_errors(files.data_lock):
        file = files.data_lock.open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DataInUse(files.data, file.read().strip()) from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}\n")
        file.flush()
        yield


def require_readable(files: ClickHouseFiles, version: str) -> None:
    """Raises ForeignData for data that a newer version than `version` has written, StorageUnusable."""
    with storage_errors(files.written_by):
        by = files.written_by.read_text(encoding="ascii").strip() if files.written_by.exists() else ""
    if by and _release(by) > _release(version):
        raise ForeignData(files.data, f"was written by chDB {by}, which is newer than {version}")


def note_version(files: ClickHouseFiles, version: str) -> None:
    """Remembers that `version` writes the data from now on. Raises StorageUnusable."""
    with storage_errors(files.written_by):
        files.written_by.write_text(version + "\n", encoding="ascii")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
