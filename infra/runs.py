"""Runs with topics of their own on a cluster, or with a database of their own in a warehouse: each has a file, by which
the next run tidies up behind a killed one.

A run holds the lock on its file, which the system lets go when the run ends, however it ends. The file's name is
the prefix of the run's topics, or its database; its content the id of the cluster, or the warehouse, that has them.
"""

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from connectors.errors import WarehouseError
from infra.errors import ClusterProblem
from infra.local.errors import storage_errors
from infra.local.progress import Progress
from infra.topic_admin import delete_topics
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)


@contextmanager
def entered(folder: Path, cluster: KafkaCluster, cluster_id: str) -> Iterator[None]:
    """Within the block the run whose topics have this cluster's prefix counts as running.

    If the block raises, the file stays: the topics may be there. Raises StorageUnusable.
    """
    with _held(folder / cluster.topic_prefix, cluster_id):
        yield


@contextmanager
def database_entered(folder: Path, database: str, warehouse_id: str) -> Iterator[None]:
    """The same for a run's database."""
    with _held(folder / database, warehouse_id):
        yield


def tidy_up(folder: Path, cluster: KafkaCluster, cluster_id: str, tell: Progress) -> None:
    """Deletes what runs left on this cluster that are no longer; what can't be deleted is left for the next time."""
    for path in _left(folder, cluster_id):
        tell(f"deleting topics {path.name}… of a run that was killed")
        try:
            delete_topics(replace(cluster, topic_prefix=path.name))
            path.unlink(missing_ok=True)
        except ClusterProblem as error:
            log.warning("topics %s… are left on %s: %s", path.name, cluster.bootstrap, error)


def tidy_up_databases(folder: Path, warehouse_id: str, drop: Callable[[str], None], tell: Progress) -> None:
    """The same for databases in this warehouse. `drop` raises WarehouseError."""
    for path in _left(folder, warehouse_id):
        tell(f"dropping database {path.name} of a run that was killed")
        try:
            drop(path.name)
            path.unlink(missing_ok=True)
        except WarehouseError as error:
            log.warning("database %s is left: %s", path.name, error)


@contextmanager
def _held(path: Path, where: str) -> Iterator[None]:
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="ascii")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(where)
        file.flush()
        yield
        path.unlink(missing_ok=True)


def _left(folder: Path, where: str) -> Iterator[Path]:
    """The files of runs that are no longer, each locked while it is looked at."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        # A run that goes on has the lock, and another one may be tidying up as well.
        with suppress(OSError), path.open(encoding="ascii", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if file.read() == where:
                yield path
