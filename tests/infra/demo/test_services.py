"""A service's process: its log, its end, and that it does not outlive whoever started it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from infra.demo.services import ServiceProcess
from infra.errors import OperatorError
from infra.local.process import birth_of
from tests.whole.topics import until

PLATFORM = ["platform", "run", "--port", "0"]


def test_it_runs_until_it_is_stopped(tmp_path: Path) -> None:
    service = ServiceProcess("platform", PLATFORM, {}, tmp_path / "log")
    try:
        service.await_log("listens at")
        service.check()
        assert service.stop() == 0
    finally:
        service.kill()
    with pytest.raises(OperatorError, match="platform ended with status 0"):
        service.check()


def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = f"""
        from pathlib import Path
        from infra.demo.services import ServiceProcess
        service = ServiceProcess("platform", {PLATFORM!r}, {{}}, Path({str(tmp_path / "log")!r}))
        service.await_log("listens at")
        print(service.pid, flush=True)
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert birth_of(pid)
        os.kill(parent.pid, signal.SIGKILL)
    until(lambda: birth_of(pid) is None, "the service is gone")
