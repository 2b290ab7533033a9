"""Processes that outlive us and processes that can't, with `sleep` in the broker's place."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from infra.local.process import ServerProcess, birth_of
from infra.local.spawn import spawn_bound, spawn_detached
from tests.whole.topics import PATIENCE_S

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def process_of(pid: int) -> ServerProcess:
    return ServerProcess.of(pid, 1, "4.1.2")


def test_a_detached_process_has_a_session_of_its_own_and_its_output_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", "import os, sys; print(os.getsid(0)); print('also', file=sys.stderr)"]
    pid = spawn_detached(command, tmp_path, log)
    assert process_of(pid).wait(PATIENCE_S)
    assert sorted(log.read_text().split()) == sorted([str(pid), "also"])


def test_a_bound_process_runs_until_it_ends_by_itself(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid = spawn_bound([sys.executable, "-c", "print('here')"], tmp_path, log)
    assert process_of(pid).wait(PATIENCE_S)
    assert log.read_text() == "here\n"


def test_a_command_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        spawn_detached([str(tmp_path / "none")], tmp_path, tmp_path / "log")
    with pytest.raises(OSError, match="watchdog did not start"):
        spawn_bound([str(tmp_path / "none")], tmp_path, tmp_path / "log")
    assert "FileNotFoundError" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("leave_a_fork_behind", [False, True])
def test_a_bound_process_dies_with_a_parent_that_is_killed(tmp_path: Path, leave_a_fork_behind: bool) -> None:
    """A forked child holds the watchdog's pipe open after its parent's death, and must not fool it."""
    script = f"""
        import os, sys, time
        from pathlib import Path
        from infra.local.spawn import spawn_bound
        pid = spawn_bound({SLEEP!r}, Path({str(tmp_path)!r}), Path({str(tmp_path / "log")!r}))
        fork = 0
        if {leave_a_fork_behind}:
            fork = os.fork()
            if not fork:
                time.sleep(600)
        print(pid, fork, flush=True)
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid, fork = (int(word) for word in parent.stdout.readline().split())
        process = process_of(pid)
        assert process.is_alive()
        os.kill(parent.pid, signal.SIGKILL)
    ended = process.wait(PATIENCE_S)
    if fork:
        os.kill(fork, signal.SIGKILL)
    process.send(signal.SIGKILL)
    assert ended


def test_signals_reach_only_the_process_that_was_born_then(tmp_path: Path) -> None:
    pid = spawn_detached(SLEEP, tmp_path, tmp_path / "log")
    ours = process_of(pid)
    ServerProcess(pid, "another birth", 1, "4.1.2").send(signal.SIGKILL)
    assert not ours.wait(0.2)
    ours.send(signal.SIGTERM)
    assert ours.wait(PATIENCE_S)
    assert birth_of(pid) is None
