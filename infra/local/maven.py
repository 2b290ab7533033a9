"""Fetches Kafka's jars from the Maven repository, by way of jgo's resolver in pure Python: no mvn, no Java.

The only file that calls jgo; its failures leave here as JarsUnavailable or StorageUnusable. Jars are kept in
the cache that Maven shares (`~/.m2/repository`, or M2_REPO), so a fetch that broke off goes on where it was.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from jgo.maven import Artifact, MavenContext, PythonResolver

from infra.local.errors import JarsUnavailable, storage_unusable
from infra.local.file_lock import exclusive
from infra.local.progress import Progress, quiet

#: A dropped connection is tried again at once; no network at all should be told within seconds.
_ATTEMPTS = 3
_TIMEOUT_S = 20


class _SoundResolver(PythonResolver):
    """Leaves no broken file in the cache: whatever interrupts a download, Ctrl-C included, its file goes."""

    def download(self, artifact: Artifact) -> Path | None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return super().download(artifact)
            except BaseException as error:
                if artifact.cached_path:
                    artifact.cached_path.unlink(missing_ok=True)
                if attempt == _ATTEMPTS or not _is_network(error):
                    raise
        raise AssertionError("unreachable")


def fetch_kafka(
    version: str,
    on_progress: Progress = quiet,
    *,
    repo_cache: Path | None = None,
    remote_repos: Mapping[str, str] | None = None,
) -> list[Path]:
    """The jars that a broker of this version needs to run, the broker's own first.

    `repo_cache` and `remote_repos` are jgo's own defaults unless given. Fetches only what the cache lacks.
    Raises JarsUnavailable without network or for a version that does not exist, StorageUnusable when the
    cache can't be written.
    """
    context = MavenContext(
        resolver=_SoundResolver(),
        repo_cache=repo_cache,
        remote_repos=dict(remote_repos) if remote_repos else None,
        timeout=_TIMEOUT_S,
    )
    try:
        context.repo_cache.mkdir(parents=True, exist_ok=True)
        with exclusive(context.repo_cache / ".evcs-fetch.lock"):
            on_progress(f"resolving what Kafka {version} needs")
            return _download(_artifacts(context, version), on_progress)
    except Exception as error:
        if isinstance(error, OSError) and not _is_network(error):
            raise storage_unusable(context.repo_cache, error) from error
        if _is_network(error):
            raise JarsUnavailable(
                f"Kafka {version} can't be fetched: no connection to the Maven repository. "
                "The first start needs the network; what was fetched so far is kept, so try again. "
                f"({type(error).__name__})"
            ) from error
        raise JarsUnavailable(f"Kafka {version} can't be resolved: {error or type(error).__name__}") from error


def _artifacts(context: MavenContext, version: str) -> list[Artifact]:
    """Kafka, what it depends on, and the bridge to log4j, which Kafka's own distribution adds the same way.

    The bridge is no second input of the resolver: its parent's managed versions would overrule Kafka's.
    """
    broker = context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")
    inputs, transitive = context.resolver.resolve([broker])
    log4j = next(d.version for d in transitive if d.artifactId == "log4j-core")
    bridge = context.create_dependency(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}")
    return [dependency.artifact for dependency in (*inputs, *transitive, bridge)]


def _download(artifacts: list[Artifact], on_progress: Progress) -> list[Path]:
    jars = []
    for number, artifact in enumerate(artifacts, start=1):
        cached = artifact.cached_path
        if cached and cached.exists() and not zipfile.is_zipfile(cached):
            cached.unlink()
        if cached and not cached.exists():
            on_progress(f"fetching {number} of {len(artifacts)}: {artifact.filename}")
        jar = artifact.resolve()
        if not zipfile.is_zipfile(jar):
            jar.unlink()
            raise RuntimeError(f"what the repository sent for {artifact.filename} is no jar")
        jars.append(jar)
    return jars


def _is_network(error: BaseException) -> bool:
    """Whether the connection failed: the errors of jgo's HTTP library are OSErrors without a file or number."""
    return isinstance(error, OSError) and error.errno is None and error.filename is None
