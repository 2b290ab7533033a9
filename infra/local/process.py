"""A server's process as its pid file knows it. A pid alone proves nothing, since systems give it out again:
a process is ours only while pid and time of birth both agree. Nothing is ever found or killed by name.
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.spawn import reap_children

_POLL_S = 0.02
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A started server: its process, when that was born (in the system's own words), and what was started."""

    pid: int
    born: str
    port: int
    version: str

    @classmethod
    def of(cls, pid: int, port: int, version: str) -> "ServerProcess":
        """The live process `pid`; one that has already ended gets a birth that no process has."""
        return cls(pid, birth_of(pid) or "ended", port, version)

    @classmethod
    def load(cls, path: Path) -> "ServerProcess | None":
        """What the pid file says; None without one, or with one that can't be read."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(fields["pid"]), str(fields["born"]), int(fields["port"]), str(fields["version"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, path: Path) -> None:
        """Writes the pid file, whole or not at all. Raises OSError."""
        draft = path.with_name(path.name + ".new")
        draft.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")
        draft.replace(path)

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        reap_children()
        return birth_of(self.pid) == self.born

    def send(self, sig: signal.Signals) -> None:
        """Sends the signal, if the process is still the one that was started."""
        if self.is_alive():
            os.kill(self.pid, sig)

    def wait(self, timeout_s: float) -> bool:
        """Waits up to `timeout_s` seconds for the process to end; says whether it has."""
        deadline = time.monotonic() + timeout_s
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True


def birth_of(pid: int) -> str | None:
    """When process `pid` was born, in a form that tells it from any other; None if it is dead or a zombie."""
    if _PROC.joinpath("self/stat").exists():
        return _birth_from_proc(pid)
    return _birth_from_ps(pid)


def _birth_from_proc(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        threads = sum(1 for _ in (_PROC / str(pid) / "task").iterdir())
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # proc(5): the state is the third field and the time of birth, in ticks since boot, the twenty-second;
    # the second is a name in parentheses that may hold anything.
    fields = stat.rpartition(")")[2].split()
    # While a killed process's other threads end it is a zombie that still holds its ports and locks.
    return None if fields[0] in "ZX" and threads <= 1 else f"{boot} {fields[19]}"


def _birth_from_ps(pid: int) -> str | None:
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    state, _, born = answer.stdout.strip().partition(" ")
    return None if not born or state.startswith("Z") else born.strip()
