"""What `evcs local status` tells: the local broker's state, or that of the cluster used in its place."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.local.broker import LocalKafka
from infra.local.errors import ClusterUnreachable
from infra.local.readiness import ANSWER_TIMEOUT_S, broker_count
from schemas.cluster import KafkaCluster

#: The unit of st_blocks, whatever the file system's own block is.
_BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """The local broker; `size_bytes` is what its data takes on the disk."""

    running: bool
    pid: int | None
    bootstrap: str
    kafka_version: str
    data_dir: str
    size_bytes: int

    @classmethod
    def of(cls, kafka: LocalKafka) -> "LocalStatus":
        """The broker's state now."""
        pid = kafka.pid
        data = kafka.files.data
        return cls(pid is not None, pid, kafka.bootstrap, kafka.version, str(data), size_on_disk(data))


@dataclass(frozen=True, slots=True)
class ExternalStatus:
    """The cluster that EVCS_KAFKA_BOOTSTRAP names; `problem` is empty while it answers."""

    running: bool
    bootstrap: str
    brokers: int
    problem: str

    @classmethod
    def of(cls, cluster: KafkaCluster, timeout_s: float = ANSWER_TIMEOUT_S) -> "ExternalStatus":
        """The cluster's state now; waits up to `timeout_s` for an answer."""
        try:
            return cls(True, cluster.bootstrap, broker_count(cluster, timeout_s), "")
        except ClusterUnreachable as error:
            return cls(False, cluster.bootstrap, 0, str(error))


def size_on_disk(directory: Path) -> int:
    """Bytes that the files below `directory` take on the disk; Kafka's index files are mostly holes."""
    return sum(_taken(path) for path in _files_below(directory))


def _files_below(directory: Path) -> Iterable[Path]:
    return (path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else ()


def _taken(path: Path) -> int:
    try:
        return path.stat().st_blocks * _BLOCK_BYTES
    except FileNotFoundError:
        return 0  # deleted by the broker since it was listed
