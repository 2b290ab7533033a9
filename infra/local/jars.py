"""Which Kafka is run, and where its jars are: remembered after the first start, so later ones need no network."""

from collections.abc import Callable
from pathlib import Path

from infra.local.errors import storage_errors
from infra.local.maven import fetch_kafka
from infra.local.progress import Progress, quiet

KAFKA_VERSION = "4.1.2"

#: Resolves a version into its jars; raises JarsUnavailable.
Resolver = Callable[[str, Progress], list[Path]]


def kafka_jars(
    remembered: Path,
    on_progress: Progress = quiet,
    *,
    version: str = KAFKA_VERSION,
    resolve: Resolver = fetch_kafka,
) -> list[Path]:
    """The jars of `version`: those that the file `remembered` lists while all are there, else resolved anew.

    Raises JarsUnavailable when they have to be fetched and can't, StorageUnusable.
    """
    jars = _recall(remembered)
    if jars and all(jar.is_file() for jar in jars):
        return jars
    jars = resolve(version, on_progress)
    with storage_errors(remembered):
        remembered.parent.mkdir(parents=True, exist_ok=True)
        draft = remembered.with_name(remembered.name + ".new")
        draft.write_text("".join(f"{jar}\n" for jar in jars), encoding="utf-8")
        draft.replace(remembered)
    return jars


def _recall(remembered: Path) -> list[Path]:
    try:
        return [Path(line) for line in remembered.read_text(encoding="utf-8").splitlines() if line]
    except OSError:
        return []
