"""An INSERT's data on its way to the engine: a file without a name, which the engine reads by its descriptor.

Measured: a file in the page cache, one in /dev/shm, a memfd and chDB's own `send_insert` differ by no more than runs
do, and of these only the file is not bound by memory.
"""

import os
import tempfile
from pathlib import Path
from typing import IO

from infra.local.clickhouse.refusals import Code, Refusal

_DESCRIPTORS = Path("/proc/self/fd")


class Spool:
    """Takes data piece by piece. `path`, without quotes and signs of a glob, is where this process reads it until
    `close`."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._left = max_bytes
        self._max_bytes = max_bytes
        # Without /proc the engine needs a name, and one without the signs of a glob, which `folder` may hold.
        if _DESCRIPTORS.is_dir():
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
            self.path = str(_DESCRIPTORS / str(self._file.fileno()))
        else:
            self._file = tempfile.NamedTemporaryFile(buffering=0)  # noqa: SIM115
            self.path = self._file.name

    def add(self, data: bytes) -> None:
        """Raises Refusal when it is too much, or the disk is full."""
        self._left -= len(data)
        if self._left < 0:
            raise Refusal.of(Code.TOO_MANY_BYTES, f"the data has more than {self._max_bytes} bytes: send less at once")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise Refusal.of(Code.NOT_ENOUGH_SPACE, f"the data can't be kept: {error.strerror}") from error

    def text(self) -> str:
        """All of it."""
        return os.pread(self._file.fileno(), self._max_bytes, 0).decode(errors="replace")

    def close(self) -> None:
        """Lets go of the data."""
        self._file.close()
