"""Starts a server's process: detached, so that it outlives us, or bound, so that it can't."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Our own children by the server's pid, kept until they have ended: nobody else can collect them, and a child
#: bound to us ends when the pipe held here closes.
_children: dict[int, subprocess.Popen[bytes]] = {}

#: A watchdog notices within a quarter of a second that its server has ended.
_WATCHDOG_ENDS_S = 3.0


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
    _children[child.pid] = child
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
    assert watchdog.stdout is not None
    with watchdog.stdout as answer:
        pid = answer.readline()
    if not pid:
        watchdog.kill()
        _collect(watchdog)
        raise OSError(f"the watchdog did not start; see {log}")
    _children[int(pid)] = watchdog
    return int(pid)


def reap_children() -> None:
    """Collects those children that have ended."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _collect(_children.pop(pid))


def await_end(pid: int) -> None:
    """Collects the server `pid`, which has ended, or the watchdog that is about to follow it."""
    child = _children.pop(pid, None)
    if child is not None:
        _collect(child)


def _collect(child: subprocess.Popen[bytes]) -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(_WATCHDOG_ENDS_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
