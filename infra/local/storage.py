"""The data directory before the broker sees it: formatted on the first start, refused if it is another Kafka's."""

import base64
import subprocess
import uuid
from pathlib import Path

from infra.local.errors import BrokerFailed, ForeignData, storage_errors
from infra.local.jars import KAFKA_VERSION
from infra.local.java import Classes, format_command
from infra.local.layout import BrokerFiles
from infra.local.log_tail import last_lines

_META_VERSION = "1"
_NODE_ID = "1"
_FORMAT_TIMEOUT_S = 60


def prepare_storage(files: BrokerFiles, classes: Classes) -> bool:
    """Makes the data directory fit for the broker; says whether it had to be formatted.

    Raises ForeignData for a directory that this Kafka should not start on, BrokerFailed when the storage
    tool fails.
    """
    meta = files.data / "meta.properties"
    if meta.exists():
        _require_ours(files, meta)
        return False
    cluster_id = new_cluster_id()
    try:
        answer = subprocess.run(
            format_command(classes, files, cluster_id),
            cwd=files.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FORMAT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrokerFailed(f"the storage tool can't be run ({error})", []) from error
    if answer.returncode != 0:
        told = last_lines(answer.stdout + answer.stderr)
        raise BrokerFailed("the data directory could not be formatted", told)
    with storage_errors(files.formatted_by):
        files.formatted_by.write_text(KAFKA_VERSION + "\n", encoding="ascii")
    return True


def new_cluster_id() -> str:
    """A cluster id as Kafka makes them: a random UUID in URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")


def _require_ours(files: BrokerFiles, meta: Path) -> None:
    with storage_errors(meta):
        lines = meta.read_text(encoding="utf-8").splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    if fields.get("version") != _META_VERSION:
        raise ForeignData(files.data, f"has storage format {fields.get('version')}, not {_META_VERSION}")
    if fields.get("node.id") != _NODE_ID:
        raise ForeignData(files.data, f"belongs to Kafka node {fields.get('node.id')}")
    with storage_errors(files.formatted_by):
        by = files.formatted_by.read_text(encoding="ascii").strip() if files.formatted_by.exists() else ""
    if by and _release(by) > _release(KAFKA_VERSION):
        raise ForeignData(files.data, f"was formatted by Kafka {by}, which is newer than {KAFKA_VERSION}")


def _release(version: str) -> tuple[int, ...]:
    """Major and minor: the storage's features change between these only."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
