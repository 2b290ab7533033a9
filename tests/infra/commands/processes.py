"""`evcs` as a process of its own, as it is typed."""

import os
import subprocess
import sys


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
