"""A server's directories before its start: made, and with room on the disk."""

import shutil

from infra.local.errors import StorageUnusable, storage_errors
from infra.local.layout import ServerFiles


def make_directories(files: ServerFiles, server: str, min_free_bytes: int) -> None:
    """Creates the directories of `server`. Raises StorageUnusable, also for a disk with too little room."""
    with storage_errors(files.root):
        files.data.mkdir(parents=True, exist_ok=True)
        files.logs.mkdir(exist_ok=True)
        free = shutil.disk_usage(files.root).free
    if free < min_free_bytes:
        raise StorageUnusable(
            f"the disk that holds {files.root} is full: {free // 1024**2} MB are free, "
            f"{server} wants {min_free_bytes // 1024**2} MB"
        )
