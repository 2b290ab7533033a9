"""Who a process is, and the pid file that remembers it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import process
from infra.local.process import ServerProcess, birth_of


def test_the_pid_file_gives_back_what_it_was_given(tmp_path: Path) -> None:
    broker = ServerProcess.of(os.getpid(), 19092, "4.1.2")
    broker.save(tmp_path / "pid")
    assert ServerProcess.load(tmp_path / "pid") == broker
    assert broker.is_alive()


@pytest.mark.parametrize("content", [None, "", "{", "[]", "17", '{"pid": "x"}', '{"pid": 1}'])
def test_a_pid_file_that_says_nothing_is_no_broker(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "pid").write_text(content)
    assert ServerProcess.load(tmp_path / "pid") is None


def test_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert birth_of(child.pid) is None


def test_two_processes_have_two_births_with_and_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert birth_of(child.pid) != birth_of(os.getpid())
        monkeypatch.setattr(process, "_PROC", tmp_path)
        assert birth_of(child.pid) == birth_of(child.pid) is not None
        child.communicate(b"\n")
    assert birth_of(child.pid) is None
