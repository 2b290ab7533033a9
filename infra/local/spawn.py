"""Starts the broker's process: detached, so that it outlives us, or bound, so that it can't."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Our own children, kept until they have ended: nobody else can collect them, and a child bound to us ends
#: when the pipe held here closes.
_children: list[subprocess.Popen[bytes]] = []


def spawn_detached(command: Sequence[str], cwd: Path, log: Path) -> int:
    """Starts `command` in a session of its own, with its output in `log`; returns its pid. Raises OSError."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _children.append(child)
    return child.pid


def spawn_bound(command: Sequence[str], cwd: Path, log: Path) -> int:
    """The same under a watchdog that kills `command` as soon as this process is gone, however it went."""
    with log.open("wb") as output:
        watchdog = subprocess.Popen(
            [sys.executable, "-P", "-m", "infra.local.watchdog", *command],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        )
    _children.append(watchdog)
    assert watchdog.stdout is not None
    with watchdog.stdout as answer:
        pid = answer.readline()
    if not pid:
        raise OSError(f"the watchdog did not start; see {log}")
    return int(pid)


def reap_children() -> None:
    """Collects those children that have ended."""
    for child in _children.copy():
        if child.poll() is not None:
            if child.stdin:
                child.stdin.close()
            _children.remove(child)
