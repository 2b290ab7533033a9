"""What tables remember of blocks that they never got.

A table without replicas writes a block's token down before it gives the block's part its name. Killed in between, it
would take the block, when it comes again, for one that it has. So tokens whose part is not there are crossed out
before the engine opens its data. Replicated tables keep both in one transaction of Keeper and need none of this.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import storage_errors

#: Of MergeTree's log: `operation TAB part TAB token`, a line.
_ADDED, _DROPPED = b"1", b"2"

#: Of a database with the engine Atomic, which all are here.
_LOGS = "store/*/*/deduplication_logs"

_LOG = re.compile(r"deduplication_log_([1-9][0-9]*)\.txt")
_PART = re.compile(rb"([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?")


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The numbers of the blocks that a part holds, in its partition."""

    partition: bytes
    first: int
    last: int

    @classmethod
    def of(cls, part: bytes) -> "_Blocks | None":
        """None for what is no part's name."""
        found = _PART.fullmatch(part)
        return cls(found[1], int(found[2]), int(found[3])) if found else None

    def within(self, other: "_Blocks") -> bool:
        """Whether a part with `other` has these, too: itself, or what it was merged into."""
        return self.partition == other.partition and other.first <= self.first and self.last <= other.last


def forget_unwritten(data: Path) -> int:
    """Crosses out all tokens of blocks that are not in the tables below `data`, which no engine may have open.

    Returns how many. Raises StorageUnusable.
    """
    with storage_errors(data):
        return sum(_forget_in(logs) for logs in sorted(data.glob(_LOGS)))


def _forget_in(logs: Path) -> int:
    files = sorted((int(found[1]), file) for file in logs.iterdir() if (found := _LOG.fullmatch(file.name)))
    if not files:
        return 0
    part_of: dict[bytes, bytes] = {}
    for _, file in files:
        for operation, part, token in _records(file.read_bytes()):
            if operation == _ADDED:
                part_of[token] = part
            else:
                part_of.pop(token, None)
    there = [blocks for entry in logs.parent.iterdir() if (blocks := _Blocks.of(os.fsencode(entry.name)))]
    whole = set(there)
    gone = [
        (part, token)
        for token, part in part_of.items()
        if (blocks := _Blocks.of(part)) and blocks not in whole and not any(map(blocks.within, there))
    ]
    if gone:
        _, newest = files[-1]
        with newest.open("r+b") as log:
            log.truncate(log.read().rfind(b"\n") + 1)  # behind a torn line nothing would be read
            log.seek(0, os.SEEK_END)
            log.writelines(b"\t".join((_DROPPED, *record)) + b"\n" for record in gone)
            log.flush()
            os.fsync(log.fileno())
    return len(gone)


def _records(log: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """What is written whole; of a line that a kill has torn the engine knows nothing either."""
    for line in log.split(b"\n")[:-1]:
        operation, _, rest = line.partition(b"\t")
        part, _, token = rest.partition(b"\t")
        if operation in (_ADDED, _DROPPED) and token:
            yield operation, part, token
