"""`evcs` as a process of its own, as it is typed."""

import os
import subprocess
import sys
import time
from pathlib import Path


def evcs(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Starts `evcs …` with nothing of ours in its environment but what is given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVCS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "infra", *arguments],
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def seconds_until_told(process: subprocess.Popen[str], what: str) -> float:
    """How long the process takes from now until a line on stderr has `what`; fails if it ends without."""
    began = time.monotonic()
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if what in line:
            return time.monotonic() - began
    raise AssertionError(f"{what!r} is not told: {''.join(told)}")


def children_of(pid: int) -> list[int]:
    """The processes that the main thread of process `pid` has started and that are still there."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
