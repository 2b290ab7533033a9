"""Folders in memory, on machines that have a file system there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_MEMORY = Path("/dev/shm")

#: A session's servers hold some hundred MB; several sessions may run at once.
_ROOM_BYTES = 4 * 1024**3

_NAME = "evcs-tests-"


def has_room_in_memory(memory: Path = _MEMORY) -> bool:
    """Whether there is such a file system, and enough free on it."""
    return memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= _ROOM_BYTES


@contextmanager
def folder_in_memory(memory: Path = _MEMORY) -> Iterator[Path]:
    """A new one, gone behind the block. Those of processes that were killed are deleted first: they would take memory
    until the machine is started anew."""
    for left in memory.glob(f"{_NAME}*"):
        if not _is_alive(left.name.removeprefix(_NAME).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=memory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: str) -> bool:
    return not pid.isdecimal() or Path(f"/proc/{pid}").exists()
